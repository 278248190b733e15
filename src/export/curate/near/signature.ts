/** Signatures: enough small values to estimate the similarity of two texts, in few bytes per row. */

/** Values of 4 bits each: they are as informative as half as many values of 8 bits at the same size. */
export const VALUES = 256;
const VALUE_WORDS = VALUES / 8;
/** The word after the values: a hash of a prompt that may contain a template, as a whole; otherwise 0. */
export const PROMPT = VALUE_WORDS;
export const SIGNATURE_WORDS = PROMPT + 1;
export const SIGNATURE_BYTES = 4 * SIGNATURE_WORDS;

/** The share of values that agree by chance, among those that do not come from the same shingle. */
const CHANCE = 1 / 16;

/** By how many standard deviations the number of equal values may fall short of the expectation. */
const TOLERANCE = 1.7;

/** The expected share of equal values at a similarity. */
export function expectedShared(similarity: number): number {
  return similarity + (1 - similarity) * CHANCE;
}

/**
 * The smallest number of equal values of two texts with a similarity, except for one pair in twenty-two; or of fewer
 * pairs, since the values are more accurate than as many independent draws. Some slightly less similar pairs reach it
 * as well.
 */
export function leastShared(similarity: number, values = VALUES): number {
  const part = expectedShared(similarity);
  const deviation = Math.sqrt(values * part * (1 - part));
  return Math.ceil(values * part - TOLERANCE * deviation);
}

/** Value `index` of a signature. */
export function valueAt(words: Int32Array, from: number, index: number): number {
  return (words[from + (index >>> 3)]! >>> (4 * (index & 7))) & 15;
}

/** The number of equal values in two signatures, which begin at these words. */
export function countShared(a: Int32Array, fromA: number, b: Int32Array, fromB: number): number {
  let sums = 0;
  for (let at = 0; at < VALUE_WORDS; at++) {
    const differ = a[fromA + at]! ^ b[fromB + at]!;
    // The upper bit of each group of four that is 0. No sum of four bits carries into the next group.
    const same = ~(((differ & 0x77777777) + 0x77777777) | differ | 0x77777777) >>> 3;
    // Four sums side by side, each of up to 64.
    sums += (same & 0x01010101) + ((same >>> 4) & 0x01010101);
  }
  return (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
}

/** The smaller number of equal values in two signatures of pairs: of their first texts, or of their second ones. */
export function countSharedByBoth(a: Int32Array, fromA: number, b: Int32Array, fromB: number): number {
  let [first, second] = [0, 0];
  for (let at = 0; at < VALUE_WORDS; at++) {
    const differ = a[fromA + at]! ^ b[fromB + at]!;
    // As in countShared(), but the lower four bits of a byte are from one text, and the upper ones from the other.
    const same = ~(((differ & 0x77777777) + 0x77777777) | differ | 0x77777777) >>> 3;
    first += same & 0x01010101;
    second += (same >>> 4) & 0x01010101;
  }
  return Math.min(bytesSum(first), bytesSum(second));
}

/** How the second texts of two signatures of pairs agree. */
export interface Agreement {
  /** The number of equal values among those that `common` marks. */
  readonly common: number;
  /** The number of equal values among the others. */
  readonly own: number;
}

/** @param common the upper four bits of a byte are 1 for each value of the second text that is to be counted apart */
export function agreement(
  [a, fromA]: readonly [Int32Array, number],
  [b, fromB]: readonly [Int32Array, number],
  common: Int32Array,
): Agreement {
  let [shared, own] = [0, 0];
  for (let at = 0; at < VALUE_WORDS; at++) {
    const differ = a[fromA + at]! ^ b[fromB + at]!;
    const same = (~(((differ & 0x77777777) + 0x77777777) | differ | 0x77777777) >>> 7) & 0x01010101;
    const marks = (common[at]! >>> 4) & 0x01010101;
    shared += same & marks;
    own += same & ~marks;
  }
  return { common: bytesSum(shared), own: bytesSum(own) };
}

function bytesSum(word: number): number {
  return (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
}
