import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Ticket } from '../../src/pipeline/targets/target.ts';
import type { Place } from './cooldown-model.ts';
import { CooldownModel } from './cooldown-model.ts';
import { BREAKER, call, limited, refused, reload, targets } from './targets.ts';

/** The state of a key as documented: a refusal is for all models, a limit for one. */
class KeyModel {
  readonly refusal = new CooldownModel(BREAKER, 0.5);
  readonly limits = [new CooldownModel(BREAKER, 0.5), new CooldownModel(BREAKER, 0.5)] as const;

  readyAt(model: number, nowMs: number, again = false): number {
    return Math.max(this.refusal.readyAt(nowMs, false), this.limits[model]!.readyAt(nowMs, again));
  }

  lastResortAt(model: number, nowMs: number, alone: boolean): number {
    return Math.max(this.refusal.lastResortAt(nowMs, alone), this.limits[model]!.lastResortAt(nowMs, alone));
  }
}

type End = 'answered' | 'refused' | 'limited' | 'abandoned';
/** A call begins or ends, a probe is answered, or time passes. Numbers are indexes, modulo the number of items. */
type Step =
  | { begin: number; forced: boolean }
  | { end: End; call: number; retryAfterMs: number | undefined }
  | { revive: number }
  | { ms: number };

const retryAfterMs = fc.option(fc.oneof(fc.nat(30_000), fc.constant(120_000)), { nil: undefined });
const ends = fc.constantFrom<End>('answered', 'refused', 'limited', 'abandoned');
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ begin: fc.nat(1), forced: fc.boolean() }), weight: 4 },
  { arbitrary: fc.record({ end: ends, call: fc.nat(20), retryAfterMs }), weight: 4 },
  fc.record({ revive: fc.nat(3) }),
  fc.record({ ms: fc.oneof(fc.nat(3_000), fc.nat(90_000)) }),
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });

interface Out {
  readonly model: number;
  readonly ticket: Ticket;
  readonly refusal: Place;
  readonly limit: Place;
}

