/**
 * What many long prompts have in common: instructions and examples that a program sends with each request. It says
 * nothing about whether two rows are duplicates.
 *
 * A value of a signature comes from one shingle, for texts that share most of their shingles usually from the same one.
 * So what many rows share shows in their signatures: they agree in the same values. A single value of 4 bits is equal by
 * chance too often to be counted, two adjacent ones are not.
 */
import { PROMPT, valueAt, VALUES } from './signature.ts';

/** The share of the long prompts from which two adjacent values are common; by chance it is 1 in 256. */
const SHARE = 0.05;
/** The number of rows from which they are. */
const LEAST_ROWS = 8;

/** The values of the second texts, and the numbers that two of them form. */
const SHOWN = VALUES / 2;
const PAIR = 256;

export class Templates {
  readonly #counts = new Int32Array((SHOWN - 1) * PAIR);
  #rows = 0;
  readonly #mask = new Int32Array(VALUES / 8);

  /** @param signature of a pair of texts; see PairHasher */
  count(signature: Uint8Array): void {
    const whole = signature.subarray(4 * PROMPT);
    if (whole.every((byte) => byte === 0)) return;
    this.#rows += 1;
    for (let at = 0; at < SHOWN - 1; at++)
      this.#counts[at * PAIR + ((signature[at]! >>> 4) | (signature[at + 1]! & 0xf0))]! += 1;
  }

  /**
   * The values of a row's second text that are common, as `agreement()` takes them; valid until the next call.
   * `undefined` if there are none.
   */
  maskOf(words: Int32Array, from: number): Int32Array | undefined {
    if (words[from + PROMPT] === 0 || this.#rows < LEAST_ROWS) return undefined;
    const least = Math.max(LEAST_ROWS, SHARE * this.#rows);
    const mask = this.#mask.fill(0);
    let any = false;
    let value = valueAt(words, from, 1);
    for (let at = 0; at < SHOWN - 1; at++) {
      const next = valueAt(words, from, 2 * at + 3);
      if (this.#counts[at * PAIR + (value | (next << 4))]! >= least) {
        mask[at >>> 2]! |= 0xf0 << (8 * (at & 3));
        mask[(at + 1) >>> 2]! |= 0xf0 << (8 * ((at + 1) & 3));
        any = true;
      }
      value = next;
    }
    return any ? mask : undefined;
  }
}
