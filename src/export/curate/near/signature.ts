/** Signatures: enough small values to estimate how similar two texts are, in few bytes a row. */

/** Values of 4 bits each: they tell as much as half as many of 8 bits in twice the memory. */
export const VALUES = 256;
export const SIGNATURE_BYTES = VALUES / 2;
export const SIGNATURE_WORDS = SIGNATURE_BYTES / 4;

/** The part of values that is the same by chance, of those that do not come from the same shingle. */
const CHANCE = 1 / 16;

/** How many standard deviations the values in common may fall short of what is expected. */
const TOLERANCE = 1.7;

/** The part of values in common that is expected at a similarity. */
export function expectedShared(similarity: number): number {
  return similarity + (1 - similarity) * CHANCE;
}

/**
 * The least number of values in common that two texts of a similarity have, but for one pair in twenty-two; or fewer,
 * since the values are more exact than as many draws would be. Some pairs that are a little less similar have it too.
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

/** The number of values that two signatures have in common, which begin at these words. */
export function countShared(a: Int32Array, fromA: number, b: Int32Array, fromB: number): number {
  let sums = 0;
  for (let at = 0; at < SIGNATURE_WORDS; at++) {
    const differ = a[fromA + at]! ^ b[fromB + at]!;
    // The upper bit of every four that are all 0. No sum of four bits carries into the next.
    const same = ~(((differ & 0x77777777) + 0x77777777) | differ | 0x77777777) >>> 3;
    // Four sums side by side, each of up to 64.
    sums += (same & 0x01010101) + ((same >>> 4) & 0x01010101);
  }
  return (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
}

/** The lesser number of values that two signatures of pairs have in common: of their first texts, or of their second. */
export function countSharedByBoth(a: Int32Array, fromA: number, b: Int32Array, fromB: number): number {
  let [first, second] = [0, 0];
  for (let at = 0; at < SIGNATURE_WORDS; at++) {
    const differ = a[fromA + at]! ^ b[fromB + at]!;
    // As in countShared(), but the lower four bits of a byte are one text's, and the upper ones the other's.
    const same = ~(((differ & 0x77777777) + 0x77777777) | differ | 0x77777777) >>> 3;
    first += same & 0x01010101;
    second += (same >>> 4) & 0x01010101;
  }
  return Math.min(bytesSum(first), bytesSum(second));
}

function bytesSum(word: number): number {
  return (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
}
