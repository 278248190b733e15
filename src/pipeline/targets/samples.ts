const SIZE = 256;

/** The number of measurements from which a quantile is used. */
export const MIN_SAMPLES = 20;

/** The last 256 measurements, for quantiles. */
export class Samples {
  readonly #values: number[] = [];
  #next = 0;

  get count(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % SIZE;
  }

  /** @param q from 0 to 1 @returns `null` without measurements */
  quantile(q: number): number | null {
    if (this.#values.length === 0) return null;
    const sorted = this.#values.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  }
}
