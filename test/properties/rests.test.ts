import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Target } from '../../src/pipeline/target.ts';
import { limited, targets } from './targets.ts';

/** A refusal for too many requests; `ms` around the 5 s for which a key rests that was told nothing. */
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

/** A target all of whose calls were refused, and until when each key was told to rest: its calls ran side by side. */
function rested(keys: number, list: readonly Refusal[]): { target: Target; toldMs: number[]; nowMs: number } {
  const [target] = targets(keys).models;
  const toldMs = Array.from({ length: keys }, () => 0);
  const calls = list.map(({ key: any, ...rest }) => {
    const key = any % keys;
    target.state.begin(key, 0);
    const place = { breaker: target.breaker.begin(), key, keys: target.state.downs };
    return { ...rest, key, ticket: { ...place, settled: false } };
  });
  let nowMs = 0;
  for (const { key, ticket, afterMs, ms } of calls) {
    nowMs += afterMs;
    target.fail(ticket, limited(ms), nowMs, 0);
    if (ms !== undefined) toldMs[key] = Math.max(nowMs + ms, toldMs[key]!);
  }
  return { target, toldMs, nowMs };
}

describe('a target that was told to rest', () => {
  test('holds a Retry-After out even for the request that asks once more, and as a last resort', () => {
    fc.assert(
      fc.property(refusals, fc.nat(5_000), (list, laterMs) => {
        const { target, toldMs, nowMs } = rested(1, list);
        const untilMs = toldMs[0]! > nowMs + laterMs ? toldMs[0]! : 0;
        expect(target.readyAt(nowMs + laterMs, true)).toBe(untilMs);
        expect(target.lastResortAt(nowMs + laterMs)).toBe(untilMs);
      }),
      { numRuns: 300 },
    );
  });

  test('asks no key that was told to rest, when another rests only by our own caution', () => {
    fc.assert(
      fc.property(refusals, (list) => {
        const { target, toldMs, nowMs } = rested(3, list);
        fc.pre(target.readyAt(nowMs, true) <= nowMs);
        expect(toldMs[target.begin(nowMs).key]).toBeLessThanOrEqual(nowMs);
      }),
      { numRuns: 300 },
    );
  });
});
