/** A histogram of durations: quantiles are accurate to a twentieth. */

/** The number of buckets per doubling. */
const STEPS = 8;
/** From 1 ms to over an hour. */
const SIZE = 22 * STEPS;

export class Histogram {
  readonly #counts = new Uint32Array(SIZE);
  #total = 0;

  add(ms: number): void {
    const at = Math.floor(Math.log2(Math.max(1, ms)) * STEPS);
    this.#counts[Math.min(SIZE - 1, at)]! += 1;
    this.#total += 1;
  }

  merge(other: Histogram): void {
    for (const [at, count] of other.#counts.entries()) this.#counts[at]! += count;
    this.#total += other.#total;
  }

  /** Milliseconds; null if it is empty. @param share from 0 to 1 */
  quantile(share: number): number | null {
    if (this.#total === 0) return null;
    const wanted = share * this.#total;
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      if (count > 0 && seen + count >= wanted) {
        const within = (wanted - seen) / count;
        return 2 ** ((at + within) / STEPS);
      }
      seen += count;
    }
    return 2 ** (SIZE / STEPS);
  }
}
