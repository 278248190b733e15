import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cutAt, cuts } from './cuts.ts';
import { block, lineEnds, lineText, read, streamOf, streams } from './events.ts';

describe('SseReader', () => {
  test('reads the same events at every single cut, and byte by byte', () => {
    fc.assert(
      fc.property(streams(3), ({ bytes, events }) => {
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          expect(read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual([...events]);
        }
        expect(read(Array.from(bytes, (byte) => new Uint8Array([byte])))).toEqual([...events]);
      }),
    );
  });

  test('reads the same events however the stream is cut', () => {
    fc.assert(
      fc.property(streams(), cuts, ({ bytes, events }, places) => {
        expect(read(cutAt(bytes, places))).toEqual([...events]);
      }),
      { numRuns: 300 },
    );
  });

  test('returns an event as soon as its blank line has arrived', () => {
    fc.assert(
      fc.property(streams(), cuts, ({ bytes, events }, places) => {
        expect(read(cutAt(bytes, places), false)).toEqual([...events]);
      }),
    );
  });

  test('reads a last event whose blank line is missing', () => {
    fc.assert(
      fc.property(streams(2), lineText, lineEnds, fc.nat(2), cuts, (before, data, end, left, places) => {
        const last = streamOf([block([`data: ${data}`], end)]).bytes;
        const bytes = Buffer.concat([before.bytes, last.slice(0, last.length - left * end.length)]);
        expect(read(cutAt(bytes, places))).toEqual([...before.events, { data }]);
      }),
    );
  });
});
