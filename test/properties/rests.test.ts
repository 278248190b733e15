import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Target } from '../../src/pipeline/targets/target.ts';
import { call, limited, targets } from './targets.ts';

/** A 429 answer; `ms` is around the 5 s of a key's cooldown when the provider states no time. */
interface Refusal {
  readonly key: number;
  readonly afterMs: number;
  readonly ms: number | undefined;
}

const refusal: fc.Arbitrary<Refusal> = fc.record({
  key: fc.nat(2),
  afterMs: fc.nat(4_000),
  ms: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
});
const refusals = fc.array(refusal, { minLength: 1, maxLength: 12 });

/** A target whose concurrent calls were all rate limited, and the time until which each key was told to wait. */
function rested(keys: number, list: readonly Refusal[]): { target: Target; toldMs: number[]; nowMs: number } {
  const [target] = targets(keys).models;
  const toldMs = Array.from({ length: keys }, () => 0);
  // Keys are used in turn.
  const calls = list.map(({ afterMs, ms }) => ({ ticket: target.begin(call(), 0), afterMs, ms }));
  let nowMs = 0;
  for (const { ticket, afterMs, ms } of calls) {
    const { key } = ticket.key;
    nowMs += afterMs;
    target.fail(ticket, limited(ms), nowMs, 0);
    if (ms !== undefined) toldMs[key] = Math.max(nowMs + ms, toldMs[key]!);
  }
  return { target, toldMs, nowMs };
}

describe('a target that was sent a Retry-After', () => {
  test('waits until the Retry-After is over, even for a retry of the same request or as a last resort', () => {
    fc.assert(
      fc.property(refusals, fc.nat(5_000), (list, laterMs) => {
        const { target, toldMs, nowMs } = rested(1, list);
        const untilMs = toldMs[0]! > nowMs + laterMs ? toldMs[0]! : 0;
        expect(target.readyAt(call(), nowMs + laterMs, true)).toBe(untilMs);
        expect(target.lastResortAt(call(), nowMs + laterMs, false)).toBe(untilMs);
        expect(target.lastResortAt(call(), nowMs + laterMs, true)).toBeGreaterThanOrEqual(untilMs);
      }),
      { numRuns: 300 },
    );
  });

  test('uses no key with a pending Retry-After while another key is only on a cooldown of our own', () => {
    fc.assert(
      fc.property(refusals, (list) => {
        const { target, toldMs, nowMs } = rested(3, list);
        fc.pre(target.readyAt(call(), nowMs, true) <= nowMs);
        expect(toldMs[target.begin(call(), nowMs).key.key]).toBeLessThanOrEqual(nowMs);
      }),
      { numRuns: 300 },
    );
  });

  test('shortens a Retry-After to max_retry_after, and then lets one request through as a trial', () => {
    const [target] = targets().models;
    target.fail(target.begin(call(), 0), limited(86_400_000), 0, 0);
    expect([target.readyAt(call(), 59_999), target.readyAt(call(), 60_000)]).toEqual([60_000, 0]);
    const trial = target.begin(call(), 60_000);
    expect(target.readyAt(call(), 60_001)).toBe(70_000);
    target.succeed(trial, 60_500, 500);
    expect(target.readyAt(call(), 60_500)).toBe(0);
  });

  test('lets all requests through once a Retry-After that was not shortened is over', () => {
    const [target, other] = targets().models;
    target.fail(target.begin(call(), 0), limited(5_000), 0, 0);
    // A rate limit applies to one model.
    expect(other.readyAt(call(), 0)).toBe(0);
    for (let n = 0; n < 3; n += 1) {
      expect(target.readyAt(call(), 5_000)).toBe(0);
      target.begin(call(), 5_000);
    }
  });
});
