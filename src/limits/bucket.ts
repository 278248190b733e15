import type { Cells, Moment } from './cells.ts';

const MINUTE_US = 60_000_000;

/** By how much the clocks of two processes may differ. */
const CLOCKS_DIFFER_US = 1_000_000;

/**
 * A bucket that refills evenly: a minute's worth may be spent at once, then as much as comes back. It is one number: the
 * moment at which it will be full again, which whatever is spent puts off. What a process spent stays spent when it dies.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Bucket {
  readonly #full: Moment;
  readonly #perMinute: number;
  readonly #offsetMs: number;
  readonly #mostUs: number;

  /** @param debtMinutes how many minutes' worth may be spent beyond what there is */
  constructor(cells: Cells, name: string, perMinute: number, debtMinutes = 0) {
    this.#full = cells.moment(name);
    this.#offsetMs = cells.offsetMs;
    this.#perMinute = perMinute;
    this.#mostUs = MINUTE_US * (1 + debtMinutes);
  }

  /**
   * How long until `count` may be taken, milliseconds; 0 for now. What is more than a minute's worth waits for a full bucket.
   * @param besides what is not to be touched
   */
  waitMs(nowMs: number, count: number, besides = 0): number {
    const spentUs = this.#spentUs(this.#full.get(), this.#sharedUs(nowMs));
    return Math.max(0, spentUs + this.#us(besides) + this.#fittingUs(count) - MINUTE_US) / 1_000;
  }

  /** Takes so many. @returns false where there are fewer */
  take(nowMs: number, count: number): boolean {
    const us = this.#us(count);
    const fittingUs = this.#fittingUs(count);
    return this.#change(nowMs, (spentUs) => (spentUs + fittingUs > MINUTE_US ? undefined : spentUs + us));
  }

  /** Takes so many whether they are there or not. */
  spend(nowMs: number, count: number): void {
    this.#change(nowMs, (spentUs) => spentUs + this.#us(count));
  }

  /** Puts back what was taken just before. */
  giveBack(nowMs: number, count: number): void {
    this.#change(nowMs, (spentUs) => Math.max(0, spentUs - this.#us(count)));
  }

  /** @param next what will be spent; `undefined` to leave it */
  #change(nowMs: number, next: (spentUs: number) => number | undefined): boolean {
    const nowUs = this.#sharedUs(nowMs);
    for (;;) {
      const fullUs = this.#full.get();
      const spentUs = next(this.#spentUs(fullUs, nowUs));
      if (spentUs === undefined) return false;
      if (this.#full.move(fullUs, nowUs + Math.min(this.#mostUs, spentUs))) return true;
    }
  }

  /** How much is spent, as the time that it takes to come back. */
  #spentUs(fullUs: number, nowUs: number): number {
    const spentUs = Math.max(0, fullUs - nowUs);
    // Nobody can spend more than that: the moment is by another clock, of a process that began before the machine slept.
    return spentUs > this.#mostUs + CLOCKS_DIFFER_US ? 0 : spentUs;
  }

  /** The time in which so many come back, at least one unit. */
  #us(count: number): number {
    return count <= 0 ? 0 : Math.max(1, Math.floor((count * MINUTE_US) / this.#perMinute));
  }

  #fittingUs(count: number): number {
    return Math.min(MINUTE_US, this.#us(count));
  }

  #sharedUs(nowMs: number): number {
    return Math.round((nowMs + this.#offsetMs) * 1_000);
  }
}
