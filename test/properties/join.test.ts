import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JoinOptions } from '../../src/wire/join.ts';
import { prefillText } from '../../src/wire/continue.ts';
import { Diverged, Joiner, MIN_OVERLAP } from '../../src/wire/join.ts';
import { cutAt, cuts } from './cuts.ts';

/** As the resumer sets it for a target that was sent the beginning of the answer. */
const PREFILL_OVERLAP = 16;
/** The minimum length of a repeated beginning. */
const RESTART = 24;

const space = fc.constantFrom(' ', ' ', '\n', '\n\n', ' \n', '\t');

/** Texts whose letters are all different: only white space repeats, in runs shorter than an overlap. */
const wordsOf = (min: number, max: number, minLength: number): fc.Arbitrary<string> =>
  fc
    .record({
      letters: fc.uniqueArray(fc.integer({ min, max }), { minLength, maxLength: minLength + 40 }),
      lengths: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      gaps: fc.array(space, { minLength: 1, maxLength: 4 }),
    })
    .map(({ letters, lengths, gaps }) => {
      let words = '';
      for (let at = 0, n = 0; at < letters.length; n += 1) {
        const length = lengths[n % lengths.length]!;
        words += String.fromCharCode(...letters.slice(at, at + length)) + gaps[n % gaps.length]!;
        at += length;
      }
      return words.trimEnd();
    });
const text = wordsOf(0x4e00, 0x9fff, 40);

/** Maps any number into the range from `least` to `most`. */
const within = (any: number, least: number, most: number) => least + (any % (most - least + 1));
const any = fc.nat(100_000);
const overlaps = fc.constantFrom(1, MIN_OVERLAP, PREFILL_OVERLAP);

function join(sent: string, pieces: readonly string[], options: JoinOptions = { minOverlap: MIN_OVERLAP }) {
  const joiner = new Joiner(sent, options);
  return pieces.map((piece) => joiner.push(piece)).join('') + joiner.end();
}

describe('Joiner', () => {
  test('completes the text when the continuation starts exactly where it was cut', () => {
    fc.assert(
      fc.property(text, any, cuts, (whole, place, places) => {
        const at = within(place, 1, whole.length);
        const sent = whole.slice(0, at);
        expect(sent + join(sent, cutAt(whole.slice(at), places))).toBe(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('completes the text when the continuation first repeats the last words', () => {
    fc.assert(
      fc.property(text, any, any, cuts, (whole, place, back, places) => {
        const at = within(place, MIN_OVERLAP, whole.length);
        const from = at - within(back, MIN_OVERLAP, at);
        // Repeating all of the text counts as starting over only if something follows.
        fc.pre(from > 0 || at < whole.length);
        const sent = whole.slice(0, at);
        expect(sent + join(sent, cutAt(whole.slice(from), places))).toBe(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('completes the text when the continuation starts over, however little was sent', () => {
    fc.assert(
      fc.property(text, any, overlaps, cuts, (whole, place, minOverlap, places) => {
        const sent = whole.slice(0, within(place, 1, whole.length - 1));
        expect(sent + join(sent, cutAt(whole, places), { minOverlap })).toBe(whole);
      }),
    );
  });

  test('throws when the continuation starts over and then differs', () => {
    fc.assert(
      fc.property(text, any, any, cuts, (whole, place, again, places) => {
        const sent = whole.slice(0, within(place, RESTART + 1, whole.length));
        const same = sent.slice(0, within(again, RESTART, sent.length - 1));
        expect(() => join(sent, cutAt(`${same}!${whole}`, places))).toThrow(Diverged);
      }),
    );
  });

  test('treats a repeated beginning that is too short as new text', () => {
    fc.assert(
      fc.property(text, any, cuts, (whole, again, places) => {
        const other = `${whole.slice(0, within(again, 0, RESTART - 1))}!`;
        expect(join(whole, cutAt(other, places))).toBe(other);
      }),
    );
  });

  describe('after white space that the target did not see', () => {
    /**
     * Text that is cut after or within white space, and the place where the continuation of the visible part begins.
     */
    const resumed = fc
      .tuple(wordsOf(0x4e00, 0x75ff, PREFILL_OVERLAP + 1), space, wordsOf(0x7600, 0x9fff, 1), any, any)
      .map(([before, gap, after, part, back]) => {
        const whole = before + gap + after;
        const sent = before + gap.slice(0, within(part, 1, gap.length));
        const seen = prefillText(sent);
        const repeated = back % 2 === 0 ? 0 : within(back, PREFILL_OVERLAP, seen.length);
        const options = { minOverlap: PREFILL_OVERLAP, unseen: sent.slice(seen.length) };
        return { whole, sent, seen, options, continuation: whole.slice(seen.length - repeated) };
      });

    test('does not repeat white space that the continuation sends at once', () => {
      fc.assert(
        fc.property(resumed, ({ whole, sent, seen, options, continuation }) => {
          expect(sent + join(seen, [continuation], options)).toBe(whole);
        }),
        { numRuns: 300 },
      );
    });

    test('does not repeat white space that the continuation sends piece by piece', () => {
      fc.assert(
        fc.property(resumed, fc.nat(4), cuts, (now, singles, places) => {
          const { whole, sent, seen, options, continuation } = now;
          // The first characters one by one, as tokens may arrive.
          const early = Array.from({ length: singles }, (_, n) => n + 1);
          const pieces = cutAt(continuation, [...early, ...places]);
          expect(sent + join(seen, pieces, options)).toBe(whole);
        }),
        { numRuns: 1_000 },
      );
    });
  });

  describe('for any texts', () => {
    /** Few different letters, so that much repeats. */
    const words = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', ' '), size: '+1' }), fc.string());
    const repeating = fc.tuple(words, words, any).map(([one, other, at]) => {
      const sent = one + other;
      return { sent, continuation: sent.slice(within(at, 0, sent.length)) + other };
    });
    const pairs = fc.oneof(repeating, fc.record({ sent: words, continuation: words }));

    const outcome = (sent: string, pieces: readonly string[], options: JoinOptions) => {
      try {
        return join(sent, pieces, options);
      } catch (thrown) {
        return thrown as Diverged;
      }
    };

    test('returns a suffix of the continuation, or reports that it diverged', () => {
      const unseen = fc.constantFrom('', ' ', '\n\n', 'ab');
      fc.assert(
        fc.property(pairs, overlaps, unseen, cuts, ({ sent, continuation }, minOverlap, space_, places) => {
          const got = outcome(sent, cutAt(continuation, places), { minOverlap, unseen: space_ });
          expect(got instanceof Diverged || continuation.endsWith(got)).toBe(true);
        }),
        { numRuns: 500 },
      );
    });

    test('returns all of a continuation whose beginning does not match the end of the text', () => {
      fc.assert(
        fc.property(pairs, cuts, ({ sent, continuation }, places) => {
          const starts = Array.from({ length: continuation.length }, (_, n) => continuation.slice(0, n + 1));
          fc.pre(!starts.some((start) => sent.endsWith(start)));
          fc.pre(!sent.startsWith(continuation.slice(0, RESTART)) || continuation.length < RESTART);
          expect(join(sent, cutAt(continuation, places))).toBe(continuation);
        }),
      );
    });

    test('returns the same result however the continuation is cut', () => {
      fc.assert(
        fc.property(pairs, overlaps, cuts, ({ sent, continuation }, minOverlap, places) => {
          const whole = outcome(sent, [continuation], { minOverlap });
          expect(outcome(sent, cutAt(continuation, places), { minOverlap })).toEqual(whole);
        }),
        { numRuns: 500 },
      );
    });
  });
});
