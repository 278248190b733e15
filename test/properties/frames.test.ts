import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { eachEvent, joined, lastEventEnd } from '../../src/wire/frames.ts';
import { together } from './cuts.ts';
import { read, streams } from './events.ts';

describe('lastEventEnd()', () => {
  test('never lies inside an event, wherever the stream is cut', () => {
    fc.assert(
      fc.property(streams(3), ({ bytes, events }) => {
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          const end = lastEventEnd(bytes.subarray(0, cut));
          expect(end).toBeLessThanOrEqual(cut);
          const before = read([bytes.subarray(0, end)], false);
          expect([...before, ...read([bytes.subarray(end)])]).toEqual([...events]);
        }
      }),
    );
  });

  test('leaves no complete event after it', () => {
    fc.assert(
      fc.property(streams(3), ({ bytes }) => {
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          const head = bytes.subarray(0, cut);
          expect(read([head.subarray(lastEventEnd(head))], false)).toEqual([]);
        }
      }),
    );
  });
});

describe('eachEvent()', () => {
  test('yields pieces of at most one event, which together are the input', () => {
    fc.assert(
      fc.property(streams(), fc.nat(300), ({ bytes, events }, place) => {
        // As the relay calls it: with the complete part so far, then with the rest, which may begin within a CRLF.
        const end = lastEventEnd(bytes.subarray(0, place % (bytes.length + 1)));
        const halves = [bytes.subarray(0, end), bytes.subarray(end)];
        const pieces = halves.flatMap((half) => [...eachEvent(half)]);
        expect(together(pieces)).toEqual(Buffer.from(bytes));
        expect(pieces.every((piece) => piece.length > 0 && read([piece]).length <= 1)).toBe(true);
        expect(pieces.flatMap((piece) => read([piece]))).toEqual([...events]);
      }),
      { numRuns: 300 },
    );
  });
});

test('joined() returns both pieces, one after the other', () => {
  fc.assert(
    fc.property(fc.option(fc.uint8Array(), { nil: undefined }), fc.uint8Array(), (head, tail) => {
      expect(Buffer.from(joined(head, tail))).toEqual(Buffer.from(together([head, tail])));
    }),
  );
});
