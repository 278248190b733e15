import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { PrefixSearch } from '../../src/wire/prefix-search.ts';

const text = (maxLength: number) =>
  fc.array(fc.constantFrom('a', 'a', 'b'), { maxLength }).map((chars) => chars.join(''));

test('PrefixSearch reports whether the text contains a growing prefix, and how much of it the text ends with', () => {
  fc.assert(
    fc.property(text(40), fc.array(text(8), { maxLength: 6 }), (whole, pieces) => {
      const search = new PrefixSearch(whole);
      let wanted = '';
      for (const piece of pieces) {
        wanted += piece;
        const found = search.push(piece);
        expect(found).toBe(whole.includes(wanted));
        if (!found) break;
      }
      let overlap = Math.min(whole.length, wanted.length);
      while (!whole.endsWith(wanted.slice(0, overlap))) overlap -= 1;
      expect(search.end()).toBe(overlap);
    }),
    { numRuns: 5_000 },
  );
});
