import { describe, expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import { FAULTS } from '../../src/faults.ts';
import { Breaker } from '../../src/pipeline/targets/breaker.ts';
import { HealthWindow } from '../../src/pipeline/targets/health.ts';
import { nextStep } from '../../src/pipeline/attempts/retry.ts';
import { AttemptTimers, limitsOf } from '../../src/pipeline/streams/timers.ts';
import { FakeClock } from '../helpers/clock.ts';

const POLICY = {
  failures: 3,
  failure_rate: 0.5,
  min_calls: 10,
  window: 60_000,
  cooldown: 1_000,
  max_cooldown: 4_000,
  max_retry_after: 60_000,
};
const half = () => 0.5;

describe('Breaker', () => {
  const failed = new ProxyError('server', 'no');
  const fail = (breaker: Breaker, nowMs: number) => breaker.failure(breaker.begin(nowMs), failed, nowMs);
  const succeed = (breaker: Breaker, nowMs: number) => breaker.success(breaker.begin(nowMs), nowMs);
  const opened = () => {
    const breaker = new Breaker(POLICY, half);
    for (let n = 0; n < 3; n += 1) fail(breaker, 0);
    return breaker;
  };

  test('opens after consecutive failures, but not if there is a success among them', () => {
    const breaker = new Breaker(POLICY, half);
    fail(breaker, 0);
    fail(breaker, 0);
    succeed(breaker, 0);
    fail(breaker, 0);
    expect(breaker.state(0)).toBe('closed');
    expect(opened().state(0)).toBe('open');
  });

  test('permits one trial after the cooldown, and closes when it succeeds', () => {
    const breaker = opened();
    expect(breaker.cooldown.readyAt(999)).toBe(1_000);
    expect(breaker.cooldown.readyAt(1_000)).toBe(0);
    const trial = breaker.begin(1_000);
    // Another request can try only after max_cooldown.
    expect([breaker.state(1_000), breaker.cooldown.readyAt(1_000)]).toEqual(['half_open', 5_000]);
    breaker.success(trial, 1_000);
    expect(breaker.state(1_000)).toBe('closed');
  });

  test('doubles the cooldown after each failed trial, up to the maximum', () => {
    const breaker = opened();
    let nowMs = 0;
    const waits = [];
    for (let n = 0; n < 4; n += 1) {
      const readyMs = breaker.cooldown.readyAt(nowMs);
      waits.push(readyMs - nowMs);
      nowMs = readyMs;
      fail(breaker, nowMs);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 4_000]);
  });

  test('opens at the failure rate of its window even without enough consecutive failures', () => {
    const breaker = new Breaker(POLICY, half);
    for (let n = 0; n < 4; n += 1) {
      fail(breaker, n);
      succeed(breaker, n);
    }
    succeed(breaker, 8);
    expect(breaker.state(8)).toBe('closed');
    fail(breaker, 9);
    expect(breaker.state(9)).toBe('open');
  });

  test('ignores failures from before the window', () => {
    const breaker = new Breaker(POLICY, half);
    for (let n = 0; n < 9; n += 1) {
      fail(breaker, n);
      succeed(breaker, n);
      if (n % 2 === 0) succeed(breaker, n);
    }
    fail(breaker, 120_000);
    expect(breaker.state(120_000)).toBe('closed');
  });

  test('closes when the answer to a trial begins, and still counts how it ends', () => {
    const breaker = opened();
    const trial = breaker.opened(breaker.begin(1_000), 1_000);
    expect([breaker.state(1_000), breaker.cooldown.readyAt(1_000)]).toEqual(['closed', 0]);
    breaker.failure(trial, failed, 1_001);
    for (let n = 0; n < 2; n += 1) fail(breaker, 1_002);
    expect(breaker.state(1_002)).toBe('open');
  });

  test('permits another trial immediately if the first one has no outcome', () => {
    const breaker = opened();
    breaker.neutral(breaker.begin(1_000));
    expect(breaker.cooldown.readyAt(1_000)).toBe(0);
  });

  test('ignores a late success of a call that began before the breaker opened', () => {
    const breaker = new Breaker(POLICY, half);
    const late = breaker.begin(0);
    for (let n = 0; n < 3; n += 1) fail(breaker, 0);
    breaker.success(late, 0);
    expect(breaker.state(0)).toBe('open');
  });
});

