/**
 * Replicas under load, with a real server: a rolling restart must lose nothing, and limits must hold during
 * faults.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { Cable } from '../helpers/cable.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 120_000);
afterAll(cleared);

const KEY = 'sk-a-key-for-tests';
const headers = { authorization: `Bearer ${KEY}` };
/** The usage of each answer of the provider, and its cost in USD. */
const TOKENS = 15;
const USD = 15e-5;

type Limits = NonNullable<NonNullable<ConfigInput['groups']>[string]['limits']>;

/** @param timeout long enough for a busy machine, if the server is always available */
const configOf = (provider: string, redis: string, limits: Limits, timeout = '5s'): ConfigInput => ({
  providers: [
    {
      name: 'up',
      type: 'openai-compatible',
      base_url: `${provider}/v1`,
      models: [{ name: 'm', price: { input: 10, output: 10 } }],
    },
  ],
  groups: { team: { limits } },
  auth: { keys: [{ name: 'ann', key: KEY, group: 'team', ops: true }] },
  state: { redis, redis_timeout: timeout, replicas: 3 },
  server: { drain_timeout: '10s' },
});

/**
 * A load balancer: it tries another replica if one does not accept connections, and stops using one that
 * reports its shutdown.
 */
class Balancer {
  readonly replicas = new Set<Serving>();
  readonly statuses = new Map<number, number>();
  readonly lost: string[] = [];
  /** When answers other than 200 arrived. */
  readonly refusedMs: number[] = [];
  #turn = 0;
  #ends = false;
  #clients: Promise<unknown> = Promise.resolve();

  start(clients: number): void {
    this.#clients = Promise.all(Array.from({ length: clients }, () => this.#client()));
  }

  async stop(): Promise<void> {
    this.#ends = true;
    await this.#clients;
  }

  count(status: number): number {
    return this.statuses.get(status) ?? 0;
  }

  async #client(): Promise<void> {
    while (!this.#ends) {
      const status = await this.#ask();
      if (status === undefined) continue;
      this.statuses.set(status, this.count(status) + 1);
      if (status === 200) continue;
      this.refusedMs.push(Date.now());
      await Bun.sleep(20);
    }
  }

  async #ask(): Promise<number | undefined> {
    const replicas = [...this.replicas];
    const body = JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
    for (let tries = 0; tries < replicas.length; tries += 1) {
      const replica = replicas[(this.#turn += 1) % replicas.length]!;
      const { url } = replica;
      try {
        const answer = await fetch(`${url}/v1/chat/completions`, {
          method: 'POST',
          headers,
          body,
          // An idle connection may be closed while a request is being sent, and clients then retry.
          keepalive: false,
        });
        const text = await answer.text();
        if (!text.includes('shutting_down')) return answer.status;
        this.replicas.delete(replica);
      } catch (thrown) {
        const { code } = thrown as { code?: string };
        if (code === 'ECONNREFUSED' || code === 'ConnectionRefused') continue;
        this.lost.push(code ?? String(thrown));
        return undefined;
      }
    }
    await Bun.sleep(10);
    return undefined;
  }
}

interface Own {
  limits: { kind: string; used: number; reserved: number }[];
}

async function usedOf({ url }: Serving, kind: string): Promise<number> {
  const own = (await (await fetch(`${url}/v1/key`, { headers })).json()) as Own;
  return own.limits.find((each) => each.kind === kind)!.used;
}

const slow = () =>
  upstream(async () => {
    await Bun.sleep(20 + Math.random() * 60);
    return completion('hello');
  });

