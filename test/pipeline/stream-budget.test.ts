import { expect, test } from 'bun:test';
import type { WatchedStream } from '../../src/pipeline/streams/stream-budget.ts';
import { HELD_BY_STREAM, StreamBudget } from '../../src/pipeline/streams/stream-budget.ts';
import { FakeClock } from '../helpers/clock.ts';

class Stream implements WatchedStream {
  readonly held = HELD_BY_STREAM;
  sent = 0;
  waits = false;
  kept = 0;
  lettings = 0;
  readonly #budget: StreamBudget;
  cuts = 0;

  constructor(budget: StreamBudget) {
    this.#budget = budget;
    budget.add(this);
  }

  stopRecording(): void {
    this.lettings += 1;
    this.kept = 0;
  }

  cut(): void {
    this.cuts += 1;
    this.#budget.delete(this);
  }
}

function streamsOf(count: number, fitting: number, recording = Infinity) {
  const clock = new FakeClock();
  const budget = new StreamBudget(clock, { unread: fitting * HELD_BY_STREAM, recording });
  const streams = Array.from({ length: count }, () => new Stream(budget));
  const cut = () => streams.flatMap(({ cuts }, at) => (cuts > 0 ? [at] : []));
  return { clock, budget, streams, cut };
}

test('StreamBudget cuts no stream as long as the unread bytes of slow ones fit', () => {
  const { clock, budget, streams, cut } = streamsOf(10, 3);
  for (const stream of streams.slice(3)) stream.waits = true;
  clock.advance(10_000);
  expect([cut(), budget.bytes]).toEqual([[], 3 * HELD_BY_STREAM]);
});

test('StreamBudget cuts the streams that sent least since its last check, and no more than necessary', () => {
  const { clock, budget, streams, cut } = streamsOf(5, 3);
  const move = (...taken: number[]) => taken.forEach((bytes, at) => (streams[at]!.sent += bytes));
  // The first one sent most at first, and nothing recently.
  move(9_000_000, 10, 10, 10, 10);
  clock.advance(500);
  move(0, 500, 100, 300, 200);
  clock.advance(500);
  expect(cut()).toEqual([0, 2]);
  expect(budget.bytes).toBe(3 * HELD_BY_STREAM);
  clock.advance(5_000);
  expect(cut()).toEqual([0, 2]);
});

test('StreamBudget does not judge a new stream at its first check', () => {
  const { clock, streams, cut } = streamsOf(2, 0);
  clock.advance(499);
  expect(cut()).toEqual([]);
  clock.advance(1);
  expect(cut()).toEqual([]);
  streams[1]!.waits = true;
  clock.advance(500);
  expect(cut()).toEqual([0]);
});

test('StreamBudget stops its timer when all streams have ended, and starts it for a new one', () => {
  const { clock, budget, streams, cut } = streamsOf(2, 0);
  expect(clock.timers).toBe(1);
  for (const stream of streams) budget.delete(stream);
  expect(clock.timers).toBe(0);
  budget.add(streams[0]!);
  clock.advance(1_000);
  expect([cut(), clock.timers]).toEqual([[0], 0]);
});

test('StreamBudget applies a smaller limit to running streams', () => {
  const { clock, budget, cut } = streamsOf(4, 4);
  clock.advance(2_000);
  budget.limits = { unread: 2 * HELD_BY_STREAM, recording: Infinity };
  clock.advance(500);
  expect(cut()).toHaveLength(2);
});

test('StreamBudget drops the longest answers from their records, and no more than necessary', () => {
  const { clock, budget, streams, cut } = streamsOf(4, 4, 100);
  const keep = (...kept: number[]) => kept.forEach((bytes, at) => (streams[at]!.kept = bytes));
  const lettings = () => streams.map((stream) => stream.lettings);
  keep(10, 40, 30, 20);
  clock.advance(500);
  expect([budget.kept, lettings()]).toEqual([100, [0, 0, 0, 0]]);
  keep(10, 60, 50, 20);
  clock.advance(500);
  expect([budget.kept, lettings()]).toEqual([80, [0, 1, 0, 0]]);
  budget.limits = { unread: Infinity, recording: 10 };
  clock.advance(500);
  expect([budget.kept, lettings(), cut()]).toEqual([10, [0, 1, 1, 1], []]);
});
