import { describe, expect, test } from 'bun:test';
import type { ProviderSettings, UpstreamReply } from '../../src/providers/base.ts';
import type { ProbePolicy } from '../../src/pipeline/targets/prober.ts';
import type { Fault } from '../../src/faults.ts';
import { ProxyError } from '../../src/errors.ts';
import { HealthProber } from '../../src/pipeline/targets/prober.ts';
import { TargetPool } from '../../src/pipeline/targets/target-pool.ts';
import { FakeClock } from '../helpers/clock.ts';
import { BREAKER, call, failing, refused, Silent, unreachable } from '../properties/targets.ts';

/** A status, a fault to throw, or no answer at all. */
type Answer = number | Fault | 'silence';

/** A provider with a free endpoint that answers as the test specifies. */
class Free extends Silent {
  readonly probed: number[] = [];
  answer: Answer = 200;
  /** Whether a connection can be opened. */
  connects = true;

  constructor(settings: Partial<ProviderSettings>) {
    super({ name: 'free', ...settings });
  }

  override get probes(): boolean {
    return this.settings.probeModel === undefined;
  }

  override reachable(): Promise<boolean> {
    return Promise.resolve(this.connects);
  }

  override async probe(key: number, signal: AbortSignal): Promise<UpstreamReply> {
    this.probed.push(key);
    const { answer } = this;
    if (typeof answer === 'number') return { status: answer, headers: new Headers(), body: null };
    if (answer !== 'silence') throw new ProxyError(answer, 'no');
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    return promise;
  }
}

const INTERVAL = 1_000;
const TIMEOUT = 300;

function probing(policy: Partial<ProbePolicy> = {}, settings: Partial<ProviderSettings> = {}) {
  const clock = new FakeClock();
  const health = { window: 60_000, min_calls: 10, degraded_below: 0.9, unhealthy_below: 0.5 };
  const pool = new TargetPool({ breaker: BREAKER, health }, () => 0.5);
  const provider = new Free(settings);
  const target = pool.target(provider, 'a', 0);
  const asked: string[] = [];
  const prober = new HealthProber(
    { probe: 'recovery', interval: INTERVAL, timeout: TIMEOUT, ...policy },
    {
      clock,
      random: () => 0.5,
      pool,
      ask: async (_, model, key) => void asked.push(`${model} with ${key}`),
    },
  );
  prober.start([provider]);
  const pass = async (ms: number) => {
    clock.advance(ms);
    await Bun.sleep(1);
  };
  /** Lets the next probe run and its result be processed. */
  const round = async () => {
    await pass(INTERVAL);
    if (provider.answer === 'silence') await pass(TIMEOUT);
  };
  const fail = (error: ProxyError) => {
    const nowMs = clock.monotonic();
    target.fail(target.begin(call(), nowMs), error, nowMs, clock.now());
  };
  const answered = () => {
    const nowMs = clock.monotonic();
    target.opened(target.begin(call(), nowMs), nowMs, undefined);
  };
  const waitMs = () => Math.max(0, target.readyAt(call(), clock.monotonic()) - clock.monotonic());
  const held = () => target.held(call(), clock.monotonic()).map(({ scope }) => scope);
  return {
    clock,
    provider,
    state: pool.state(provider),
    target,
    prober,
    asked,
    pass,
    round,
    fail,
    answered,
    waitMs,
    held,
  };
}

const late = new ProxyError('timeout_first_byte', 'silence');