// Takes more than a minute, so only `make check-scale` runs it.
describe.skipIf(REDIS_SERVER === null || process.env.LLMPROXY_TEST_SCALE !== '1')(
  'replicas under load',
  () => {
    test('lose no request and no spending in a rolling restart', async () => {
      await using redis = await TestRedis.start();
      await using provider = slow();
      const config = configOf(provider.url, redis.url, [
        { tokens: 1_000_000, per: 'total' },
        { budget: 100, per: 'total' },
      ]);
      const balancer = new Balancer();
      for (const each of await Promise.all([serveConfig(config), serveConfig(config)]))
        balancer.replicas.add(each);
      balancer.start(16);
      const before = [...balancer.replicas];
      for (const old of before) {
        await Bun.sleep(1_500);
        balancer.replicas.add(await serveConfig(config));
        old.process.kill('SIGTERM');
        expect(await old.process.exited).toBe(0);
        balancer.replicas.delete(old);
      }
      await Bun.sleep(1_000);
      await balancer.stop();
      expect(balancer.lost).toEqual([]);
      expect([...balancer.statuses.keys()]).toEqual([200]);
      expect(balancer.count(200)).toBe(provider.asked.length);
      expect(provider.asked.length).toBeGreaterThan(300);
      const [last] = balancer.replicas;
      await until(
        'all is counted',
        async () => (await usedOf(last!, 'tokens')) === provider.asked.length * TOKENS,
      );
      expect(await usedOf(last!, 'budget')).toBeCloseTo(provider.asked.length * USD, 9);
    }, 60_000);

    test('use up a limit together, and refuse nothing before', async () => {
      await using redis = await TestRedis.start();
      await using provider = slow();
      const config = configOf(provider.url, redis.url, [{ requests: 1_500, per: 'total' }]);
      const balancer = new Balancer();
      for (let n = 0; n < 3; n += 1) balancer.replicas.add(await serveConfig(config));
      balancer.start(24);
      await until('a refused request', () => balancer.refusedMs.length, { atLeast: 1 });
      // The rest is what other replicas hold, and what is in flight.
      expect(provider.asked.length).toBeGreaterThan(1_500 * 0.9);
      await Bun.sleep(2_500);
      await balancer.stop();
      expect(provider.asked.length).toBe(1_500);
      expect(balancer.count(200)).toBe(1_500);
      expect(balancer.lost).toEqual([]);
    }, 90_000);

    test.each([1, 2, 3])(
      'let no more through than is stated, whatever goes wrong (%d)',
      async (seed) => {
        await using redis = await TestRedis.start();
        await using provider = slow();
        const most = 2_500;
        using disposing = new DisposableStack();
        const cables = Array.from({ length: 3 }, () => disposing.use(new Cable(redis.port)));
        const limits: Limits = [{ requests: most, per: 'total' }];
        const balancer = new Balancer();
        const serve = (at: number) => serveConfig(configOf(provider.url, cables[at]!.url, limits, '200ms'));
        const places = await Promise.all([serve(0), serve(1), serve(2)]);
        for (const each of places) balancer.replicas.add(each);
        balancer.start(24);
        let state = seed;
        const chance = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
        let killed = 0;
        let unnoticed = 0;
        for (let step = 0; step < 4; step += 1) {
          await Bun.sleep(1_000 + chance(500));
          const at = chance(3);
          const what = (step + seed) % 4;
          if (what === 0) {
            const gone = places[at]!;
            balancer.replicas.delete(gone);
            gone.process.kill('SIGKILL');
            await gone.process.exited;
            killed += 1;
            places[at] = await serve(at);
            balancer.replicas.add(places[at]);
          } else if (what === 1) {
            const cutMs = 1_000 + chance(3_000);
            const part = Math.ceil((most - provider.asked.length) / 3);
            cables[at]!.cut();
            await Bun.sleep(Math.min(cutMs, 2_000));
            // What others use before they notice is not set apart.
            unnoticed += Math.max(0, part - (most - provider.asked.length));
            await Bun.sleep(Math.max(0, cutMs - 2_000));
            cables[at]!.mend();
          } else if (what === 2) {
            redis.freeze();
            await Bun.sleep(500 + chance(2_500));
            redis.thaw();
          } else {
            for (const cable of cables) cable.cut();
            await Bun.sleep(chance(400));
            for (const cable of cables) cable.mend();
          }
        }
        // What a killed replica held is lost: its share, and its requests in flight. What was set apart for it becomes
        // available after a while.
        const least = most - 3 - killed * (0.05 * most + 24);
        await until('the rest to be used', () => provider.asked.length, { atLeast: least, withinMs: 60_000 });
        // Waits until no request is admitted: all replicas are connected again.
        let before = -1;
        await until(
          'it is used up',
          async () => {
            const now = provider.asked.length;
            await Bun.sleep(3_000);
            const isOver = now === before && now === provider.asked.length;
            before = provider.asked.length;
            return isOver;
          },
          { withinMs: 60_000 },
        );
        await balancer.stop();
        // N units if all replicas were disconnected at once.
        expect(provider.asked.length).toBeLessThanOrEqual(most + 3 + unnoticed);
        expect(killed).toBe(1);
      },
      150_000,
    );
  },
);
