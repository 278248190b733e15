import type { Exchange } from '../../src/pipeline/record/exchange.ts';
import { expect, test } from 'bun:test';
import { Abort } from '../../src/abort.ts';
import { RunningRequests } from '../../src/pipeline/record/running.ts';

/** A request with what the list needs from it: notice of its end. */
function request(running: RunningRequests, name: string) {
  const ends: (() => void)[] = [];
  const abort = new Abort();
  const exchange = { id: name, finally: (end: () => void) => ends.push(end) } as unknown as Exchange;
  running.add(abort, exchange);
  return { abort, end: () => ends.forEach((each) => each()) };
}
const names = (running: RunningRequests) => Array.from(running, ({ id }) => id).join('');

test('RunningRequests contains the requests that have not ended, in order of arrival', () => {
  const running = new RunningRequests();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => request(running, name));
  expect(names(running)).toBe('abcd');
  b!.end();
  expect(names(running)).toBe('acd');
  a!.end();
  d!.end();
  request(running, 'e');
  expect(names(running)).toBe('ce');
  c!.end();
  expect(names(running)).toBe('e');
});

test('RunningRequests aborts all requests, even if they remove themselves in the meantime', () => {
  const running = new RunningRequests();
  const all = ['a', 'b', 'c'].map((name) => request(running, name));
  for (const { abort, end } of all) abort.onAbort(end);
  running.abort(new Error('stop'));
  expect(all.map(({ abort }) => abort.aborted)).toEqual([true, true, true]);
  expect(names(running)).toBe('');
});
