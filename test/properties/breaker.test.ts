import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { BreakerPolicy } from '../../src/pipeline/targets/breaker.ts';
import type { CooldownTicket } from '../../src/pipeline/targets/cooldown.ts';
import type { Place } from './cooldown-model.ts';
import { ProxyError } from '../../src/errors.ts';
import { Breaker } from '../../src/pipeline/targets/breaker.ts';
import { Model, WINDOW_MS } from './breaker-model.ts';

const policies: fc.Arbitrary<BreakerPolicy> = fc.record({
  failures: fc.integer({ min: 1, max: 6 }),
  failure_rate: fc.constantFrom(0.25, 0.5, 0.75, 1),
  min_calls: fc.integer({ min: 1, max: 8 }),
  window: fc.constant(WINDOW_MS),
  cooldown: fc.constantFrom(0, 500, 1_000),
  max_cooldown: fc.constantFrom(1_000, 3_000, 8_000),
  max_retry_after: fc.constant(60_000),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

type Outcome = 'success' | 'failure' | 'neutral' | 'opened';
/**
 * A call begins, ends or opens, a probe or a reload reports, or time passes. `call` is an index, modulo the number of
 * calls.
 */
type Step =
  { forced: boolean } | { ms: number } | { outcome: Outcome; call: number } | { beside: 'open' | 'revive' };

const outcomes = fc.constantFrom<Outcome>('success', 'failure', 'failure', 'neutral', 'opened');
const spans = fc.oneof({ arbitrary: fc.nat(1_500), weight: 9 }, fc.nat(20_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ forced: fc.boolean() }), weight: 6 },
  { arbitrary: fc.record({ outcome: outcomes, call: fc.nat(20) }), weight: 8 },
  { arbitrary: fc.record({ ms: spans }), weight: 4 },
  fc.record({ beside: fc.constantFrom<'open' | 'revive'>('open', 'revive') }),
);
const steps = fc.array(step, { maxLength: 80, size: 'max' });
const failed = new ProxyError('server', 'no');

/** Applies each step to both, and checks that they still agree. */
function agree(policy: BreakerPolicy, drawn: number, sequence: readonly Step[], startMs: number): void {
  const breaker = new Breaker(policy, () => drawn);
  const model = new Model(policy, drawn);
  const out: { ticket: CooldownTicket; place: Place }[] = [];
  let nowMs = startMs;
  for (const next of sequence) {
    if ('ms' in next) nowMs += next.ms;
    else if ('forced' in next) {
      if (next.forced || model.cooldown.readyAt(nowMs, false) <= nowMs)
        out.push({ ticket: breaker.begin(nowMs), place: model.begin(nowMs) });
    } else if ('beside' in next) beside(next.beside);
    else if (out.length > 0) settle(next.outcome, next.call);
    expect([breaker.state(nowMs), breaker.cooldown.readyAt(nowMs)]).toEqual([
      model.state(nowMs),
      model.cooldown.readyAt(nowMs, false),
    ]);
  }

  function beside(what: 'open' | 'revive'): void {
    if (what === 'open') {
      breaker.open(failed, nowMs);
      model.open(nowMs);
    } else {
      breaker.cooldown.revive();
      model.cooldown.revive();
    }
  }

  function settle(outcome: Outcome, call: number): void {
    const [{ ticket, place }] = out.splice(call % out.length, 1) as [(typeof out)[0]];
    if (outcome === 'success') {
      breaker.success(ticket, nowMs);
      model.success(place, nowMs);
    } else if (outcome === 'failure') {
      breaker.failure(ticket, failed, nowMs);
      model.failure(place, nowMs);
    } else if (outcome === 'neutral') {
      breaker.neutral(ticket);
      model.neutral(place);
    } else out.push({ ticket: breaker.opened(ticket, nowMs), place: model.opened(place, nowMs) });
  }
}

describe('Breaker', () => {
  test('opens, lets trials through and closes as its model does, for any sequence of events', () => {
    fc.assert(
      fc.property(policies, random, steps, (policy, drawn, sequence) => {
        agree(policy, drawn, sequence, 2 * WINDOW_MS);
      }),
      { numRuns: 500 },
    );
  });

  test('does the same in the first window of the clock', () => {
    fc.assert(
      fc.property(policies, random, steps, (policy, drawn, sequence) => {
        agree(policy, drawn, sequence, 0);
      }),
      { numRuns: 500 },
    );
  });

  test('stays open longer after each failed trial, and never longer than max_cooldown', () => {
    fc.assert(
      fc.property(policies, random, fc.integer({ min: 1, max: 12 }), (policy, drawn, trials) => {
        const breaker = new Breaker({ ...policy, failures: 1 }, () => drawn);
        let nowMs = 0;
        let lastMs = 0;
        for (let n = 0; n < trials; n += 1) {
          breaker.failure(breaker.begin(nowMs), failed, nowMs);
          const readyMs = Math.max(nowMs, breaker.cooldown.readyAt(nowMs));
          expect(readyMs - nowMs).toBeLessThanOrEqual(policy.max_cooldown + 1e-6);
          expect(readyMs - nowMs).toBeGreaterThanOrEqual(lastMs - 1e-6);
          lastMs = readyMs - nowMs;
          nowMs = readyMs;
        }
      }),
    );
  });
});
