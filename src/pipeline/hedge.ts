/** Hedges that a fresh budget allows at once. */
const BEGINNING = 10;

/** Hedges that may be saved up. */
const MOST = 100;

/**
 * How many extra requests hedging may make: each request puts its share in, each hedge takes one out. A fresh
 * budget allows a few at once.
 */
export class HedgeBudget {
  #left = BEGINNING;

  /** @param share extra requests for each request, from 0 to 1 */
  deposit(share: number): void {
    this.#left = Math.min(MOST, this.#left + share);
  }

  /** Whether there is one to take. */
  get allowsOne(): boolean {
    return this.#left >= 1;
  }

  /** Takes one, which must be made then. */
  take(): void {
    this.#left -= 1;
  }
}
