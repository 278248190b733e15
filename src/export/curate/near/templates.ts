/**
 * What many long prompts have in common: instructions and examples that a program sends with each request. It says
 * nothing about whether two rows are duplicates.
 *
 * A value of a signature comes from one shingle, for texts that share most of their shingles usually from the same one.
 * So what many rows share shows in their signatures: they agree in the same values. A single value of 4 bits is equal by
 * chance too often to be counted; two adjacent ones show a template of few rows among few, three one among many.
 */
import { PROMPT, valueAt, VALUES } from './signature.ts';

/** The values of the second texts. */
const SHOWN = VALUES / 2;

/** The values that are counted together, and the numbers that they form. */
interface Run {
  readonly length: number;
  readonly numbers: number;
  /**
   * The least number of rows with the same run. As not all rows of a template have all of its values, a template has
   * a few more.
   */
  readonly leastRows: number;
}
const RUNS: readonly Run[] = [
  { length: 2, numbers: 16 ** 2, leastRows: 8 },
  { length: 3, numbers: 16 ** 3, leastRows: 6 },
];

/** By how many standard deviations, and additional rows, a count must exceed the one that is expected by chance. */
const DEVIATIONS = 6;
const MARGIN = 4;

export class Templates {
  readonly #counts = RUNS.map(({ length, numbers }) => new Int32Array((SHOWN - length + 1) * numbers));
  #rows = 0;
  readonly #values = new Uint8Array(SHOWN);
  readonly #mask = new Int32Array(VALUES / 8);

  /** @param signature of a pair of texts; see PairHasher */
  count(signature: Uint8Array): void {
    const whole = signature.subarray(4 * PROMPT);
    if (whole.every((byte) => byte === 0)) return;
    this.#rows += 1;
    for (let at = 0; at < SHOWN; at++) this.#values[at] = signature[at]! >>> 4;
    for (const [run, counts] of this.#counts.entries())
      this.#eachRun(RUNS[run]!, (place) => (counts[place]! += 1));
  }

  /**
   * The values of a row's second text that are common, as `agreement()` takes them; valid until the next call.
   * `undefined` if there are none.
   */
  maskOf(words: Int32Array, from: number): Int32Array | undefined {
    if (words[from + PROMPT] === 0) return undefined;
    for (let at = 0; at < SHOWN; at++) this.#values[at] = valueAt(words, from, 2 * at + 1);
    const mask = this.#mask.fill(0);
    let any = false;
    for (const [index, counts] of this.#counts.entries()) {
      const run = RUNS[index]!;
      const least = leastCount(this.#rows, run);
      this.#eachRun(run, (place, first) => {
        if (counts[place]! < least) return;
        for (let at = first; at < first + run.length; at++) mask[at >>> 2]! |= 0xf0 << (8 * (at & 3));
        any = true;
      });
    }
    return any ? mask : undefined;
  }

  /** Visits the runs of the current values: the place of its count, and its first value. */
  #eachRun({ length, numbers }: Run, visit: (place: number, first: number) => void): void {
    let number = 0;
    for (let at = 0; at < SHOWN; at++) {
      number = ((number << 4) | this.#values[at]!) & (numbers - 1);
      const first = at - length + 1;
      if (first >= 0) visit(first * numbers + number, first);
    }
  }
}

/** The number of rows with the same run from which it is no coincidence. */
function leastCount(rows: number, { numbers, leastRows }: Run): number {
  const expected = rows / numbers;
  return Math.max(leastRows, expected + DEVIATIONS * Math.sqrt(expected) + MARGIN);
}
