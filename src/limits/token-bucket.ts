import type { Cells, Taken } from './cells.ts';
import { Bucket } from './bucket.ts';
import { FULL_POLL_MS } from './limits.ts';
import { RACES } from './counted-places.ts';

/** The largest debt in minutes of the limit: an answer may be much longer than what was reserved for it. */
const DEBT_MINUTES = 10;

/**
 * Tokens per minute. What a call may use is held while it runs, and replaced by its actual usage at the end: the
 * amounts held and used never exceed the bucket together. If an answer used more than was held, the excess is paid off
 * before the next call; what a dead process held is released.
 */
export class TokenBucket {
  readonly #spent: Bucket;
  readonly #held: Taken;
  readonly #perMinute: number;

  constructor(cells: Cells, name: string, perMinute: number) {
    this.#spent = new Bucket(cells, name, perMinute, DEBT_MINUTES);
    this.#held = cells.taken(`held: ${name}`);
    this.#perMinute = perMinute;
  }

  /** When a call may begin, on the clock of `nowMs`: 0 for now. */
  readyAt(nowMs: number, tokens: number): number {
    const held = this.#held.total();
    const waitMs = this.#spent.waitMs(nowMs, this.#count(tokens), held);
    if (waitMs === 0) return 0;
    // A call that ends may free room earlier.
    return nowMs + (held > 0 ? Math.min(waitMs, FULL_POLL_MS) : waitMs);
  }

  /**
   * Holds what a call may use. A call that may use more than the whole bucket waits until it is full, and takes all of
   * it.
   * @returns the held amount, for `settle`; `undefined` if there is no room
   */
  hold(nowMs: number, tokens: number): number | undefined {
    const count = this.#count(tokens);
    // It is held first and checked afterwards: of all processes that do so at once, the last one to check sees all.
    for (let race = 0; race < RACES; race += 1) {
      if (this.#spent.waitMs(nowMs, count, this.#held.total()) > 0) return undefined;
      this.#held.add(count);
      if (this.#spent.waitMs(nowMs, count, this.#held.total() - count) === 0) return count;
      this.#held.add(-count);
    }
    return undefined;
  }

  /** @param used the actual number of tokens, whatever was held */
  settle(nowMs: number, held: number, used: number): void {
    // In this order no other process sees neither of the two amounts.
    this.#spent.spend(nowMs, used);
    this.#held.add(-held);
  }

  /** The amount to hold for a call: an integer, and no more than the bucket's size. */
  #count(tokens: number): number {
    return Math.min(Math.ceil(tokens), this.#perMinute);
  }
}
