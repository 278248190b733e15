/** A limit as a provider told it, which refills evenly. Times are on the monotonic clock. */
export class Refill {
  readonly #limit: number;
  readonly #msEach: number;
  #left: number;
  #atMs: number;

  /**
   * @param told.left how much there was at `atMs`; less than nothing where more was taken than there was
   * @param told.fullMs when all of it is there again, were nothing else taken
   */
  constructor({ limit, left, atMs, fullMs }: { limit: number; left: number; atMs: number; fullMs: number }) {
    this.#limit = limit;
    this.#left = left;
    this.#atMs = atMs;
    this.#msEach = (fullMs - atMs) / (limit - left);
  }

  /** So many are taken, whether they are there or not. */
  take(count: number, nowMs: number): void {
    this.#left = this.#at(nowMs) - count;
    this.#atMs = nowMs;
  }

  /** When there are so many, or all that there ever are. */
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
