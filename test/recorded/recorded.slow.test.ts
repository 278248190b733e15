/**
 * Handwritten exchanges through the binary, in both lanes; `make recorded` does the same with real providers' traffic.
 */
import type { Lab } from './lab/lab.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { built, cleared } from '../helpers/binary.ts';
import { GAPS } from './examples/examples.ts';
import { EXAMPLE_JOBS, jobsFor, PLANNED } from './examples/jobs.ts';
import { freshNeeded } from './jobs.ts';
import { openLab } from './lab/lab.ts';
import { serveBinary } from './lab/serve.ts';
import { shownFailure } from './report.ts';
import { run } from './run.ts';

let lab: Lab;

beforeAll(async () => {
  built();
  lab = await openLab({ serve: serveBinary, fresh: freshNeeded(EXAMPLE_JOBS) });
}, 60_000);

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  cleared();
});

test('examples reach every client completely, and requests reach every provider', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { failures, ways } = await run(lab, EXAMPLE_JOBS, seed);
  expect(failures.map((failure) => `${failure.way}: ${shownFailure(failure)} (seed ${seed})`)).toEqual([]);
  expect([...ways.keys()].filter((way) => way.startsWith('answer')).length).toBe(24);
  expect([...ways.keys()].filter((way) => way.startsWith('request')).length).toBe(35);
}, 60_000);

test('plan() skips nothing but the missing answers to handwritten requests', () => {
  expect(PLANNED.unknown).toEqual([]);
  expect([...PLANNED.skipped.keys()]).toEqual([
    'the body was not recorded',
    "answers of Ollama's own API",
    "answers of Google's interactions API",
  ]);
});

for (const gap of GAPS) {
  for (const job of jobsFor(gap)) {
    test.failing(`${gap.recorded.file}, for ${job.client}: ${gap.reason}`, async () => {
      const { failures } = await run(lab, [job], 1);
      expect(failures).toEqual([]);
    });
  }
}
