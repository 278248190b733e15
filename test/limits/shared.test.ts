import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Bucket } from '../../src/limits/bucket.ts';
import { NAMES, SharedMemory } from '../../src/limits/shared-memory.ts';
import type { Room } from '../../src/limits/limits.ts';
import { sharedCells, sharedLimits } from '../../src/limits/shared.ts';
import { makeSharedFile } from '../../src/workers/shared-file.ts';

const memoryOf = (processes: number) =>
  new SharedMemory(new Uint8Array(SharedMemory.bytes(processes)), processes);

describe('SharedMemory', () => {
  test('finds the same place for the same name and another for a different one, until there are too many', () => {
    const memory = memoryOf(2);
    const places = Array.from({ length: NAMES }, (_, index) => memory.place(`name ${index}`));
    expect(new Set(places).size).toBe(NAMES);
    expect(Array.from({ length: NAMES }, (_, index) => memory.place(`name ${index}`))).toEqual(places);
    expect(() => memory.place('one more')).toThrow('Cannot share the limits of one more');
  });

  test('release() releases what one process holds, and nothing that others hold', () => {
    const memory = memoryOf(3);
    const [a, b] = [memory.place('a'), memory.place('b')];
    for (const index of [0, 1, 1, 2]) memory.add(a, index, 1);
    memory.add(b, 1, 7);
    memory.release(1);
    expect([memory.total(a), memory.total(b)]).toEqual([2, 0]);
  });
});

describe('Bucket in shared memory', () => {
  const bucketOf = (perMinute: number, memory = memoryOf(1), offsetMs = 1_000_000) =>
    new Bucket(sharedCells({ memory, index: 0, offsetMs }), 'x', perMinute);

  test('is shared by processes whose clocks started at different times', () => {
    const memory = memoryOf(2);
    const [early, late] = [bucketOf(2, memory, 1_000_000), bucketOf(2, memory, 1_060_000)];
    const taken = [early.take(60_000, 1), late.take(0, 1), early.take(60_000, 1), late.take(0, 1)];
    expect(taken).toEqual([true, true, false, false]);
    expect(late.waitMs(0, 1)).toBeCloseTo(30_000, 0);
  });

  test('is not blocked for long by a process whose clock is hours ahead', () => {
    const memory = memoryOf(2);
    const [right, ahead] = [bucketOf(1, memory), bucketOf(1, memory, 1_000_000 + 3_600_000)];
    expect([ahead.take(0, 1), right.waitMs(0, 1), right.take(0, 1)]).toEqual([true, 0, true]);
  });
});

test('a new rate starts a new bucket, and running requests stay counted', () => {
  const room = sharedLimits({ memory: memoryOf(1), index: 0, offsetMs: 0 }).room('a');
  room.configure({ rateLimit: { requests: 1 }, maxConnections: undefined });
  const first = room.take(0, 0);
  expect([first !== undefined, room.take(0, 0), room.readyAt(0, 0) > 0]).toEqual([true, undefined, true]);
  room.configure({ rateLimit: { requests: 2 }, maxConnections: 2 });
  expect([room.take(0, 0) !== undefined, room.take(0, 0)]).toEqual([true, undefined]);
  first!.end(0, undefined);
  expect([room.take(0, 0) !== undefined, room.readyAt(0, 0) > 0]).toEqual([true, true]);
});

test('the token reservation of a process that dies is released, and its usage stays counted', () => {
  const memory = memoryOf(2);
  const [dies, stays] = [0, 1].map((index) => {
    const room = sharedLimits({ memory, index, offsetMs: 0 }).room('a');
    room.configure({ rateLimit: { tokens: 100 }, maxConnections: undefined });
    return room;
  }) as [Room, Room];
  dies.take(0, 30)!.end(0, 30);
  expect(dies.take(0, 70)).toBeDefined();
  expect([stays.take(0, 1), stays.full(0, 1)]).toEqual([undefined, 'rate_limit of 100 tokens a minute']);
  memory.release(0);
  expect([stays.readyAt(0, 71) > 0, stays.take(0, 70) !== undefined]).toEqual([true, true]);
});

/** Processes that share one file and start at the same time. */
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
    // On a busy machine, one of them may have had no turn.
    expect(Math.max(...results.map(({ most }) => most))).toBe(1);
  });

  test('together stay within the rate', async () => {
    const results = await together<{ taken: number; fromMs: number; untilMs: number }>('rate', 4);
    const taken = results.reduce((total, each) => total + each.taken, 0);
    const tookMs =
      Math.max(...results.map(({ untilMs }) => untilMs)) - Math.min(...results.map(({ fromMs }) => fromMs));
    // A minute's worth at once, and 10 per millisecond; their clocks differ by less than 100 ms.
    expect(taken).toBeGreaterThanOrEqual(600_000);
    expect(taken).toBeLessThan(600_000 + 10 * (tookMs + 100));
  });

  test('never reserve more tokens than there are, and together stay within the rate', async () => {
    const results = await together<{ used: number; most: number; fromMs: number; untilMs: number }>(
      'tokens',
      4,
    );
    const used = results.reduce((total, each) => total + each.used, 0);
    const tookMs =
      Math.max(...results.map(({ untilMs }) => untilMs)) - Math.min(...results.map(({ fromMs }) => fromMs));
    // Each call reserves 400,000 of 600,000 tokens, and uses 60,000: never two at a time, and ten in all.
    expect(Math.max(...results.map(({ most }) => most))).toBe(1);
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(600_000 + 10 * (tookMs + 100));
  });
});