/** Applies each step to a target's keys and to their models, and checks that they still agree. */
function agree(count: number, sequence: readonly Step[]): void {
  const { state, models } = targets(count);
  const keys = Array.from({ length: count }, () => new KeyModel());
  const out: Out[] = [];
  let turn = 0;
  let nowMs = 0;
  for (const next of sequence) {
    if ('ms' in next) nowMs += next.ms;
    else if ('revive' in next) {
      state.keys[next.revive % count]!.revive();
      keys[next.revive % count]!.refusal.revive();
    } else if ('begin' in next) begin(next.begin, next.forced);
    else if (out.length > 0) end(next);
    for (const [model, target] of models.entries()) compare(model, target);
    expect(state.inFlight).toBe(out.length);
  }
  for (const { model, ticket } of out) models[model]!.abandon(ticket, nowMs);
  expect(state.inFlight).toBe(0);

  function compare(model: number, target: (typeof models)[0]): void {
    for (const flag of [false, true]) {
      const readyMs = Math.min(...keys.map((key) => key.readyAt(model, nowMs, flag)));
      expect(target.readyAt(call(), nowMs, flag)).toBe(readyMs);
      const lastMs = Math.min(...keys.map((key) => key.lastResortAt(model, nowMs, flag)));
      expect(target.lastResortAt(call(), nowMs, flag)).toBe(
        flag ? Math.max(lastMs, pausedMs(model)) : lastMs,
      );
    }
  }

  /** If no key is ready, a second must have passed since the last refusal. */
  function pausedMs(model: number): number {
    if (keys.some((key) => key.readyAt(model, nowMs) <= nowMs)) return 0;
    const refusedMs = keys.map(({ refusal }) => refusal.held(nowMs)?.imposedMs ?? -Infinity);
    const untilMs = Math.max(...refusedMs) + 1_000;
    return untilMs > nowMs ? untilMs : 0;
  }

  /**
   * The next key in turn that is ready, or is only on a cooldown of our own, or may be asked as a last resort, or is
   * ready first.
   */
  function chosen(model: number): number {
    const turns = keys.map((_, n) => (turn + n) % count);
    const ready = (again: boolean) => turns.filter((key) => keys[key]!.readyAt(model, nowMs, again) <= nowMs);
    const lastResort = (alone: boolean) =>
      turns.filter((key) => keys[key]!.lastResortAt(model, nowMs, alone) <= nowMs);
    const soonest = Math.min(...keys.map((key) => key.readyAt(model, nowMs)));
    return [
      ...ready(false),
      ...ready(true),
      ...lastResort(true),
      ...lastResort(false),
      ...turns.filter((key) => keys[key]!.readyAt(model, nowMs) === soonest),
    ][0]!;
  }

  function begin(model: number, forced: boolean): void {
    if (!forced && keys.every((key) => key.readyAt(model, nowMs) > nowMs)) return;
    const key = chosen(model);
    const ticket = models[model]!.begin(call(), nowMs);
    expect(ticket.key.key).toBe(key);
    turn = (key + 1) % count;
    const { refusal, limits } = keys[key]!;
    out.push({ model, ticket, refusal: refusal.begin(nowMs), limit: limits[model]!.begin(nowMs) });
  }

  function end(how: Extract<Step, { end: End }>): void {
    const [ended] = out.splice(how.call % out.length, 1) as [Out];
    const { model, ticket } = ended;
    const [target, { refusal, limits }] = [models[model]!, keys[ticket.key.key]!];
    const limit = limits[model]!;
    if (how.end === 'answered') {
      refusal.succeed(ended.refusal);
      limit.succeed(ended.limit);
      target.succeed(ticket, nowMs, 1);
    } else if (how.end === 'refused') {
      refusal.trip(ended.refusal, 0, nowMs);
      limit.release(ended.limit);
      target.fail(ticket, refused, nowMs, 0);
    } else if (how.end === 'limited') {
      refusal.release(ended.refusal);
      limit.pause(how.retryAfterMs, 5_000, nowMs);
      // With nothing to wait for, the call still gives up its place.
      if (how.retryAfterMs === 0) limit.release(ended.limit);
      target.fail(ticket, limited(how.retryAfterMs), nowMs, 0);
    } else {
      refusal.release(ended.refusal);
      limit.release(ended.limit);
      target.abandon(ticket, nowMs);
    }
    // A call that is settled twice is counted once.
    target.succeed(ticket, nowMs, 1);
  }
}

describe('TargetKeys', () => {
  test('uses a key that is ready, or else the one that will be ready first, and loses no call', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), steps, agree), { numRuns: 500 });
  });

  test('uses only the keys of the new configuration, whatever the outcome of calls with earlier keys', () => {
    const count = fc.integer({ min: 1, max: 4 });
    const ends = fc.constantFrom(refused, limited(30_000), undefined);
    fc.assert(
      fc.property(count, count, fc.array(ends, { minLength: 1, maxLength: 8 }), (before, after, outcomes) => {
        const all = targets(before);
        const [target] = all.models;
        // A key that was on cooldown is available again.
        target.fail(target.begin(call(), 0), refused, 0, 0);
        target.fail(target.begin(call(), 0), limited(30_000), 0, 0);
        const tickets = outcomes.map(() => target.begin(call(), 0));
        reload(all, after);
        expect([target.readyAt(call(), 0), target.held(call(), 0), target.holds(0)]).toEqual([0, [], []]);
        for (const [n, ticket] of tickets.entries()) {
          const error = outcomes[n];
          if (error) target.fail(ticket, error, 0, 0);
          else target.succeed(ticket, 0, 1);
        }
        expect(all.state.keys.length).toBe(after);
        expect(all.state.keys.every((key) => key.hold(0) === undefined)).toBe(true);
        expect([target.readyAt(call(), 0), all.state.inFlight]).toEqual([0, 0]);
        for (let n = 0; n < 5; n += 1) expect(target.begin(call(), 0).key.key).toBeLessThan(after);
      }),
      { numRuns: 300 },
    );
  });
});
