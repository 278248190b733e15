import { expect, test } from 'bun:test';
import { Abort } from '../src/abort.ts';

test('Aborts once, with the first reason, and tells each listener once', () => {
  const abort = new Abort();
  const told: unknown[] = [];
  abort.onAbort(() => told.push(abort.reason));
  const forget = abort.onAbort(() => told.push('forgotten'));
  forget();
  expect(abort.aborted).toBe(false);
  expect(() => abort.throwIfAborted()).not.toThrow();
  abort.abort('first');
  abort.abort('second');
  expect([abort.aborted, abort.reason, told]).toEqual([true, 'first', ['first']]);
  expect(() => abort.throwIfAborted()).toThrow('first');
});

test('Tells a late listener at once', () => {
  const abort = new Abort();
  abort.abort('over');
  let told = false;
  abort.onAbort(() => (told = true));
  expect(told).toBe(true);
});

test('Gives a signal with the same reason, asked for before or after', () => {
  const before = new Abort();
  const { signal } = before;
  before.abort('reason');
  const after = new Abort();
  after.abort('reason');
  expect([signal.aborted, signal.reason]).toEqual([true, 'reason']);
  expect([after.signal.aborted, after.signal.reason]).toEqual([true, 'reason']);
});

test('Follows a signal, aborted already or later, with the reason wanted', () => {
  const controller = new AbortController();
  const [plain, worded] = [
    Abort.following(controller.signal),
    Abort.following(controller.signal, () => 'left'),
  ];
  expect([plain.aborted, worded.aborted]).toEqual([false, false]);
  controller.abort('gone');
  expect([plain.reason, worded.reason]).toEqual(['gone', 'left']);
  expect(Abort.following(controller.signal).reason).toBe('gone');
});
