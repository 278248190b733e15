import { expect, test } from 'bun:test';
import { Abort } from '../src/abort.ts';

test('Abort.abort() takes effect once, with the first reason, and calls each listener once', () => {
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

test('Abort.onAbort() calls a listener immediately if it is aborted already', () => {
  const abort = new Abort();
  abort.abort('over');
  let told = false;
  abort.onAbort(() => (told = true));
  expect(told).toBe(true);
});

test('Abort.signal has the same reason, whether it is read before or after the abort', () => {
  const before = new Abort();
  const { signal } = before;
  before.abort('reason');
  const after = new Abort();
  after.abort('reason');
  expect([signal.aborted, signal.reason]).toEqual([true, 'reason']);
  expect([after.signal.aborted, after.signal.reason]).toEqual([true, 'reason']);
});

test('Abort.following() follows a signal that is aborted now or later, optionally with another reason', () => {
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