describe('HealthProber', () => {
  test('sends no probe unless something is on cooldown', async () => {
    const { provider, state, round, fail } = probing();
    await round();
    fail(failing);
    await round();
    expect([provider.probed, state.probed, state.health.rate(0).calls]).toEqual([[], 'recovery', 1]);
  });

  test('sends no probe with the setting never', () => {
    const { state, clock } = probing({ probe: 'never' });
    expect([state.probed, state.nextProbeMs, clock.timers]).toEqual(['never', undefined, 0]);
  });

  test.each([late, unreachable])('permits a trial after $fault when a probe is answered', async (error) => {
    const { provider, state, fail, round, waitMs, held } = probing();
    fail(error);
    expect(waitMs()).toBe(2_000);
    await round();
    expect([provider.probed, waitMs(), held().length]).toEqual([[0], 0, 1]);
    // A probe of a provider that is down does not count towards its success rate.
    expect(state.health.rate(0).calls).toBe(1);
  });

  test.each([403, 404, 500, 503])(
    'takes a status of %i as proof that the provider is reachable, and nothing else',
    async (status) => {
      const { state, provider, fail, round, waitMs, held } = probing();
      provider.answer = status;
      fail(late);
      await round();
      expect([waitMs(), held(), state.health.rate(0).calls]).toEqual([0, ['target'], 1]);
    },
  );

  test.each<[Answer, boolean]>([
    ['unreachable', true],
    ['timeout_connect', true],
    ['silence', false],
  ])(
    'delays trials after a probe ends in %s, and opens the provider’s breaker after two (reachable: %p)',
    async (answer, connects) => {
      const { state, provider, fail, round, waitMs, held } = probing();
      provider.answer = answer;
      provider.connects = connects;
      fail(late);
      await round();
      expect([waitMs(), held()]).toEqual([2 * INTERVAL + TIMEOUT, ['target']]);
      await round();
      expect([held(), state.breaker.state(0)]).toEqual([['provider', 'target'], 'open']);
      provider.answer = 200;
      await round();
      expect([waitMs(), held()]).toEqual([0, ['provider', 'target']]);
    },
  );

  test.each<Answer>(['silence', 'network'])(
    'delays trials but opens no breaker for a probe that ends in %s if an earlier one was answered',
    async (answer) => {
      const { provider, fail, round, waitMs, held } = probing({ probe: 'always' });
      await round();
      provider.answer = answer;
      fail(late);
      await round();
      expect(waitMs()).toBe(2 * INTERVAL + TIMEOUT);
      for (let n = 0; n < 4; n += 1) await round();
      expect(held()).toEqual(['target']);
    },
  );

  test.each<[ProxyError, number]>([
    [late, 2_000 - INTERVAL - TIMEOUT],
    [unreachable, 0],
  ])(
    'delays no trial after $fault because of an endpoint that never answered a probe',
    async (error, expected) => {
      const { provider, fail, round, waitMs } = probing();
      provider.answer = 'silence';
      fail(error);
      await round();
      expect(waitMs()).toBe(expected);
    },
  );

  test('opens no breaker for failed probes if the provider has answered a request in between', async () => {
    const { clock, state, provider, round, answered } = probing({ probe: 'always' });
    provider.answer = 'unreachable';
    const found: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      await round();
      found.push(state.breaker.state(clock.monotonic()));
      if (n < 2) answered();
    }
    expect(found).toEqual(['closed', 'closed', 'closed', 'open']);
  });

  test('delays trials for at most half a minute after the last failure', async () => {
    const { clock, provider, fail, round, target } = probing();
    provider.answer = 'unreachable';
    fail(unreachable);
    while (clock.monotonic() < 40_000) await round();
    expect(target.readyAt(call(), 40_000)).toBe(0);
  });

  test('counts only consecutive failed probes', async () => {
    const { provider, fail, round, held } = probing();
    fail(late);
    for (const answer of ['unreachable', 200, 'unreachable', 500, 'unreachable'] as const) {
      provider.answer = answer;
      await round();
    }
    expect(held()).toEqual(['target']);
  });

  test.each<Fault>(['stale_connection', 'internal'])('ignores a probe that ends in %s', async (answer) => {
    const { provider, fail, round, waitMs, held } = probing();
    provider.answer = answer;
    fail(late);
    await round();
    expect(waitMs()).toBe(2_000 - INTERVAL);
    await round();
    expect([waitMs(), held()]).toEqual([0, ['target']]);
  });

  test('probes with the refused keys, and makes those available that are accepted again', async () => {
    const { provider, state, fail, round } = probing({}, { keys: 3 });
    fail(refused);
    fail(refused);
    provider.answer = 401;
    await round();
    expect(provider.probed).toEqual([0, 1]);
    const nowMs = INTERVAL;
    expect(state.keys.map((key) => key.readyAt(nowMs))).toEqual([2_000, 2_000, 0]);
    expect(state.health.rate(nowMs).calls).toBe(4);
    provider.answer = 500;
    await round();
    provider.answer = 200;
    fail(refused);
    await round();
    expect(state.keys.map((key) => key.readyAt(0))).toEqual([0, 0, 0]);
    expect(state.keys.every((key) => key.hold(0))).toBe(true);
  });

  test('probes all the time with the setting always, and counts the results', async () => {
    const { provider, state, round, held } = probing({ probe: 'always' }, { keys: 2 });
    await round();
    await round();
    expect([provider.probed, state.health.rate(0)]).toEqual([[0, 0], { calls: 2, success: 1 }]);
    provider.answer = 'unreachable';
    await round();
    await round();
    expect([held(), state.health.rate(0).calls]).toEqual([['provider'], 4]);
  });

  test('sends a short request if a probe model is configured', async () => {
    const { provider, asked, fail, round, waitMs } = probing({}, { probeModel: 'tiny', keys: 2 });
    fail(unreachable);
    await round();
    expect([asked, provider.probed, waitMs()]).toEqual([['tiny with 0'], [], 0]);
  });

  test('waits for between 3/4 and 5/4 of the interval between probes, and never runs two at once', async () => {
    const { clock, state, provider, fail, pass } = probing();
    expect(state.nextProbeMs).toBe(clock.now() + INTERVAL);
    provider.answer = 'silence';
    fail(unreachable);
    await pass(INTERVAL);
    expect([state.nextProbeMs, provider.probed.length]).toEqual([undefined, 1]);
    await pass(TIMEOUT - 1);
    expect(provider.probed.length).toBe(1);
    await pass(1);
    expect(state.nextProbeMs).toBe(clock.now() + INTERVAL);
  });

  test('ignores results and schedules nothing after it was stopped', async () => {
    const { clock, provider, prober, fail, pass, held, waitMs } = probing();
    provider.answer = 'silence';
    fail(late);
    await pass(INTERVAL);
    prober.stop();
    await pass(TIMEOUT);
    expect(waitMs()).toBe(2_000 - INTERVAL - TIMEOUT);
    await pass(10 * INTERVAL);
    expect([provider.probed.length, held(), clock.timers]).toEqual([1, ['target'], 0]);
  });
});
