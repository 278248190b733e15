import { describe, expect, test } from 'bun:test';
import type { Fault } from '../../src/faults.ts';
import type { Target, Ticket } from '../../src/pipeline/targets/target.ts';
import { ProxyError } from '../../src/errors.ts';
import { FAULTS } from '../../src/faults.ts';
import {
  BREAKER,
  call,
  failing,
  forbidden,
  lacking,
  limited,
  refused,
  reload,
  targets,
  unreachable,
} from '../properties/targets.ts';

const upstream = { status: 500, headers: new Headers(), body: '', verbatim: false, message: '' };
const fail = (target: Target, error: ProxyError, nowMs = 0, endpoint = 'chat', request = '') =>
  target.fail(target.begin(call(endpoint, request), nowMs), error, nowMs, nowMs);
const scopes = (target: Target, nowMs = 0) => target.held(call(), nowMs).map(({ scope }) => scope);

describe('Target.fail()', () => {
  const faults = Object.entries(FAULTS) as [Fault, (typeof FAULTS)[Fault]][];

  test.each(faults)(
    'puts nothing larger on cooldown than what %s blames',
    (fault, { blames, health, cooldownMs }) => {
      for (const told of [undefined, upstream]) {
        const [target, other] = targets().models;
        fail(target, new ProxyError(fault, 'no', { upstream: told }));
        const held = health !== 'none' && health !== 'suspect';
        expect<string[]>(scopes(target)).toEqual(held ? [blames] : []);
        expect(target.readyAt(call(), 0)).toBe(held ? cooldownMs || 2_000 : 0);
        // A cooldown of the provider or of a refused key applies to all models.
        const shared = held && (blames === 'provider' || (blames === 'key' && health === 'down'));
        expect(scopes(other).length > 0).toBe(shared);
        expect(target.readyAt(call('embeddings'), 0) > 0).toBe(held && blames !== 'endpoint');
      }
    },
  );

  test.each(faults)(
    'counts %s as a failure only if the fault concerns the health of what it blames',
    (fault, { blames, health }) => {
      const { state, models } = targets();
      fail(models[0], new ProxyError(fault, 'no', { upstream }), 0);
      const bad = (health === 'failure' || health === 'down') && blames !== 'endpoint';
      expect([state.health.rate(0).calls, models[0].health.rate(0).calls]).toEqual(bad ? [1, 1] : [0, 0]);
      expect(state.health.lastError?.fault).toBe(bad ? fault : undefined);
    },
  );

  test('puts an endpoint on cooldown after it refuses three different requests in a row', () => {
    const [target] = targets().models;
    const refuse = (request: string) => fail(target, forbidden, 0, 'chat', request);
    ['one', 'two', 'two'].forEach(refuse);
    target.succeed(target.begin(call(), 0), 0, 1);
    ['one', 'two'].forEach(refuse);
    expect(scopes(target)).toEqual([]);
    refuse('three');
    expect(scopes(target)).toEqual(['endpoint']);
  });

  test('takes an error response as proof that the provider is reachable', () => {
    const { models } = targets();
    const [target] = models;
    fail(target, unreachable);
    expect(scopes(models[1])).toEqual(['provider']);
    fail(target, failing, 2_000);
    expect([scopes(target, 2_000), scopes(models[1], 2_000)]).toEqual([['target'], []]);
  });

  test('releases the trials of scopes that it does not blame, so that the next request can try them', () => {
    const { state, models } = targets();
    const [target] = models;
    fail(target, failing);
    const trial = target.begin(call(), 2_000);
    expect(target.breaker.state(2_000)).toBe('half_open');
    target.fail(trial, limited(1_000), 2_000, 0);
    expect([target.breaker.state(2_000), target.readyAt(call(), 2_000)]).toEqual(['open', 3_000]);
    const second = target.begin(call(), 3_000);
    target.fail(second, refused, 3_000, 0);
    expect([target.breaker.state(3_000), target.readyAt(call(), 3_000)]).toEqual(['open', 5_000]);
    const third = target.begin(call(), 5_000);
    expect(state.keys[0]!.trying(5_000)).toBe(true);
    target.fail(third, lacking, 5_000, 0);
    expect([state.keys[0]!.trying(5_000), target.breaker.state(5_000)]).toEqual([false, 'open']);
    const fourth = target.begin(call(), 10_000);
    target.abandon(fourth, 10_000);
    expect(target.readyAt(call(), 10_000)).toBe(0);
    const last = target.begin(call(), 10_000);
    target.opened(last, 10_000, undefined);
    expect(scopes(target, 10_000)).toEqual([]);
  });

  test('releases the trial of an unreachable provider if it ends without a verdict, as abandon() does', () => {
    const { state, models } = targets();
    const [target] = models;
    fail(target, unreachable);
    const ends: ((ticket: Ticket) => void)[] = [
      (ticket) => target.abandon(ticket, 2_000),
      (ticket) => target.fail(ticket, new ProxyError('timeout_first_byte', 'silence'), 2_000, 0),
    ];
    for (const end of ends) {
      const trial = target.begin(call(), 2_000);
      expect(state.breaker.state(2_000)).toBe('half_open');
      end(trial);
      expect(state.breaker.state(2_000)).toBe('open');
    }
    target.opened(target.begin(call(), 4_000), 4_000, 10);
    expect([scopes(target, 4_000), scopes(models[1], 4_000)]).toEqual([[], []]);
  });

  test('and the other ends of a ticket have an effect only once', () => {
    const { state, models } = targets();
    const ticket = models[0].begin(call(), 0);
    models[0].abandon(ticket, 0);
    models[0].fail(ticket, failing, 0, 0);
    models[0].succeed(ticket, 0, 1);
    models[0].abandon(ticket, 0);
    expect([state.inFlight, models[0].readyAt(call(), 0), models[0].health.rate(0).calls]).toEqual([0, 0, 0]);
  });
});

