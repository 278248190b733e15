/**
 * A heavy request does not delay others: requests that once blocked the event loop for five seconds to
 * minutes run beside normal ones.
 */
import type { ServingMeasured } from '../helpers/loop.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { children, started } from '../../bench/children.ts';
import { beside, loopConfig } from '../../bench/loop-run.ts';
import { cleared, folder } from '../helpers/binary.ts';
import { serveMeasured } from '../helpers/loop.ts';

/** The longest time that the loop may be held, several times what it takes; a blocked one takes seconds. */
const BOUND_MS = 300;

let serving: ServingMeasured;

beforeAll(async () => {
  const program = join(import.meta.dir, '../../bench/loop-upstream.ts');
  const upstream = await started([process.execPath, '--no-env-file', program], folder());
  serving = await serveMeasured(loopConfig(upstream.url));
}, 60_000);

afterAll(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  cleared();
});

test.each([
  ['count 2 MB of one letter', 200],
  ['count 2 MB of spaces', 200],
  ['15 million levels', 400],
  ['1 million fields at the top', 400],
  ['a form of 30 MB of parts', 400],
  ['a form with a head of 30 MB', 400],
  ['a password behind 1 MB of spaces', 200],
  ['a model of 2,000 letters', 200],
  ['an answer of 16 million objects', 502],
  ['an answer of 100,000 levels, translated', 502],
])(
  'beside %s normal requests are answered',
  async (kind, status) => {
    await serving.loop();
    // Answers to normal requests are checked there.
    expect((await beside(serving.url, kind)).status).toBe(status);
    expect((await serving.loop()).longestMs).toBeLessThan(BOUND_MS);
  },
  90_000,
);