describe('nextStep()', () => {
  const policy = { maxRetries: 2, baseMs: 500, capMs: 8_000 };
  const step = (error: ProxyError, attemptsHere = 1, othersReadyInMs = Infinity, waitBudgetMs = 10_000) => {
    const failover = error.rule.failover === 'yes';
    const here = { error, attemptsHere, otherKey: false, open: true, spare: true };
    return nextStep({ ...here, failover, othersReadyInMs, waitBudgetMs }, policy, 0.5);
  };

  test('follows the table of faults', () => {
    for (const [fault, rule] of Object.entries(FAULTS)) {
      const { action } = step(new ProxyError(fault as keyof typeof FAULTS, 'x'));
      expect(action).toBe(
        rule.retry === 'never' ? (rule.failover === 'yes' ? 'failover' : 'give_up') : 'retry',
      );
    }
  });

  test('waits for Retry-After only if no other target is ready sooner and the wait budget is large enough', () => {
    const limited = new ProxyError('rate_limited', 'x', { retryAfterMs: 2_000 });
    expect(step(limited)).toEqual({ action: 'retry', delayMs: 2_000 });
    expect(step(limited, 1, 0).action).toBe('failover');
    expect(step(limited, 1, 1_000).action).toBe('failover');
    expect(step(limited, 1, Infinity, 1_999).action).toBe('failover');
    expect(step(limited, 3).action).toBe('failover');
  });

  test('does not retry in a tight loop for a Retry-After of 0', () => {
    const limited = new ProxyError('rate_limited', 'x', { retryAfterMs: 0 });
    expect(step(limited)).toEqual({ action: 'retry', delayMs: 250 });
    expect(step(limited, 2)).toEqual({ action: 'retry', delayMs: 500 });
    expect(step(limited, 3).action).toBe('failover');
  });
});

test('HealthWindow uses the success rate within its window, and forgets older calls', () => {
  const window = new HealthWindow({
    window: 60_000,
    min_calls: 4,
    degraded_below: 0.9,
    unhealthy_below: 0.5,
  });
  const error = { fault: 'server', message: 'no', atMs: 0 } as const;
  window.failure(0, error);
  expect(window.state(0)).toBe('healthy');
  for (let n = 0; n < 3; n += 1) window.success(0, 10 * (n + 1));
  expect([window.state(0), window.latencies.quantile(0.5)]).toEqual(['degraded', 20]);
  for (let n = 0; n < 4; n += 1) window.failure(1_000, error);
  expect(window.state(1_000)).toBe('unhealthy');
  expect(window.state(120_000)).toBe('healthy');
});

describe('AttemptTimers', () => {
  const timers = (stream: boolean, reachable = true) => {
    const clock = new FakeClock();
    const expired: string[] = [];
    const limits = limitsOf(stream, {
      connect: 100,
      first_byte: 200,
      first_content: 400,
      idle: 50,
      total: 1_000,
    });
    const made = new AttemptTimers({
      clock,
      limits,
      target: 'a/b',
      stream,
      share: undefined,
      reachable: () => Promise.resolve(reachable),
      expired: ({ fault }) => void expired.push(fault),
    });
    return { clock, expired, made };
  };

  test('waits for the headers until first_byte', () => {
    const { clock, expired } = timers(false);
    clock.advance(199);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect([expired, clock.timers]).toEqual([['timeout_first_byte'], 0]);
  });

  test('gives up at connect if the provider is unreachable, but not if it is reachable', async () => {
    const away = timers(false, false);
    away.clock.advance(60);
    await Promise.resolve();
    await Promise.resolve();
    expect(away.expired).toEqual(['timeout_connect']);
    const here = timers(false, true);
    here.clock.advance(60);
    await Promise.resolve();
    expect(here.expired).toEqual([]);
    here.made.stop();
  });

  test('counts first_content from the beginning, even if there are other signs of life', () => {
    const { clock, expired, made } = timers(true);
    made.answered(true);
    for (let n = 0; n < 20; n += 1) {
      made.listen();
      clock.advance(20);
      made.heard();
    }
    expect(expired).toEqual(['timeout_first_content']);
  });

  test('counts silence only while someone is reading', () => {
    const { clock, expired, made } = timers(true);
    made.answered(true);
    made.begun();
    clock.advance(300);
    expect(expired).toEqual([]);
    made.listen();
    clock.advance(49);
    made.heard();
    clock.advance(300);
    expect(expired).toEqual([]);
    made.listen();
    clock.advance(50);
    expect(expired).toEqual(['timeout_idle']);
  });

  test('lets signs of life without content extend idle up to first_content, and no further', () => {
    const { clock, expired, made } = timers(true);
    made.answered(true);
    made.begun();
    for (let n = 0; n < 18; n += 1) {
      made.listen();
      clock.advance(20);
      made.heard();
      if (n === 5) made.progressed();
    }
    expect(expired).toEqual([]);
    for (let n = 0; n < 9; n += 1) {
      made.listen();
      clock.advance(20);
      made.heard();
    }
    expect([expired, clock.timers]).toEqual([['timeout_idle'], 0]);
  });

  test('does not count the time in which the client is not reading', () => {
    const { clock, expired, made } = timers(true);
    made.answered(true);
    made.begun();
    made.listen();
    clock.advance(20);
    made.heard();
    clock.advance(500);
    made.listen();
    clock.advance(20);
    made.heard();
    expect(expired).toEqual([]);
  });

  test('expires at total, with no timer left running', () => {
    const { clock, expired, made } = timers(false);
    made.answered(false);
    clock.advance(999);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect([expired, clock.timers]).toEqual([['timeout_total'], 0]);
  });
});
