import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Fault } from '../../src/faults.ts';
import type { Situation } from '../../src/pipeline/attempts/retry.ts';
import { ProxyError } from '../../src/errors.ts';
import { FAULTS } from '../../src/faults.ts';
import { backoff, nextStep } from '../../src/pipeline/attempts/retry.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const span = fc.oneof(fc.constant(0), fc.nat(20_000), fc.double({ min: 0, max: 1e6, noNaN: true }));
const policy = fc.record({ maxRetries: fc.nat(10), baseMs: span, capMs: span });

/** Only a failed provider states a time to wait; our own errors never do. */
const error = fc
  .tuple(fc.constantFrom(...(Object.keys(FAULTS) as Fault[])), fc.option(span, { nil: undefined }))
  .map(([fault, ms]) => {
    const retryAfterMs = FAULTS[fault].retry === 'at_once' ? undefined : ms;
    return new ProxyError(fault, 'no', { retryAfterMs });
  });

const situation: fc.Arbitrary<Situation> = fc.record({
  error,
  attemptsHere: fc.integer({ min: 1, max: 12 }),
  otherKey: fc.boolean(),
  open: fc.boolean(),
  failover: fc.boolean(),
  othersReadyInMs: fc.oneof(span, fc.constant(Infinity)),
  spare: fc.boolean(),
  waitBudgetMs: span,
});

test('backoff() is at least 0, and at most the cap and the base doubled with each retry', () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 50 }), chance, (rule, retry, random) => {
      const ms = backoff(rule, retry, random);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(rule.capMs);
      expect(ms).toBeLessThanOrEqual(rule.baseMs * 2 ** (retry - 1));
    }),
  );
});

describe('nextStep()', () => {
  const promise = (holds: (now: Situation, step: ReturnType<typeof nextStep>) => void) =>
    fc.assert(
      fc.property(situation, policy, chance, (now, rule, random) => holds(now, nextStep(now, rule, random))),
      { numRuns: 500 },
    );

  test('never uses the key that failed before its Retry-After is over', () => {
    promise(({ error: { retryAfterMs }, otherKey }, step) => {
      if (step.action !== 'retry' || otherKey) return;
      expect(step.delayMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
    });
  });

  test('never waits longer than the wait budget', () => {
    promise(({ waitBudgetMs }, step) => {
      if (step.action === 'retry') expect(step.delayMs).toBeLessThanOrEqual(waitBudgetMs);
    });
  });

  test('never waits for a Retry-After while another target is ready sooner', () => {
    promise(({ error: { retryAfterMs }, othersReadyInMs, otherKey }, step) => {
      if (step.action !== 'retry' || otherKey || retryAfterMs === undefined) return;
      expect(step.delayMs).toBeLessThanOrEqual(othersReadyInMs);
    });
  });

  test('retries with the same key only if the rules table allows it', () => {
    promise(({ error: { rule }, otherKey }, step) => {
      if (step.action === 'retry') expect(otherKey || rule.retry !== 'never').toBe(true);
    });
  });

  test('does not retry a target whose breaker the failure has opened, except with another key or a new connection', () => {
    promise(({ error: { rule }, open, otherKey }, step) => {
      if (step.action === 'retry') expect(open || otherKey || rule.retry === 'at_once').toBe(true);
    });
  });

  test('leaves the last attempts to targets that have not been tried', () => {
    promise(({ error: { rule }, spare, failover }, step) => {
      if (!spare && failover && rule.retry !== 'at_once') expect(step.action).toBe('failover');
    });
  });

  test('fails over if the rules table says so, and only then', () => {
    promise(({ failover }, step) => {
      if (step.action !== 'retry') expect(step.action).toBe(failover ? 'failover' : 'give_up');
    });
  });

  test('makes at most maxRetries counted retries, whatever fails in whichever order', () => {
    const failure = situation.map((each) => ({ ...each, otherKey: false, attemptsHere: 0 }));
    const random = fc.array(fc.tuple(failure, chance), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(random, policy, (failures, rule) => {
        let attemptsHere = 0;
        let retries = 0;
        for (const [now, drawn] of failures) {
          const counts = now.error.rule.retry !== 'at_once';
          if (counts) attemptsHere += 1;
          const step = nextStep({ ...now, attemptsHere }, rule, drawn);
          if (step.action !== 'retry') break;
          if (counts) retries += 1;
        }
        expect(retries).toBeLessThanOrEqual(rule.maxRetries);
      }),
    );
  });
});
