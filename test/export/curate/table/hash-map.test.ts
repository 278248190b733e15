import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Hash64 } from '../../../../src/export/conversation/hash64.ts';
import { HashMap64 } from '../../../../src/export/curate/table/hash-map.ts';

const word = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffffffff }));

describe('HashMap64', () => {
  test('contains the same as a Map', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, fc.nat(1000)), { maxLength: 400 }), (entries) => {
        const map = new HashMap64();
        const model = new Map<string, number>();
        for (const [hi, lo, value] of entries) {
          map.set(hi, lo, value);
          model.set(`${hi} ${lo}`, value);
        }
        expect(map.size).toBe(model.size);
        for (const [hi, lo] of entries) expect(map.get(hi, lo)).toBe(model.get(`${hi} ${lo}`));
        expect(map.has(17, 4_000_000_000)).toBe(model.has('17 4000000000'));
      }),
    );
  });

  test.each([0, 100_000])('grows to a hundred thousand entries, with %d expected', (expected) => {
    const map = new HashMap64(expected);
    for (let n = 0; n < 100_000; n++) map.set(n, Math.imul(n, 7919), n);
    expect(map.size).toBe(100_000);
    for (let n = 0; n < 100_000; n++) expect(map.get(n, Math.imul(n, 7919))).toBe(n);
    expect(map.get(100_000, 5)).toBeUndefined();
  });
});

describe('Hash64', () => {
  const hashOf = (seed: number, ...texts: string[]) => {
    const hash = new Hash64();
    hash.start(seed);
    for (const text of texts) hash.add(text);
    return `${hash.hi} ${hash.lo}`;
  };

  test('distinguishes order, boundaries and seeds', () => {
    const all = [
      hashOf(1, 'a', 'b'),
      hashOf(1, 'b', 'a'),
      hashOf(1, 'ab'),
      hashOf(1, 'ab', ''),
      hashOf(1),
      hashOf(2, 'a', 'b'),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(hashOf(1, 'a', 'b')).toBe(all[0]!);
  });

  test('has no collision among half a million similar texts', () => {
    const seen = new Set<string>();
    for (let n = 0; n < 500_000; n++) seen.add(hashOf(0, `message ${n}`));
    expect(seen.size).toBe(500_000);
  });

  test('distributes its values over all bits', () => {
    const counts = Array.from({ length: 64 }, () => 0);
    const rounds = 20_000;
    for (let n = 0; n < rounds; n++) {
      const [hi, lo] = hashOf(0, String(n)).split(' ').map(Number) as [number, number];
      for (let bit = 0; bit < 32; bit++) {
        counts[bit]! += (hi >>> bit) & 1;
        counts[32 + bit]! += (lo >>> bit) & 1;
      }
    }
    for (const count of counts) expect(Math.abs(count / rounds - 0.5)).toBeLessThan(0.02);
  });

  test('is the same on every machine, so that a dataset does not depend on the machine', () => {
    expect(hashOf(0, 'llmproxy')).toBe(hashOf(0, 'llmproxy'));
    expect(hashOf(3, 'größer', '東京')).toMatchInlineSnapshot(`"3261247065 443903892"`);
  });
});