test('a new configuration ends all cooldowns, and permits immediate trials of what is open', () => {
  const all = targets(2);
  const [target, other] = all.models;
  const errors = [unreachable, refused, failing, lacking, limited(30_000)];
  const late = errors.map((error) => ({ error, ticket: target.begin(call(), 0) }));
  for (const { error, ticket } of late) target.fail(ticket, error, 0, 0);
  expect([target.readyAt(call(), 0), other.readyAt(call(), 0)]).toEqual([5_000, 2_000]);
  reload(all, 2);
  expect([target.readyAt(call(), 0), other.readyAt(call(), 0)]).toEqual([0, 0]);
  expect(scopes(target)).toEqual(['provider', 'target']);
  const trial = target.begin(call(), 0);
  expect(target.readyAt(call(), 0)).toBe(10_000);
  target.succeed(trial, 0, 1);
  expect([scopes(target), target.holds(0)]).toEqual([[], []]);
});

test('a new configuration’s policy applies to targets that remain', () => {
  const { pool, provider, models } = targets();
  const [target] = models;
  for (let n = 0; n < 4; n += 1) target.succeed(target.begin(call(), 0), 0, 1);
  const breaker = { ...BREAKER, failures: 3, cooldown: 7_000 };
  const health = { window: 1_000, min_calls: 1, degraded_below: 0.9, unhealthy_below: 0.5 };
  pool.adopt({ breaker, health }, [provider], () => true);
  expect(target.health.rate(0).calls).toBe(0);
  for (let n = 0; n < 3; n += 1) {
    expect(target.readyAt(call(), 0)).toBe(0);
    target.fail(target.begin(call(), 0), failing, 0, 0);
  }
  expect(target.readyAt(call(), 0)).toBe(7_000);
  expect(target.health.state(0)).toBe('unhealthy');
});

