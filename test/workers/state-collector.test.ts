import { expect, test } from 'bun:test';
import type { Answer, Report } from '../../src/workers/messages.ts';
import { StateCollector } from '../../src/workers/state-collector.ts';
import { quota } from '../../src/workers/count.ts';
import { FakeClock } from '../helpers/clock.ts';

const counted = (value: number): Report => ({
  what: 'metrics',
  families: [
    { name: 'c', help: '', type: 'counter', aggregator: 'sum', values: [{ labels: {}, value }] },
    { name: 'g', help: '', type: 'gauge', aggregator: 'sum', values: [{ labels: {}, value: 1 }] },
  ],
});

const valuesOf = (answer: Answer, name: string) =>
  answer.what === 'metrics'
    ? answer.families
        .filter((family) => family.name === name)
        .flatMap(({ values }) => values.map(({ value }) => value))
    : [];

/** Workers that answer with these counts; `undefined` stands for one that does not answer. */
function workers(values: (number | undefined)[]) {
  const clock = new FakeClock();
  const collector = new StateCollector(values.length, clock);
  const asked: number[] = [];
  const gather = (among = values.map((_, index) => index + 1)) =>
    collector.gather('metrics', among, (worker, question) => {
      asked.push(worker);
      const value = values[worker - 1];
      if (value !== undefined) collector.take(worker, question, counted(value));
    });
  return { clock, collector, values, asked, gather };
}

test('counts of a worker stay in the sum when it does not answer and when it has ended', async () => {
  const { clock, collector, values, gather } = workers([5, 7]);
  expect(valuesOf(await gather(), 'c')).toEqual([12]);
  values[1] = undefined;
  const late = gather();
  clock.advance(1_000);
  const partial = await late;
  expect([valuesOf(partial, 'c'), valuesOf(partial, 'g'), valuesOf(partial, 'llmproxy_worker_up')]).toEqual([
    [12],
    [1],
    [1, 0],
  ]);
  collector.workerEnded(2);
  expect(valuesOf(await gather([1]), 'c')).toEqual([12]);
  // Its successor counts from zero.
  values[1] = 1;
  const renewed = await gather();
  expect([valuesOf(renewed, 'c'), valuesOf(renewed, 'llmproxy_worker_restarts_total')]).toEqual([
    [13],
    [0, 1],
  ]);
});

test('a worker that ends in the meantime is not waited for, and simultaneous calls share one answer', async () => {
  const { collector, asked, gather } = workers([5, undefined]);
  const answers = Promise.all([gather(), gather()]);
  collector.workerEnded(2);
  const [first, second] = await answers;
  expect(first).toBe(second);
  expect(asked).toEqual([1, 2]);
  expect(valuesOf(first, 'llmproxy_worker_up')).toEqual([1, 0]);
});

test('the status lists the workers that did not answer', async () => {
  const collector = new StateCollector(3, new FakeClock());
  const answer = await collector.gather('status', [2], (worker, question) =>
    collector.take(worker, question, { what: 'status', providers: [], inFlight: 4, log: null }),
  );
  expect(answer).toEqual({
    what: 'status',
    status: { workers: { total: 3, missing: [1, 3] }, providers: [], inFlight: 4, log: null },
  });
});

const files = (texts: Record<string, string>) => (path: string) => texts[path.replace('/sys/fs/cgroup/', '')];

test.each([
  [{ 'cpu.max': '150000 100000' }, 2],
  [{ 'cpu.max': '50000 100000' }, 1],
  [{ 'cpu.max': 'max 100000' }, undefined],
  [{ 'cpu/cpu.cfs_quota_us': '400000', 'cpu/cpu.cfs_period_us': '100000' }, 4],
  [{ 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' }, undefined],
  [{}, undefined],
])('quota() of %p is %p', (texts, expected) => {
  expect(quota(files(texts as Record<string, string>))).toBe(expected as number);
});
