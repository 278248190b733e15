/**
 * Tests what docs/scale.md promises about limits that replicas share, with busy processes and a real server during
 * failures.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReplicaSettings } from '../helpers/replica-process.ts';
import { Cable } from '../helpers/cable.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'llmproxy-replicas-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const PROCESS = join(import.meta.dir, '../helpers/replica-process.ts');

const REPLICAS = 4;
let files = 0;

/** A line that a replica wrote. */
interface Line {
  readonly atMs: number;
  readonly id?: number;
  readonly held?: number;
  readonly used?: number;
  readonly asked?: boolean;
  readonly waitedMs?: number;
  readonly refused?: boolean;
  readonly problem?: string;
}

interface Replica {
  kill(): void;
  end(): Promise<void>;
  lines(): Line[];
}

async function replica(
  settings: Partial<ReplicaSettings> & Pick<ReplicaSettings, 'url' | 'limit'>,
): Promise<Replica> {
  const path = join(directory, `${(files += 1)}.ndjson`);
  const all = { skewMs: 0, replicas: REPLICAS, most: 100, tookMs: 20, timeoutMs: 5_000, ...settings };
  const ready = Promise.withResolvers<void>();
  const child = Bun.spawn([process.execPath, PROCESS, JSON.stringify(all), path], {
    ipc: () => ready.resolve(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await ready.promise;
  return {
    kill: () => child.kill('SIGKILL'),
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.send('end');
      await child.exited;
    },
    lines: () =>
      readFileSync(path, 'utf8')
        .split('\n')
        // A killed replica may have left half a line.
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as Line),
  };
}

const several = (settings: Parameters<typeof replica>[0], skewMs = 0): Promise<Replica[]> =>
  Promise.all(
    Array.from({ length: REPLICAS }, (_, index) => replica({ ...settings, skewMs: (index - 1) * skewMs })),
  );

/** The usage according to the replicas; reservations of a killed one may have been used. */
function usedOf(replicas: readonly Replica[], fromMs = 0, untilMs = Infinity): number {
  let used = 0;
  for (const each of replicas) {
    const held = new Map<number, number>();
    for (const line of each.lines()) {
      if (line.held !== undefined) held.set(line.id!, line.held);
      if (line.used === undefined) continue;
      held.delete(line.id!);
      if (line.atMs >= fromMs && line.atMs < untilMs) used += line.used;
    }
    if (fromMs === 0) for (const amount of held.values()) used += amount;
  }
  return used;
}

/** The usage and reservations of all when one of these replicas first wrote such a line. */
function usedBefore(replicas: readonly Replica[], such: (line: Line) => boolean): number {
  const lines = linesOf(replicas).sort((one, other) => one.atMs - other.atMs);
  const first = lines.find(such)?.atMs ?? Infinity;
  return usedOf(replicas, 1, first) || usedOf(replicas);
}

const tokens = (most: number) => ({ tokens: most, per: 'total' });
const problemsOf = (replicas: readonly Replica[]) =>
  linesOf(replicas).flatMap(({ problem }) => problem ?? []);
const linesOf = (replicas: readonly Replica[]) => replicas.flatMap((each) => each.lines());

describe.skipIf(REDIS_SERVER === null)('replicas that share a limit', () => {
  test('use exactly all of it, even if some are killed and others start', async () => {
    await using redis = await TestRedis.start();
    const limit = tokens(60_000);
    const replicas = await several({ url: redis.url, limit });
    await Bun.sleep(400);
    replicas[0]!.kill();
    replicas.push(await replica({ url: redis.url, limit }));
    replicas[1]!.kill();
    replicas.push(await replica({ url: redis.url, limit }));
    // Until nobody is admitted any more, and nothing is reserved for the killed ones.
    await Bun.sleep(12_000);
    await Promise.all(replicas.map((each) => each.end()));
    expect(problemsOf(replicas)).toEqual([]);
    expect(usedOf(replicas)).toBeLessThanOrEqual(60_000);
    expect(usedOf(replicas)).toBeGreaterThan(50_000);
  }, 60_000);

  test('lose nothing when they end one after another: exactly all of it is used', async () => {
    await using redis = await TestRedis.start();
    const limit = tokens(60_000);
    const replicas = await several({ url: redis.url, limit });
    for (const each of replicas.slice()) {
      replicas.push(await replica({ url: redis.url, limit }));
      await each.end();
    }
    await Bun.sleep(4_000);
    await Promise.all(replicas.map((each) => each.end()));
    expect(problemsOf(replicas)).toEqual([]);
    expect(usedOf(replicas)).toBeLessThanOrEqual(60_000);
    // Less is left than the smallest request.
    expect(usedOf(replicas)).toBeGreaterThan(60_000 - 100);
  }, 60_000);

  test('use no more than their parts while the server hangs, and share again when it is back', async () => {
    await using redis = await TestRedis.start();
    const most = 300_000;
    const replicas = await several({ url: redis.url, limit: tokens(most), timeoutMs: 200 }, 45_000);
    await Bun.sleep(1_000);
    const frozenMs = Date.now();
    redis.freeze();
    await Bun.sleep(3_500);
    const thawedMs = Date.now();
    redis.thaw();
    await Bun.sleep(5_000);
    await Promise.all(replicas.map((each) => each.end()));
    // A replica does not know what the others used in the second before the server hung.
    const slack = usedOf(replicas, frozenMs - 1_100, frozenMs + 300) + REPLICAS;
    expect(usedOf(replicas)).toBeLessThanOrEqual(most + slack);
    // Requests were answered in the meantime, and nobody waited more than once.
    const meanwhile = linesOf(replicas).filter(({ atMs }) => atMs > frozenMs + 1_000 && atMs < thawedMs);
    expect(meanwhile.filter(({ held }) => held !== undefined).length).toBeGreaterThan(100);
    expect(meanwhile.filter(({ asked }) => asked).length).toBe(0);
    const problems = replicas.map((each) => each.lines().flatMap(({ problem }) => problem ?? []));
    for (const told of problems) {
      expect(told[0]).toContain('this replica may use 1/4');
      expect(told.at(-1)).toContain('again');
    }
  }, 60_000);

  test('restore what a killed server has lost', async () => {
    await using redis = await TestRedis.start();
    const replicas = await several({ url: redis.url, limit: tokens(200_000), timeoutMs: 200 });
    await Bun.sleep(1_500);
    const killedMs = Date.now();
    await redis.kill();
    await redis.start();
    await Bun.sleep(5_000);
    await Promise.all(replicas.map((each) => each.end()));
    const slack = usedOf(replicas, killedMs - 1_100, killedMs + 300) + REPLICAS;
    expect(usedOf(replicas)).toBeLessThanOrEqual(200_000 + slack);
    expect(usedOf(replicas)).toBeGreaterThan(190_000);
  }, 60_000);

  test('keep a rate in every second by the clock of the server, whatever their own clocks say', async () => {
    await using redis = await TestRedis.start();
    const most = 200;
    const limit = { requests: most, per: 'second' };
    const replicas = await several({ url: redis.url, limit }, 45_000);
    await Bun.sleep(3_500);
    await Promise.all(replicas.map((each) => each.end()));
    expect(problemsOf(replicas)).toEqual([]);
    const times = linesOf(replicas)
      .filter(({ held }) => held !== undefined)
      .map(({ atMs }) => atMs)
      .sort((one, other) => one - other);
    // A line is written a little after its request was counted, more so on a busy machine.
    const within = times.map((atMs, index) => times.findLastIndex((each) => each < atMs + 850) - index + 1);
    expect(Math.max(...within)).toBeLessThanOrEqual(most);
    expect(times.length).toBeGreaterThan(2 * most);
  }, 60_000);

  test('keep a limit on concurrent requests', async () => {
    await using redis = await TestRedis.start();
    const replicas = await several({ url: redis.url, limit: { concurrent: 10 } });
    await Bun.sleep(2_000);
    await Promise.all(replicas.map((each) => each.end()));
    expect(problemsOf(replicas)).toEqual([]);
    const steps = linesOf(replicas)
      .filter(({ held, used }) => held !== undefined || used !== undefined)
      .map(({ atMs, held }) => ({ atMs, change: held === undefined ? -1 : 1 }))
      .sort((one, other) => one.atMs - other.atMs || one.change - other.change);
    let now = 0;
    let most = 0;
    for (const { change } of steps) most = Math.max(most, (now += change));
    expect(most).toBeLessThanOrEqual(10);
    expect(steps.length).toBeGreaterThan(200);
  }, 60_000);

  test('contact the server for few requests while there is capacity', async () => {
    await using redis = await TestRedis.start();
    const replicas = await several({ url: redis.url, limit: tokens(1e9) });
    await Bun.sleep(2_000);
    await Promise.all(replicas.map((each) => each.end()));
    expect(problemsOf(replicas)).toEqual([]);
    const taken = linesOf(replicas).filter(({ held }) => held !== undefined);
    expect(taken.length).toBeGreaterThan(1_000);
    expect(taken.filter(({ asked }) => asked).length / taken.length).toBeLessThan(0.05);
  }, 60_000);

  test('exceed nothing if the server repeatedly answers after the timeout', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    const limit = tokens(150_000);
    const replicas = await several({ url: redis.url, limit });
    replicas.push(await replica({ url: cable.url, limit, timeoutMs: 100 }));
    for (let round = 0; round < 8; round += 1) {
      await Bun.sleep(500);
      cable.cut();
      await Bun.sleep(300);
      cable.mend();
    }
    await Bun.sleep(2_000);
    await Promise.all(replicas.map((each) => each.end()));
    expect(usedOf(replicas)).toBeLessThanOrEqual(150_000);
    expect(usedOf(replicas)).toBeGreaterThan(149_000);
  }, 60_000);

  test('reserve the part of a replica that is cut off, and refuse nobody while there is capacity for both', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    const limit = tokens(400_000);
    const replicas = await several({ url: redis.url, limit, replicas: 5 }, 45_000);
    const cutOff = await replica({ url: cable.url, limit, timeoutMs: 100, replicas: 5, skewMs: 90_000 });
    replicas.push(cutOff);
    await Bun.sleep(1_000);
    cable.cut();
    const cutMs = Date.now();
    await Bun.sleep(7_000);
    const mendedMs = Date.now();
    cable.mend();
    await Bun.sleep(9_000);
    await Promise.all(replicas.map((each) => each.end()));
    // What all used before the cut was noticed is not reserved.
    const slack = usedOf(replicas, cutMs - 1_000, cutMs + 2_000);
    expect(usedOf(replicas)).toBeLessThanOrEqual(400_000 + slack);
    expect(usedOf(replicas)).toBeGreaterThan(399_000);
    // A fifth of what was left is reserved, and replicas hold small shares.
    expect(usedBefore(replicas.slice(0, REPLICAS), ({ refused }) => refused === true)).toBeGreaterThan(
      280_000,
    );
    const alone = cutOff.lines().filter(({ atMs }) => atMs > cutMs + 2_500 && atMs < mendedMs);
    expect(alone.filter(({ held }) => held !== undefined).length).toBeGreaterThan(100);
  }, 60_000);

  test('count earlier usage when the server fails over to a copy that lags behind', async () => {
    await using main = await TestRedis.start();
    await using copy = await TestRedis.start('--replicaof', `127.0.0.1 ${main.port}`);
    using cable = new Cable(main.port);
    const limit = tokens(200_000);
    const replicas = await several({ url: cable.url, limit, timeoutMs: 200 });
    await Bun.sleep(700);
    // From here on, the copy no longer receives writes.
    await copy.send('REPLICAOF', 'NO', 'ONE');
    const lagsMs = Date.now();
    await Bun.sleep(300);
    await main.kill();
    cable.plug(copy.port);
    const overMs = Date.now();
    await Bun.sleep(6_000);
    await Promise.all(replicas.map((each) => each.end()));
    const slack = usedOf(replicas, lagsMs - 1_100, overMs + 300) + REPLICAS;
    expect(usedOf(replicas)).toBeLessThanOrEqual(200_000 + slack);
    expect(usedOf(replicas)).toBeGreaterThan(199_000);
  }, 60_000);
});