describe('Target.held()', () => {
  test('names the largest scope first, and holds() omits the shared ones', () => {
    const [target] = targets().models;
    const late = [unreachable, refused, failing, lacking].map((error) => ({
      error,
      ticket: target.begin(call(), 0),
    }));
    for (const { error, ticket } of late) target.fail(ticket, error, 0, 0);
    // The other answers prove that it is reachable, but those attempts began before it was unreachable.
    expect(scopes(target)).toEqual(['provider', 'key', 'target', 'endpoint']);
    expect(target.holds(0).map(({ scope }) => scope)).toEqual(['target', 'endpoint']);
    expect(target.held(call('embeddings'), 0).map(({ scope }) => scope)).toEqual([
      'provider',
      'key',
      'target',
    ]);
  });

  test('names no key while one of them is available', () => {
    const [target] = targets(2).models;
    fail(target, limited(5_000));
    expect([scopes(target), target.holds(0).length]).toEqual([[], 1]);
    fail(target, limited(4_000));
    expect(target.held(call(), 0).map(({ key }) => key)).toEqual([0, 1]);
  });

  test('names keys whose cooldown ends by itself before those that need a trial', () => {
    const [target] = targets(3).models;
    fail(target, refused);
    fail(target, refused);
    fail(target, limited(4_000));
    expect(target.held(call(), 0).map(({ key, hold }) => [key, hold.error.fault])).toEqual([
      [2, 'rate_limited'],
    ]);
  });

  test('names keys with a running trial before those whose trial is not due', () => {
    const [target] = targets(2).models;
    fail(target, refused, 0);
    fail(target, refused, 1_500);
    // A trial as a last resort, before it is due.
    target.begin(call(), 1_600);
    expect(target.held(call(), 1_600).map(({ key, trying }) => [key, trying])).toEqual([[0, true]]);
  });
});

describe('Target.lastResortAt()', () => {
  test('is as late as the strictest of the cooldowns permits', () => {
    const { state, models } = targets();
    const [target] = models;
    fail(target, failing, 0);
    expect(target.lastResortAt(call(), 0, false)).toBe(0);
    expect(target.lastResortAt(call(), 0, true)).toBe(1_000);
    fail(target, limited(5_000), 500);
    expect([false, true].map((alone) => target.lastResortAt(call(), 500, alone))).toEqual([5_500, 5_500]);
    const [lacks, free] = targets().models;
    fail(lacks, lacking, 700);
    expect(lacks.lastResortAt(call(), 700, true)).toBe(1_700);
    expect([lacks.lastResortAt(call('embeddings'), 700, true), free.lastResortAt(call(), 700, true)]).toEqual(
      [0, 0],
    );
    fail(target, unreachable, 6_000);
    expect(models[1].lastResortAt(call(), 6_000, true)).toBe(7_000);
    state.configure({ keys: 1, rateLimit: undefined, maxConnections: 1 });
    expect(models[1].reserve(call(), 6_000)).toBeDefined();
    // The provider’s own limits still apply.
    expect(models[1].lastResortAt(call(), 8_000, false)).toBeGreaterThan(8_000);
    expect(models[1].readyAt(call(), 8_000)).toBeGreaterThan(8_000);
  });
});

test('patienceMs() is three times the p95 latency of enough answers, but at least ten seconds', () => {
  const [target, slow] = targets().models;
  for (let n = 0; n < 19; n += 1) target.opened(target.begin(call(), 0), 0, 100);
  expect(target.patienceMs(true)).toBeUndefined();
  target.opened(target.begin(call(), 0), 0, 100);
  expect([target.patienceMs(true), target.patienceMs(false)]).toEqual([10_000, undefined]);
  for (let n = 0; n < 20; n += 1) slow.succeed(slow.begin(call(), 0), 0, 5_000);
  expect([slow.patienceMs(false), slow.patienceMs(true)]).toEqual([15_000, undefined]);
});
