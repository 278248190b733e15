/** The number of hedges that a new budget allows at once. */
const BEGINNING = 10;

/** The largest number of hedges that can be saved up. */
const MOST = 100;

/**
 * The number of extra requests that hedging may make: each request adds its share, each hedge takes one. A new budget
 * allows a few at once.
 */
export class HedgeBudget {
  #left = BEGINNING;

  /** @param share extra requests per request, from 0 to 1 */
  deposit(share: number): void {
    this.#left = Math.min(MOST, this.#left + share);
  }

  /** Whether a hedge may be made. */
  get allowsOne(): boolean {
    return this.#left >= 1;
  }

  /** Takes one, which must then be made. */
  take(): void {
    this.#left -= 1;
  }
}
