import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { CooldownPolicy, CooldownTicket } from '../../src/pipeline/targets/cooldown.ts';
import type { Place } from './cooldown-model.ts';
import { ProxyError } from '../../src/errors.ts';
import { Cooldown } from '../../src/pipeline/targets/cooldown.ts';
import { CooldownModel } from './cooldown-model.ts';

const policies: fc.Arbitrary<CooldownPolicy> = fc.record({
  cooldown: fc.constantFrom(0, 500, 2_000),
  max_cooldown: fc.constantFrom(0, 1_000, 10_000),
  max_retry_after: fc.constantFrom(0, 3_000, 60_000),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** A call begins or ends, something else is learned, or time passes. `call` is an index, modulo the number of calls. */
type Step =
  | { does: 'begin' | 'revive' | 'lift' }
  | { does: 'succeed' | 'opened' | 'release' | 'refused' | 'lacking'; call: number }
  | { does: 'pause'; retryAfterMs: number | undefined }
  | { does: 'postpone' | 'pass'; ms: number };

const spans = fc.oneof({ arbitrary: fc.nat(1_500), weight: 4 }, fc.nat(70_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ does: fc.constant('begin' as const) }), weight: 6 },
  {
    arbitrary: fc.record({
      does: fc.constantFrom('succeed', 'opened', 'release', 'refused', 'refused', 'lacking'),
      call: fc.nat(20),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      does: fc.constant('pause' as const),
      retryAfterMs: fc.option(fc.oneof(fc.nat(5_000), fc.nat(90_000)), { nil: undefined }),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ does: fc.constant('pass' as const), ms: spans }), weight: 5 },
  fc.record({ does: fc.constant('postpone' as const), ms: fc.nat(60_000) }),
  fc.record({ does: fc.constantFrom('revive' as const, 'lift' as const) }),
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });

const refused = new ProxyError('auth', 'no');
const lacking = new ProxyError('not_found', 'no model');

/** Applies each step to a cooldown and to its model, and checks that they still agree. */
function agree(policy: CooldownPolicy, drawn: number, sequence: readonly Step[]): void {
  const cooldown = new Cooldown(policy, () => drawn);
  const model = new CooldownModel(policy, drawn);
  const out: { ticket: CooldownTicket; place: Place }[] = [];
  let nowMs = 0;
  for (const next of sequence) {
    if (next.does === 'pass') nowMs += next.ms;
    else if (next.does === 'begin') out.push({ ticket: cooldown.begin(nowMs), place: model.begin(nowMs) });
    else if (next.does === 'revive' || next.does === 'lift') both(next.does);
    else if (next.does === 'postpone') {
      cooldown.postpone(nowMs + next.ms);
      model.postpone(nowMs + next.ms);
    } else if (next.does === 'pause') {
      const error = new ProxyError('rate_limited', 'slow', { retryAfterMs: next.retryAfterMs });
      cooldown.pause(error, nowMs);
      model.pause(next.retryAfterMs, error.rule.cooldownMs, nowMs);
    } else if ('call' in next && out.length > 0) end(next.does, next.call);
    compare();
  }

  function both(does: 'revive' | 'lift'): void {
    cooldown[does]();
    model[does]();
  }

  function end(how: 'succeed' | 'opened' | 'release' | 'refused' | 'lacking', call: number): void {
    const [{ ticket, place }] = out.splice(call % out.length, 1) as [(typeof out)[0]];
    expect([cooldown.counts(ticket), ticket.trial]).toEqual([model.counts(place), place.trial]);
    if (how === 'succeed' || how === 'release') {
      cooldown[how](ticket);
      model[how](place);
    } else if (how === 'opened') {
      // The rest of the call is among the following ones.
      const counted = model.counts(place);
      model.succeed(place);
      const rest = counted ? { era: model.era, trial: false } : place;
      out.push({ ticket: cooldown.opened(ticket, nowMs), place: rest });
    } else {
      const error = how === 'lacking' ? lacking : refused;
      cooldown.trip(ticket, error, nowMs);
      model.trip(place, error.rule.cooldownMs, nowMs);
    }
  }

  function compare(): void {
    const hold = cooldown.hold(nowMs);
    const { error: _, ...seen } = hold ?? { error: undefined };
    expect(hold && seen).toEqual(model.held(nowMs));
    if (hold) expect(cooldown.trying(nowMs)).toBe(model.trying(nowMs));
    for (const flag of [false, true]) {
      expect(cooldown.readyAt(nowMs, flag)).toBe(model.readyAt(nowMs, flag));
      expect(cooldown.lastResortAt(nowMs, flag)).toBe(model.lastResortAt(nowMs, flag));
    }
  }
}

