import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { order } from '../../src/pipeline/routing/select.ts';

/** Random numbers, uniform in [0, 1), the same for the same seed. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const weight = fc.double({ min: 0.05, max: 20, noNaN: true });
const choice = fc.record({ tier: fc.nat(3), priority: fc.integer({ min: -2, max: 2 }), weight });

test('order() returns every choice once, lower tiers first and within them lower priorities first', () => {
  fc.assert(
    fc.property(fc.array(choice), fc.integer(), (choices, seed) => {
      const ordered = order(choices, uniform(seed));
      expect(new Set(ordered)).toEqual(new Set(choices));
      expect(ordered).toHaveLength(choices.length);
      const places = ordered.map(({ tier, priority }) => tier * 10 + priority);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }),
  );
});

test('order() puts each of several equal choices first as often as its weight says', () => {
  const draws = 2_000;
  fc.assert(
    fc.property(fc.array(weight, { minLength: 2, maxLength: 5 }), fc.integer(), (weights, seed) => {
      const random = uniform(seed);
      const equals = weights.map((each, id) => ({ id, tier: 0, priority: 1, weight: each }));
      const firsts = Array.from({ length: draws }, () => order(equals, random)[0]!.id);
      const sum = weights.reduce((a, b) => a + b);
      for (const { id, weight: own } of equals) {
        const share = own / sum;
        const seen = firsts.filter((first) => first === id).length / draws;
        // Six standard deviations: a false failure once in half a billion.
        expect(Math.abs(seen - share)).toBeLessThan(6 * Math.sqrt((share * (1 - share)) / draws) + 1 / draws);
      }
    }),
    { numRuns: 20 },
  );
});
