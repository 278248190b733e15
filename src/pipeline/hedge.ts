/** Hedges that may follow each other at once. */
const BURST = 10;

/**
 * How many extra requests hedging may make: each request puts its share in, each hedge takes one out. A fresh
 * budget allows a few at once.
 */
export class HedgeBudget {
  #left = BURST;

  /** @param share extra requests for each request, from 0 to 1 */
  deposit(share: number): void {
    this.#left = Math.min(BURST, this.#left + share);
  }

  /** Whether there was one to take. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