describe('Cooldown', () => {
  test('starts, lets trials through and ends as its model does, for any sequence of events', () => {
    fc.assert(fc.property(policies, random, steps, agree), { numRuns: 800 });
  });

  test('lets at most one trial through until that has taken max_cooldown, if callers wait until they may call', () => {
    const policy = { cooldown: 500, max_cooldown: 4_000, max_retry_after: 60_000 };
    const end = fc.constantFrom('succeed', 'release', 'refused', 'none');
    const story = fc.array(fc.tuple(fc.nat(3_000), end, fc.nat(5)), { maxLength: 40, size: 'max' });
    fc.assert(
      fc.property(random, story, (drawn, told) => {
        const cooldown = new Cooldown(policy, () => drawn);
        const out: { ticket: CooldownTicket; beganMs: number }[] = [];
        cooldown.trip(cooldown.begin(0), refused, 0);
        let nowMs = 0;
        for (const [ms, how, call] of told) {
          nowMs += ms;
          if (cooldown.hold(nowMs) && cooldown.readyAt(nowMs) <= nowMs)
            out.push({ ticket: cooldown.begin(nowMs), beganMs: nowMs });
          const known = out.filter(({ ticket }) => cooldown.counts(ticket));
          const fresh = known.filter(({ beganMs }) => nowMs < beganMs + policy.max_cooldown);
          expect(fresh.length).toBeLessThanOrEqual(1);
          if (how === 'none' || out.length === 0) continue;
          const [{ ticket }] = out.splice(call % out.length, 1) as [(typeof out)[0]];
          if (how === 'refused') cooldown.trip(ticket, refused, nowMs);
          else cooldown[how](ticket);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('doubles its length with each failed trial, and is never longer than max_cooldown', () => {
    fc.assert(
      fc.property(policies, random, fc.integer({ min: 1, max: 1_100 }), (policy, drawn, trials) => {
        const cooldown = new Cooldown(policy, () => drawn);
        let nowMs = 0;
        for (let n = 0; n < trials; n += 1) {
          cooldown.trip(cooldown.begin(nowMs), refused, nowMs);
          const { untilMs, times } = cooldown.hold(nowMs)!;
          expect(times).toBe(n + 1);
          const doubledMs = policy.cooldown === 0 ? 0 : policy.cooldown * 2 ** n;
          const ms = untilMs - nowMs;
          expect(ms).toBeGreaterThanOrEqual(0.8 * Math.min(policy.max_cooldown, doubledMs) - 1e-3);
          expect(ms).toBeLessThanOrEqual(Math.min(policy.max_cooldown, 1.2 * doubledMs) + 1e-3);
          nowMs = untilMs;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('lets at most one call per second through as a last resort', () => {
    const policy = { cooldown: 8_000, max_cooldown: 10_000, max_retry_after: 60_000 };
    const cooldown = new Cooldown(policy, () => 0.5);
    cooldown.trip(cooldown.begin(0), refused, 0);
    expect([0, 999, 1_000].map((ms) => cooldown.lastResortAt(ms, true))).toEqual([1_000, 1_000, 0]);
    expect(cooldown.lastResortAt(0, false)).toBe(0);
    const first = cooldown.begin(1_000);
    // While it is in flight, no other is sent as a last resort.
    expect(cooldown.lastResortAt(1_500, true)).toBe(11_000);
    cooldown.trip(first, refused, 1_700);
    expect([1_700, 2_699, 2_700].map((ms) => cooldown.lastResortAt(ms, true))).toEqual([2_700, 2_700, 0]);
  });

  test('is extended to at most half a minute after the last trial, however often a probe fails', () => {
    const policy = { cooldown: 2_000, max_cooldown: 10_000, max_retry_after: 60_000 };
    const cooldown = new Cooldown(policy, () => 0.5);
    cooldown.trip(cooldown.begin(0), refused, 0);
    for (let ms = 0; ms < 60_000; ms += 5_000) cooldown.postpone(ms + 20_000);
    expect(cooldown.readyAt(29_999)).toBe(30_000);
    cooldown.postpone(5_000);
    expect(cooldown.readyAt(29_999)).toBe(30_000);
    expect(cooldown.readyAt(30_000)).toBe(0);
    cooldown.revive();
    expect(cooldown.readyAt(1)).toBe(0);
    expect(cooldown.hold(1)).toBeDefined();
  });
});
