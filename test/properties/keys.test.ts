import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Ticket } from '../../src/pipeline/target.ts';
import { limited, MINUTE, refused, targets } from './targets.ts';

/** What is known of a key as its documentation tells it: down for all models, resting for one. */
class KeyModel {
  #downUntilMs: number | undefined;
  #times = 0;
  #restUntilMs = [0, 0];

  readyAt(model: number, nowMs: number): number {
    const rest = this.#restUntilMs[model]!;
    return Math.max(rest > nowMs ? rest : 0, this.#downUntilMs ?? 0);
  }

  /** Of a key that was down, one request alone finds out. */
  begin(nowMs: number): void {
    if (this.#downUntilMs !== undefined && this.#downUntilMs <= nowMs) this.#downUntilMs = nowMs + 5 * MINUTE;
  }

  succeed(): void {
    this.#downUntilMs = undefined;
    this.#times = 0;
  }

  refuse(nowMs: number, probed: boolean): void {
    this.#times += 1;
    this.#downUntilMs = nowMs + (probed ? Infinity : Math.min(60, 5 * 2 ** (this.#times - 1)) * MINUTE);
  }

  rest(model: number, untilMs: number): void {
    this.#restUntilMs[model] = Math.max(untilMs, this.#restUntilMs[model]!);
  }

  revive(): void {
    if (this.#downUntilMs !== undefined) this.#downUntilMs = 0;
  }
}

type End = 'answered' | 'refused' | 'limited' | 'abandoned';
/** A call begins or ends, a probe is answered, or time goes by. Numbers count round and round. */
type Step =
  | { begin: number; forced: boolean }
  | { end: End; call: number; retryAfterMs: number }
  | { revive: number }
  | { ms: number };

const retryAfterMs = fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.constant(2 * MINUTE));
const ends = fc.constantFrom<End>('answered', 'refused', 'limited', 'abandoned');
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ begin: fc.nat(1), forced: fc.boolean() }), weight: 4 },
  { arbitrary: fc.record({ end: ends, call: fc.nat(20), retryAfterMs }), weight: 4 },
  fc.record({ revive: fc.nat(3) }),
  fc.record({ ms: fc.oneof(fc.nat(10_000), fc.nat(15 * MINUTE)) }),
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });

/** Does each step to a target's keys and to their models, and looks whether they still agree. */
function agree(count: number, probed: boolean, sequence: readonly Step[]): void {
  const { state, models } = targets(count, probed);
  const keys = Array.from({ length: count }, () => new KeyModel());
  const out: { model: number; ticket: Ticket }[] = [];
  let nowMs = 0;
  for (const next of sequence) {
    if ('ms' in next) nowMs += next.ms;
    else if ('revive' in next) {
      state.revive(next.revive % count);
      keys[next.revive % count]!.revive();
    } else if ('begin' in next) begin(next.begin, next.forced);
    else if (out.length > 0) end(next);
    for (const [model, target] of models.entries()) expect(target.readyAt(nowMs)).toBe(soonestMs(model));
    expect(state.inFlight).toBe(out.length);
  }
  for (const { model, ticket } of out) models[model]!.abandon(ticket, nowMs);
  expect(state.inFlight).toBe(0);

  function soonestMs(model: number): number {
    return Math.min(...keys.map((key) => key.readyAt(model, nowMs)));
  }

  function begin(model: number, forced: boolean): void {
    const readyMs = Math.max(nowMs, soonestMs(model));
    if (readyMs > nowMs && !forced) return;
    const ticket = models[model]!.begin(nowMs);
    const key = keys[ticket.key]!;
    expect(key.readyAt(model, nowMs)).toBeLessThanOrEqual(readyMs);
    key.begin(nowMs);
    out.push({ model, ticket });
  }

  function end(how: Extract<Step, { end: End }>): void {
    const [{ model, ticket }] = out.splice(how.call % out.length, 1) as [(typeof out)[0]];
    const [target, key] = [models[model]!, keys[ticket.key]!];
    if (how.end === 'answered') {
      key.succeed();
      target.succeed(ticket, nowMs, 1);
    } else if (how.end === 'refused') {
      key.refuse(nowMs, probed);
      target.fail(ticket, refused, nowMs, 0);
    } else if (how.end === 'limited') {
      key.rest(model, nowMs + how.retryAfterMs);
      target.fail(ticket, limited(how.retryAfterMs), nowMs, 0);
    } else target.abandon(ticket, nowMs);
    // Whoever settles twice is counted once.
    target.succeed(ticket, nowMs, 1);
  }
}

describe('Target', () => {
  test('asks a key that is ready, or else the one that will be first, and forgets no call', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.boolean(), steps, agree), { numRuns: 300 });
  });

  test('tries a key that is refused again and again after twice the time, and every hour at least', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (times) => {
        const [target] = targets(1).models;
        let nowMs = 0;
        for (let n = 0; n < times; n += 1) {
          target.fail(target.begin(nowMs), refused, nowMs, 0);
          expect(target.readyAt(nowMs)).toBe(nowMs + Math.min(60, 5 * 2 ** n) * MINUTE);
          nowMs = target.readyAt(nowMs);
        }
      }),
    );
  });

  test('uses only the keys that a new configuration has, whatever calls with others come to', () => {
    const change = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        change,
        change,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        (before, after, fails) => {
          const { state, models } = targets(before);
          const [target] = models;
          const tickets = fails.map(() => target.begin(0));
          state.configure({ rateLimit: undefined, maxConnections: undefined, keys: after });
          for (const [n, ticket] of tickets.entries()) {
            if (fails[n]) target.fail(ticket, refused, 0, 0);
            else target.succeed(ticket, 0, 1);
          }
          expect(state.keys).toBe(after);
          expect(target.begin(0).key).toBeLessThan(after);
        },
      ),
      { numRuns: 300 },
    );
  });
});
