import { expect, test } from 'bun:test';
import { Bucket } from '../../src/limits/bucket.ts';
import { LOCAL_CELLS } from '../../src/limits/local.ts';
import { sharedCells } from '../../src/limits/shared.ts';
import { SharedMemory } from '../../src/limits/shared-memory.ts';

const shared = () => {
  const memory = new SharedMemory(new Uint8Array(SharedMemory.bytes(1)), 1);
  return sharedCells({ memory, index: 0, offsetMs: 1_000_000 });
};

for (const [where, cells] of [
  ['of one process', () => LOCAL_CELLS],
  ['in shared memory', shared],
] as const) {
  test.each([1, 7, 60, 999, 6_000])(
    `a bucket ${where} of %d a minute admits a minute’s worth at once, then refills evenly`,
    (rate) => {
      const bucket = new Bucket(cells(), 'x', rate);
      for (let n = 0; n < rate; n += 1) expect(bucket.take(0, 1)).toBe(true);
      expect(bucket.take(0, 1)).toBe(false);
      const stepMs = 60_000 / rate;
      expect(bucket.waitMs(0, 1)).toBeCloseTo(stepMs, 0);
      const later = stepMs + 1;
      expect([bucket.waitMs(later, 1), bucket.take(later, 1), bucket.take(later, 1)]).toEqual([
        0,
        true,
        false,
      ]);
      // A long idle time fills it, but not beyond its size.
      for (let n = 0; n < rate; n += 1) expect(bucket.take(10_000_000, 1)).toBe(true);
      expect(bucket.take(10_000_000, 1)).toBe(false);
    },
  );

  test(`a bucket ${where} refunds what was not used, and is overdrawn by what was spent beyond it`, () => {
    const bucket = new Bucket(cells(), 'x', 60, 10);
    expect(bucket.take(0, 60)).toBe(true);
    bucket.giveBack(0, 10);
    expect([bucket.take(0, 10), bucket.take(0, 1)]).toEqual([true, false]);
    bucket.spend(0, 60);
    expect(bucket.waitMs(0, 1)).toBeCloseTo(61_000, 0);
    // The debt is capped, so that nobody waits for an hour.
    bucket.spend(0, 1_000_000);
    expect(bucket.waitMs(0, 1)).toBeCloseTo(601_000, 0);
  });

  test(`a bucket ${where} admits a request larger than itself when it is full`, () => {
    const bucket = new Bucket(cells(), 'x', 60, 10);
    expect([bucket.take(0, 1), bucket.take(0, 180)]).toEqual([true, false]);
    expect([bucket.take(1_001, 180), bucket.waitMs(1_001, 1)]).toEqual([true, 121_000]);
  });
}
