import { fmix32 } from './fmix32.ts';
import type { Cut } from './shingles.ts';
import { cutShingles, LONG } from './shingles.ts';
import { PROMPT, SIGNATURE_BYTES, VALUES } from './signature.ts';

/** How many shingles are hashed again for empty bins, if necessary. With more, a bin is hardly ever empty. */
const MAX_KEPT = 1_024;
const SLOTS = 4 * MAX_KEPT;
/** A bin holds, in its upper bits, the round that filled it, so that an earlier round wins, and 22 bits of a hash. */
const ROUND = 22;
const HASH = 2 ** ROUND - 1;
const EMPTY = 2 ** 31 - 1;
const STEP = 0x9e3779b9 | 0;

/**
 * Makes signatures of texts: two of them agree in each value with the probability that a shingle of the texts is in
 * both (Jaccard), and otherwise by chance, once in 16.
 *
 * Each shingle is hashed once, into the bin of one value, which keeps the smallest hash. As long as bins are empty,
 * which is the case for some of them except in long texts, the shingles are hashed again into those.
 * @see https://arxiv.org/abs/1704.04370 Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching
 */
export class MinHasher {
  readonly #seed: number;
  readonly #values: number;
  readonly #bins: Int32Array;
  #filled = 0;
  /** The first distinct shingles, and a hash table of them: their indexes plus one. */
  readonly #kept = new Int32Array(MAX_KEPT);
  readonly #slots = new Uint16Array(SLOTS);
  #length = 0;
  /** The text whose values were computed last. */
  #cut: Cut = { words: 0, whole: 0 };
  readonly #take = (block: Int32Array, count: number): void => {
    this.#hash(block, count, 0);
    if (this.#filled < this.#values) this.#keep(block, count);
  };

  /**
   * @param options.seed an integer; signatures with different seeds are independent
   * @param options.values per text, a power of two up to 256
   */
  constructor({ seed, values = VALUES }: { readonly seed: number; readonly values?: number }) {
    this.#seed = fmix32(seed);
    this.#values = values;
    this.#bins = new Int32Array(values);
  }

  /** Facts about the text whose values were computed last. */
  get cut(): Cut {
    return this.#cut;
  }

  /** The signature of any text: {@link SIGNATURE_BYTES}, in linear time. */
  signature(text: string): Uint8Array {
    const values = this.values(text);
    const signature = new Uint8Array(SIGNATURE_BYTES);
    for (let at = 0; at < values.length; at++) signature[at >>> 1]! |= values[at]! << (4 * (at & 1));
    return signature;
  }

  /** The values of any text, of 4 bits each, which distinguish different shingles 15 times in 16. */
  values(text: string): Uint8Array {
    this.#bins.fill(EMPTY);
    this.#filled = 0;
    this.#length = 0;
    this.#cut = cutShingles(text, this.#take);
    // In the first half of the rounds hashes fall into any bin, in the second half each round fills one bin.
    for (let round = 1; this.#filled < this.#values && round < 2 * this.#values; round++)
      this.#hash(this.#kept, this.#length, round);
    const bins = this.#bins;
    const values = new Uint8Array(bins.length);
    for (let at = 0; at < bins.length; at++) values[at] = fmix32(bins[at]!) >>> 28;
    return values;
  }

  /** Without branches on the hashes, which no processor could predict. */
  #hash(shingles: Int32Array, count: number, round: number): void {
    const bins = this.#bins;
    const factor = fmix32(this.#seed + Math.imul(round, STEP)) | 1;
    const rank = round << ROUND;
    const values = this.#values;
    const [any, one] = round < values ? [values - 1, 0] : [0, round - values];
    let filled = this.#filled;
    for (let at = 0; at < count; at++) {
      const hash = Math.imul(shingles[at]!, factor);
      const bin = ((hash >>> 24) & any) | one;
      const least = bins[bin]!;
      // The only one that overflows is EMPTY.
      filled += ((least + 1) | 0) >>> 31;
      bins[bin] = Math.min(least, rank | ((hash ^ (hash >>> 15)) & HASH));
    }
    this.#filled = filled;
  }

  #keep(shingles: Int32Array, count: number): void {
    const [kept, slots] = [this.#kept, this.#slots];
    let length = this.#length;
    // In long texts the first shingles fill all bins, and none is kept.
    if (length === 0) slots.fill(0);
    for (let at = 0; at < count && length < MAX_KEPT; at++) {
      const hash = shingles[at]!;
      let slot = hash & (SLOTS - 1);
      while (slots[slot]! !== 0 && kept[slots[slot]! - 1]! !== hash) slot = (slot + 1) & (SLOTS - 1);
      if (slots[slot]! !== 0) continue;
      kept[length++] = hash;
      slots[slot] = length;
    }
    this.#length = length;
  }
}

/**
 * Makes signatures of pairs of texts: half of the values are from the first text, half from the second, alternating, so
 * that each band of values has some of both. A long second text is also hashed as a whole if the first one is short: then
 * the second one decides, and it may consist of a template for the most part.
 */
export class PairHasher {
  readonly #hasher: MinHasher;

  constructor({ seed }: { readonly seed: number }) {
    this.#hasher = new MinHasher({ seed, values: VALUES / 2 });
  }

  signature(first: string, second: string): Uint8Array {
    const signature = new Uint8Array(SIGNATURE_BYTES);
    signature.set(this.#hasher.values(first));
    const short = this.#hasher.cut.words < LONG;
    const values = this.#hasher.values(second);
    for (let at = 0; at < values.length; at++) signature[at]! |= values[at]! << 4;
    const { words, whole } = this.#hasher.cut;
    if (short && words >= LONG) new DataView(signature.buffer).setInt32(4 * PROMPT, whole | 1, true);
    return signature;
  }
}
