import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Waits } from '../../src/pipeline/record/waits.ts';

test('Waits counts overlapping spans once, in any order', () => {
  const moment = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(moment, moment), { maxLength: 8 }), (spans) => {
      const waits = new Waits();
      const moments = new Set<number>();
      for (const [from, to] of spans) {
        waits.add(from, to);
        for (let at = from; at < to; at++) moments.add(at);
      }
      expect(waits.totalMs).toBe(moments.size);
    }),
  );
});
