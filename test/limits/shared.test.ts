import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { SharedBucket } from '../../src/limits/shared-bucket.ts';
import { NAMES, SharedMemory } from '../../src/limits/shared-memory.ts';
import { sharedLimits } from '../../src/limits/shared.ts';
import { makeSharedFile } from '../../src/workers/shared-file.ts';

const memoryOf = (processes: number) =>
  new SharedMemory(new Uint8Array(SharedMemory.bytes(processes)), processes);

describe('SharedMemory', () => {
  test('finds the same place for a name, and another for another, until there are too many', () => {
    const memory = memoryOf(2);
    const places = Array.from({ length: NAMES }, (_, index) => memory.place(`name ${index}`));
    expect(new Set(places).size).toBe(NAMES);
    expect(Array.from({ length: NAMES }, (_, index) => memory.place(`name ${index}`))).toEqual(places);
    expect(() => memory.place('one more')).toThrow('Cannot share the limits of one more');
  });

  test('release() gives back what one process held, and leaves what others hold', () => {
    const memory = memoryOf(3);
    const [a, b] = [memory.place('a'), memory.place('b')];
    for (const index of [0, 1, 1, 2]) memory.add(a, index, 1);
    memory.add(b, 1, 7);
    memory.release(1);
    expect([memory.total(a), memory.total(b)]).toEqual([2, 0]);
  });
});

describe('SharedBucket', () => {
  const bucketOf = (perMinute: number, memory = memoryOf(1), offsetMs = 1_000_000) =>
    new SharedBucket(memory, 'x', perMinute, offsetMs);

  test.each([1, 7, 60, 999, 6_000])(
    '%d a minute: gives its minute’s worth at once, then refills evenly',
    (rate) => {
      const bucket = bucketOf(rate);
      for (let n = 0; n < rate; n += 1) expect(bucket.take(0)).toBe(true);
      expect(bucket.take(0)).toBe(false);
      const stepMs = 60_000 / rate;
      expect(bucket.readyAt(0)).toBeCloseTo(stepMs, 0);
      expect([bucket.readyAt(stepMs + 1), bucket.take(stepMs + 1), bucket.take(stepMs + 1)]).toEqual([
        0,
        true,
        false,
      ]);
      // A long rest fills it, and no more than that.
      for (let n = 0; n < rate; n += 1) expect(bucket.take(10_000_000)).toBe(true);
      expect(bucket.take(10_000_000)).toBe(false);
    },
  );

  test('is one bucket for processes whose clocks began at other times', () => {
    const memory = memoryOf(2);
    const [early, late] = [bucketOf(2, memory, 1_000_000), bucketOf(2, memory, 1_060_000)];
    expect([early.take(60_000), late.take(0), early.take(60_000), late.take(0)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(late.readyAt(0)).toBeCloseTo(30_000, 0);
  });

  test('is not shut for long by a process whose clock is hours ahead', () => {
    const memory = memoryOf(2);
    const [right, ahead] = [bucketOf(1, memory), bucketOf(1, memory, 1_000_000 + 3_600_000)];
    expect([ahead.take(0), right.readyAt(0), right.take(0)]).toEqual([true, 0, true]);
  });
});

test('another rate begins a bucket of its own, and what runs stays counted', () => {
  const room = sharedLimits({ memory: memoryOf(1), index: 0, offsetMs: 0 }).room('a');
  room.configure({ rateLimit: 1, maxConnections: undefined });
  expect([room.reserve(0), room.reserve(0), room.readyAt(0) > 0]).toEqual([true, false, true]);
  room.configure({ rateLimit: 2, maxConnections: 2 });
  expect([room.reserve(0), room.reserve(0)]).toEqual([true, false]);
  room.end();
  expect([room.reserve(0), room.readyAt(0) > 0]).toEqual([true, true]);
});

/** Processes that share one file, told to begin at the same time. */
async function together<R>(what: string, processes: number): Promise<R[]> {
  const shared = makeSharedFile(processes);
  const children = Array.from({ length: processes }, (_, index) => {
    const ready = Promise.withResolvers<void>();
    const result = Promise.withResolvers<R>();
    const program = join(import.meta.dir, '../helpers/limits-process.ts');
    const child = Bun.spawn([process.execPath, program, String(index), String(processes), what], {
      stdio: ['ignore', 'inherit', 'inherit', shared.fd],
      ipc: (message: R | 'ready') => (message === 'ready' ? ready.resolve() : result.resolve(message as R)),
    });
    return { child, ready: ready.promise, result: result.promise };
  });
  await Promise.all(children.map(({ ready }) => ready));
  for (const { child } of children) child.send('go');
  const results = await Promise.all(children.map(({ result }) => result));
  await Promise.all(children.map(({ child }) => child.exited));
  shared.close();
  return results;
}

describe.skipIf(process.platform !== 'linux')('processes that share a file (Linux only: /proc)', () => {
  test('never take more places than there are', async () => {
    const results = await together<{ taken: number; most: number }>('places', 4);
    // On a busy machine one of them may have had no turn.
    expect(Math.max(...results.map(({ most }) => most))).toBe(1);
  });

  test('take no more than the rate together', async () => {
    const results = await together<{ taken: number; fromMs: number; untilMs: number }>('rate', 4);
    const taken = results.reduce((total, each) => total + each.taken, 0);
    const tookMs =
      Math.max(...results.map(({ untilMs }) => untilMs)) - Math.min(...results.map(({ fromMs }) => fromMs));
    // A minute's worth at once, and 10 a millisecond; their clocks differ by less than a hundred.
    expect(taken).toBeGreaterThanOrEqual(600_000);
    expect(taken).toBeLessThan(600_000 + 10 * (tookMs + 100));
  });
});
