import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { RollingCounts } from '../../src/pipeline/targets/rolling.ts';

const SLOT_MS = 1_000;
const SLOTS = 12;

const calls = fc.array(fc.record({ afterMs: fc.nat(3_000), failed: fc.boolean() }), { maxLength: 30 });

describe('RollingCounts', () => {
  test('counts the calls of its last twelve slots and no others', () => {
    fc.assert(
      fc.property(calls, fc.nat(20_000), fc.nat(50_000), (made, startMs, laterMs) => {
        const counts = new RollingCounts({ window: SLOTS * SLOT_MS });
        let nowMs = startMs;
        const known = made.map(({ afterMs, failed }) => {
          nowMs += afterMs;
          counts.add(nowMs, failed);
          return { slot: Math.floor(nowMs / SLOT_MS), failed };
        });
        nowMs += laterMs;
        const recent = known.filter(({ slot }) => slot > Math.floor(nowMs / SLOT_MS) - SLOTS);
        const failures = recent.filter(({ failed }) => failed).length;
        expect(counts.sum(nowMs)).toEqual({ calls: recent.length, failures });
      }),
      { numRuns: 300 },
    );
  });

  test('forgets all calls before clear()', () => {
    fc.assert(
      fc.property(calls, fc.nat(5_000), fc.nat(5_000), (made, startMs, laterMs) => {
        const counts = new RollingCounts({ window: SLOTS * SLOT_MS });
        let nowMs = startMs;
        for (const { afterMs, failed } of made) {
          nowMs += afterMs;
          counts.add(nowMs, failed);
        }
        counts.clear();
        expect(counts.sum(nowMs + laterMs)).toEqual({ calls: 0, failures: 0 });
      }),
      { numRuns: 500 },
    );
  });
});
