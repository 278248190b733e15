/** Which cooldowns the failures of one caller cause, and for whom. */
import { expect, test } from 'bun:test';
import type { Target } from '../../src/pipeline/targets/target.ts';
import type { ProxyError } from '../../src/errors.ts';
import { call, failing, forbidden, targets } from '../properties/targets.ts';

const by = (caller: string | null, fingerprint = '') => ({ ...call('chat', fingerprint), caller });
const begin = (target: Target, caller: string | null, nowMs: number) => target.begin(by(caller), nowMs);
const fail = (target: Target, caller: string | null, nowMs = 0, error: ProxyError = failing, text = '') =>
  target.fail(target.begin(by(caller, text), nowMs), error, nowMs, nowMs);
const succeed = (target: Target, caller: string | null, nowMs = 0) =>
  target.succeed(begin(target, caller, nowMs), nowMs, 1);
/** The callers that the target serves at this time. */
const served = (target: Target, nowMs = 0) =>
  ['mallory', 'bob', null].filter((caller) => target.readyAt(by(caller), nowMs) <= nowMs);

test('a breaker opens only for the caller whose calls fail, even if other callers have no failures', () => {
  const [target] = targets().models;
  fail(target, 'mallory');
  expect(served(target)).toEqual(['bob', null]);
  expect([target.held(by('bob'), 0), target.held(by('mallory'), 0).length]).toEqual([[], 1]);
  succeed(target, 'bob', 1_000);
  expect(served(target, 1_000)).toEqual(['bob', null]);
});

test('a trial after failures of one caller is a call of that caller, and its failure blocks no others', () => {
  const [target] = targets().models;
  fail(target, 'mallory');
  const beside = begin(target, 'bob', 2_000);
  const trial = begin(target, 'mallory', 2_000);
  expect([trial.target.trial, beside.target.trial, served(target, 2_000)]).toEqual([
    true,
    false,
    ['bob', null],
  ]);
  target.fail(trial, failing, 2_000, 2_000);
  expect([served(target, 2_000), target.readyAt(by('mallory'), 2_000)]).toEqual([['bob', null], 6_000]);
  target.succeed(begin(target, 'mallory', 6_000), 6_000, 1);
  expect(served(target, 6_000)).toEqual(['mallory', 'bob', null]);
});

test('the breaker opens for all callers if a call of another one fails too, even one from before a trial', () => {
  const [target] = targets().models;
  fail(target, 'mallory');
  const slow = begin(target, 'bob', 1_000);
  fail(target, 'mallory', 2_000);
  target.fail(slow, failing, 3_000, 3_000);
  expect(served(target, 3_000)).toEqual([]);
  expect(begin(target, 'bob', 6_000).target.trial).toBe(true);
});

test('the failures of calls without a key count for all callers', () => {
  const [target] = targets().models;
  fail(target, null);
  expect(served(target)).toEqual([]);
});

test('after an answered trial, the next failure of the same caller reopens the breaker for that caller only', () => {
  const { models } = targets(1, {});
  const [target] = models;
  fail(target, 'mallory');
  target.opened(begin(target, 'mallory', 2_000), 2_000, undefined);
  succeed(target, 'bob', 2_100);
  fail(target, 'mallory', 2_200);
  expect(target.readyAt(by('mallory'), 2_200)).toBe(6_200);
  expect(served(target, 2_200)).toEqual(['bob', null]);
});

test('an endpoint is on cooldown only for the caller that it refuses, until it refuses another one as often', () => {
  const [target] = targets().models;
  for (const text of ['one', 'two', 'three']) fail(target, 'mallory', 0, forbidden, text);
  expect(served(target)).toEqual(['bob', null]);
  fail(target, 'bob', 100, forbidden, 'one');
  expect(served(target, 100)).toEqual(['bob', null]);
  for (const text of ['two', 'three']) fail(target, 'bob', 100, forbidden, text);
  expect(served(target, 100)).toEqual([]);
});

test('the failures of one caller make a provider degraded, and those of two callers unhealthy', () => {
  const { state, models } = targets();
  for (let n = 0; n < 20; n += 1) fail(models[0], 'mallory', n);
  expect(state.health.state(20)).toBe('degraded');
  fail(models[1], 'bob', 20);
  expect(state.health.state(20)).toBe('unhealthy');
  succeed(models[1], 'bob', 21);
  expect(state.health.state(21)).toBe('degraded');
  // An old failure of another caller does not count.
  fail(models[1], 'bob', 22);
  for (let n = 0; n < 20; n += 1) fail(models[0], 'mallory', 60_100 + n);
  expect(state.health.state(60_130)).toBe('degraded');
});
