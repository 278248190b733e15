/** The store and its thread, as callers use them. */
import { expect, test } from 'bun:test';
import { systemClock } from '../../src/clock.ts';
import { Store } from '../../src/stored/store.ts';

const MIB = 1024 * 1024;

function opened(isShared = false) {
  const problems: string[] = [];
  const store = new Store(
    { maxBytes: 256 * MIB, maxChain: 64 * MIB, isShared },
    {
      clock: systemClock,
      directory: undefined,
      keys: [],
      onProblem: (problem) => void problems.push(problem),
    },
  );
  return { store, problems, [Symbol.asyncDispose]: () => store.close() };
}

const kept = (owner: string, id: string, said = id) => ({
  owner,
  request: JSON.stringify({ model: 'm', input: 'hi' }),
  response: JSON.stringify({ id, status: 'completed', output: [{ type: 'message', content: said }] }),
  nowMs: 0,
  untilMs: 3_600_000,
});

test('many calls of one owner do not delay a call of another', async () => {
  await using opening = opened();
  const { store } = opening;
  await store.ask('responses', 'keep', kept('a', 'resp_large', 'x'.repeat(4 * MIB)));
  await store.ask('responses', 'keep', kept('b', 'resp_small'));
  const over: string[] = [];
  const heavy = Array.from({ length: 40 }, async () => {
    await store.ask('responses', 'show', 'a', 'resp_large', 1);
    over.push('a');
  });
  await store.ask('responses', 'show', 'b', 'resp_small', 1);
  // Two of them can be in the thread already.
  expect(over.length).toBeLessThanOrEqual(3);
  await Promise.all(heavy);
});

test('the calls of one owner are made in order', async () => {
  await using opening = opened();
  const { store } = opening;
  for (let at = 0; at < 50; at += 1) store.put(10, 'responses', 'keep', kept('a', `resp_${at}`));
  const shown = await store.ask('responses', 'show', 'a', 'resp_49', 1);
  expect(shown?.body).toContain('resp_49');
});

test('repeated lookups of what another process may still write delay no other owner', async () => {
  await using opening = opened(true);
  const { store } = opening;
  await store.ask('responses', 'keep', kept('b', 'resp_small'));
  let found = 0;
  const missing = Array.from({ length: 20 }, async () => {
    expect(await store.ask('responses', 'show', 'a', 'resp_none', 1)).toBeUndefined();
    found += 1;
  });
  expect(await store.ask('responses', 'show', 'b', 'resp_small', 1)).toBeDefined();
  expect(found).toBe(0);
  await Promise.all(missing);
});

test('close() writes what is still queued', async () => {
  const { store, problems } = opened();
  const asked = Array.from({ length: 100 }, (_, at) =>
    store.ask('responses', 'keep', kept(`owner_${at % 7}`, `resp_${at}`)),
  );
  await store.close();
  await Promise.all(asked);
  expect([store.dropped, problems]).toEqual([0, []]);
});
