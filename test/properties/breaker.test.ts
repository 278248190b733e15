import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { BreakerPolicy, BreakerTicket } from '../../src/pipeline/breaker.ts';
import { Breaker } from '../../src/pipeline/breaker.ts';
import { Model, WINDOW_MS } from './breaker-model.ts';

const policies: fc.Arbitrary<BreakerPolicy> = fc.record({
  failures: fc.integer({ min: 1, max: 6 }),
  failure_rate: fc.constantFrom(0.25, 0.5, 0.75, 1),
  min_calls: fc.integer({ min: 1, max: 8 }),
  window: fc.constant(WINDOW_MS),
  cooldown: fc.constantFrom(0, 500, 1_000),
  max_cooldown: fc.constantFrom(1_000, 3_000, 8_000),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

type Outcome = 'success' | 'failure' | 'neutral' | 'opened';
/** A call begins, ends or opens, or time goes by. `call` counts round and round through those that are out. */
type Step = { forced: boolean } | { ms: number } | { outcome: Outcome; call: number };

const outcomes = fc.constantFrom<Outcome>('success', 'failure', 'failure', 'neutral', 'opened');
const spans = fc.oneof({ arbitrary: fc.nat(1_500), weight: 9 }, fc.nat(20_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ forced: fc.boolean() }), weight: 3 },
  { arbitrary: fc.record({ outcome: outcomes, call: fc.nat(20) }), weight: 4 },
  { arbitrary: fc.record({ ms: spans }), weight: 2 },
);
const steps = fc.array(step, { maxLength: 80, size: 'max' });

/** Does each step to both, and looks whether they still agree. */
function agree(policy: BreakerPolicy, drawn: number, sequence: readonly Step[], startMs: number): void {
  const breaker = new Breaker(policy, () => drawn);
  const model = new Model(policy, drawn);
  const out: { ticket: BreakerTicket; era: number }[] = [];
  let nowMs = startMs;
  for (const next of sequence) {
    if ('ms' in next) nowMs += next.ms;
    else if ('forced' in next) {
      if (next.forced || model.readyAt(nowMs) <= nowMs) begin();
    } else if (out.length > 0) settle(next.outcome, next.call);
    expect([breaker.state, breaker.readyAt(nowMs)]).toEqual([model.name, model.readyAt(nowMs)]);
  }

  function begin(): void {
    model.begin();
    out.push({ ticket: breaker.begin(), era: model.era });
  }

  function settle(outcome: Outcome, call: number): void {
    const [{ ticket, era }] = out.splice(call % out.length, 1) as [(typeof out)[0]];
    const counts = era === model.era;
    if (outcome !== 'opened') {
      if (counts) model[outcome](nowMs);
      breaker[outcome](ticket, nowMs);
      return;
    }
    const trial = counts && model.name === 'half_open';
    if (trial) model.success(nowMs);
    out.push({ ticket: breaker.opened(ticket, nowMs), era: trial ? model.era : era });
  }
}

describe('Breaker', () => {
  test('opens, tries and closes as its model does, whatever happens in whichever order', () => {
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

  test('has never more than one trial out, where nobody is let in by force', () => {
    fc.assert(
      fc.property(policies, random, steps, (policy, drawn, sequence) => {
        const breaker = new Breaker(policy, () => drawn);
        const out: { ticket: BreakerTicket; trial: boolean }[] = [];
        let nowMs = 0;
        for (const next of sequence) {
          if ('ms' in next) nowMs += next.ms;
          else if ('forced' in next) {
            const trial = breaker.state === 'open';
            if (breaker.readyAt(nowMs) <= nowMs) out.push({ ticket: breaker.begin(), trial });
          } else if (out.length > 0) {
            const [{ ticket }] = out.splice(next.call % out.length, 1) as [(typeof out)[0]];
            if (next.outcome !== 'opened') breaker[next.outcome](ticket, nowMs);
            else out.push({ ticket: breaker.opened(ticket, nowMs), trial: false });
          }
          expect(out.filter(({ trial }) => trial).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('stays open longer after each failed trial, and never beyond max_cooldown', () => {
    fc.assert(
      fc.property(policies, random, fc.integer({ min: 1, max: 12 }), (policy, drawn, trials) => {
        const breaker = new Breaker({ ...policy, failures: 1 }, () => drawn);
        let nowMs = 0;
        let lastMs = 0;
        for (let n = 0; n < trials; n += 1) {
          breaker.failure(breaker.begin(), nowMs);
          const readyMs = Math.max(nowMs, breaker.readyAt(nowMs));
          expect(readyMs - nowMs).toBeLessThanOrEqual(policy.max_cooldown + 1e-6);
          expect(readyMs - nowMs).toBeGreaterThanOrEqual(lastMs - 1e-6);
          lastMs = readyMs - nowMs;
          nowMs = readyMs;
        }
      }),
    );
  });
});
