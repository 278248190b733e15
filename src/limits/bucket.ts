import type { Cells, Moment } from './cells.ts';

const MINUTE_US = 60_000_000;

/** How much the clocks of two processes may differ. */
const CLOCKS_DIFFER_US = 1_000_000;

/**
 * A bucket that refills evenly: a minute's worth may be spent at once, then as much as is refilled. Its state is a
 * single number: the moment at which it will be full again, which every use postpones. What a process has used stays
 * used when it dies.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Bucket {
  readonly #full: Moment;
  readonly #perMinute: number;
  readonly #offsetMs: number;
  readonly #mostUs: number;

  /** @param debtMinutes how many minutes' worth may be used beyond the available amount */
  constructor(cells: Cells, name: string, perMinute: number, debtMinutes = 0) {
    this.#full = cells.moment(name);
    this.#offsetMs = cells.offsetMs;
    this.#perMinute = perMinute;
    this.#mostUs = MINUTE_US * (1 + debtMinutes);
  }

  /**
   * How long until `count` may be taken, milliseconds; 0 for now. Amounts above a minute's worth wait for a full
   * bucket.
   * @param besides an amount that must remain available
   */
  waitMs(nowMs: number, count: number, besides = 0): number {
    const spentUs = this.#spentUs(this.#full.get(), this.#sharedUs(nowMs));
    return Math.max(0, spentUs + this.#us(besides) + this.#fittingUs(count) - MINUTE_US) / 1_000;
  }

  /** Takes an amount. @returns false if less is available */
  take(nowMs: number, count: number): boolean {
    const us = this.#us(count);
    const fittingUs = this.#fittingUs(count);
    return this.#change(nowMs, (spentUs) => (spentUs + fittingUs > MINUTE_US ? undefined : spentUs + us));
  }

  /** Takes an amount even if it is not available. */
  spend(nowMs: number, count: number): void {
    this.#change(nowMs, (spentUs) => spentUs + this.#us(count));
  }

  /** Returns an amount that was just taken. */
  giveBack(nowMs: number, count: number): void {
    this.#change(nowMs, (spentUs) => Math.max(0, spentUs - this.#us(count)));
  }

  /** @param next the new amount used; `undefined` to leave it unchanged */
  #change(nowMs: number, next: (spentUs: number) => number | undefined): boolean {
    const nowUs = this.#sharedUs(nowMs);
    for (;;) {
      const fullUs = this.#full.get();
      const spentUs = next(this.#spentUs(fullUs, nowUs));
      if (spentUs === undefined) return false;
      if (this.#full.move(fullUs, nowUs + Math.min(this.#mostUs, spentUs))) return true;
    }
  }

  /** The used amount, as the time that it takes to refill. */
  #spentUs(fullUs: number, nowUs: number): number {
    const spentUs = Math.max(0, fullUs - nowUs);
    // More than that cannot be used: the moment was written with another clock, by a process from before the machine
    // slept.
    return spentUs > this.#mostUs + CLOCKS_DIFFER_US ? 0 : spentUs;
  }

  /** The time in which this amount is refilled, at least one unit. */
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
