import { expect, test } from 'bun:test';
import { until } from './until.ts';

const SOON = { everyMs: 1, withinMs: 20 };

test('until() returns the first truthy value, without a pause if the first check has it', async () => {
  const values = [0, '', null, undefined, false, 'here', 'too late'];
  expect(await until('a word', () => values.shift(), { everyMs: 0 })).toBe('here');
  expect(await until('a word', async () => values.shift(), { everyMs: 60_000 })).toBe('too late');
});

test('until() reports what it waited for, for how long, and what it saw last', async () => {
  const message = /^Waited for two attempts for 0\.\d s, last seen: 0$/;
  await expect(until('two attempts', () => 0, SOON)).rejects.toThrow(message);
  await expect(until('a name', async () => null, SOON)).rejects.toThrow(/last seen: null$/);
});

test('until() waits for a value or a number, and reports what it saw instead', async () => {
  const counts = [3, 0, 1, 2];
  expect(await until('nothing', () => counts.shift(), { is: 0 })).toBe(0);
  expect(await until('two', () => counts.shift(), { atLeast: 2 })).toBe(2);
  await expect(until('two', () => 1, { ...SOON, is: 2 })).rejects.toThrow(/last seen: 1$/);
  await expect(until('two', () => 1, { ...SOON, atLeast: 2 })).rejects.toThrow(/last seen: 1$/);
});

test('until() does not wait for a check that never ends', async () => {
  const never = () => new Promise<boolean>(() => undefined);
  await expect(until('an answer', never, SOON)).rejects.toThrow(
    /^Waited for an answer .* no look has ended$/,
  );
});

test('until() checks once however little time there is, and passes on what a check throws', async () => {
  expect(await until('anything', () => 1, { withinMs: 0 })).toBe(1);
  const failing = () => Promise.reject(new Error('no such folder'));
  await expect(until('a file', failing)).rejects.toThrow('no such folder');
});
