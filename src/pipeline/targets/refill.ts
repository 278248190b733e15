/** A provider's reported limit, which refills evenly. Times are on the monotonic clock. */
export class Refill {
  readonly #limit: number;
  readonly #msEach: number;
  #left: number;
  #atMs: number;

  /**
   * @param state.left the amount at `atMs`; negative if more was taken than there was
   * @param state.fullMs when all of it is available again, if nothing else is taken
   */
  constructor({ limit, left, atMs, fullMs }: { limit: number; left: number; atMs: number; fullMs: number }) {
    this.#limit = limit;
    this.#left = left;
    this.#atMs = atMs;
    this.#msEach = (fullMs - atMs) / (limit - left);
  }

  /** Takes an amount, whether or not it is available. */
  take(count: number, nowMs: number): void {
    this.#left = this.#at(nowMs) - count;
    this.#atMs = nowMs;
  }

  /** When this amount, or the largest possible one, is available. */
  readyAt(count: number, nowMs: number): number {
    const needed = Math.min(count, this.#limit);
    return this.#at(nowMs) >= needed ? nowMs : this.#atMs + (needed - this.#left) * this.#msEach;
  }

  #at(nowMs: number): number {
    return this.#msEach > 0
      ? Math.min(this.#limit, this.#left + (nowMs - this.#atMs) / this.#msEach)
      : this.#limit;
  }
}
