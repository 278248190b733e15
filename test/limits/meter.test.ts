import { expect, test } from 'bun:test';
import { Meter } from '../../src/limits/meter.ts';
import { windowOf } from '../../src/limits/window.ts';

const DAY = 86_400_000;
const day = windowOf({ per: 'day' });

test('a meter counts until the exact time at which its window ends', () => {
  const meter = new Meter(day);
  meter.use(3, 5, 5);
  expect(meter.used(DAY - 1)).toBe(3);
  expect(meter.used(DAY)).toBe(0);
});

test('a meter keeps its slices sorted by time, even if the clock is set back past midnight', () => {
  const meter = new Meter(day);
  meter.use(2, DAY + 1, DAY + 1);
  meter.use(3, DAY - 1, DAY - 1);
  expect(meter.used(DAY - 1)).toBe(5);
  expect(meter.stored().map(([startMs]) => startMs)).toEqual([0, DAY]);
  expect(meter.freeAt(1, 5, DAY - 1)).toBe(DAY);
  expect(meter.used(DAY)).toBe(2);
});

test('a meter moves usage from a clock that was far ahead to the present', () => {
  const kept: Meter[] = [];
  const meter = new Meter(day, [], (each) => kept.push(each));
  meter.use(2, 400 * DAY, 400 * DAY);
  meter.use(3, 1, 1);
  expect(meter.used(1)).toBe(5);
  expect(meter.emptyAt(1)).toBe(DAY);
  expect(meter.stored()).toEqual([[0, DAY, 5]]);
  expect(kept.length).toBeGreaterThan(1);
});

test('a clock that is set back blocks nobody for longer than a window, and frees no window early', () => {
  for (const window of ['rolling', 'calendar'] as const)
    for (const [per, lengthMs] of [
      ['second', 1_000],
      ['minute', 60_000],
      ['hour', 3_600_000],
    ] as const)
      for (const backMs of [1, lengthMs / 2, lengthMs, lengthMs + 1, 2 * lengthMs, 10 * DAY]) {
        const meter = new Meter(windowOf({ per, window }));
        const beganMs = 20 * DAY + 7;
        meter.use(4, beganMs, beganMs);
        const nowMs = beganMs - backMs;
        expect(meter.used(nowMs)).toBe(4);
        // What remains of the window, and at most one window that the clock must make up for.
        const most = Math.min(backMs, lengthMs) + lengthMs + lengthMs / 60 + 1;
        expect(meter.emptyAt(nowMs) - nowMs).toBeLessThanOrEqual(most);
        expect(meter.freeAt(1, 4, nowMs)).toBe(meter.emptyAt(nowMs));
        if (window === 'rolling') expect(meter.used(nowMs + lengthMs - 1)).toBe(4);
        expect(meter.used(nowMs + most)).toBe(0);
      }
});

test('a meter of a rolling window forgets each slice separately', () => {
  const meter = new Meter(windowOf({ per: 'minute' }));
  meter.use(1, 0, 0);
  meter.use(2, 30_000, 30_000);
  expect(meter.used(60_999)).toBe(3);
  expect(meter.used(61_000)).toBe(2);
  expect(meter.emptyAt(61_000)).toBe(91_000);
  meter.use(4, 61_000, 61_000);
  expect(meter.used(91_000)).toBe(4);
  expect(meter.until).toBe(122_000);
  expect(meter.used(122_000)).toBe(0);
  expect(meter.until).toBe(0);
});

test('a meter that is stored and loaded continues counting', () => {
  for (const per of ['day', 'minute', 'total'] as const) {
    const window = windowOf({ per });
    const meter = new Meter(window);
    meter.use(3, 1, 1);
    meter.use(4, 2_000, 2_000);
    const again = new Meter(
      window,
      JSON.parse(JSON.stringify(meter.stored())) as ReturnType<Meter['stored']>,
    );
    for (const atMs of [2_000, 59_999, 60_001, 62_000, DAY]) expect(again.used(atMs)).toBe(meter.used(atMs));
  }
});

test('a meter never goes below zero', () => {
  const meter = new Meter(day);
  meter.use(1, 1, 1);
  meter.use(-1, 1, 2);
  meter.use(-1, 1, 3);
  expect(meter.used(4)).toBe(0);
});
