import type { Cells, Taken } from './cells.ts';
import { Bucket } from './bucket.ts';
import { FULL_POLL_MS } from './limits.ts';
import { RACES } from './counted-places.ts';

/** More than so many minutes of the limit nobody pays off: an answer that was so much longer than was reserved for it. */
const DEBT_MINUTES = 10;

/**
 * Tokens a minute. What a call may use is held while it runs, and becomes what it has used at its end: what is held and what
 * is spent are never more together than the bucket holds. An answer that used more than was held is paid off before the next
 * call, and what a process held that died is given back.
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
    // A call that ends may leave room sooner.
    return nowMs + (held > 0 ? Math.min(waitMs, FULL_POLL_MS) : waitMs);
  }

  /**
   * Holds what a call may use. One that may use more than there ever is has the whole bucket, when it is full.
   * @returns how much is held, to be given to `settle`; `undefined` where there is no room
   */
  hold(nowMs: number, tokens: number): number | undefined {
    const count = this.#count(tokens);
    // It is held first and looked at then: of all that do so at once, the last to look sees all.
    for (let race = 0; race < RACES; race += 1) {
      if (this.#spent.waitMs(nowMs, count, this.#held.total()) > 0) return undefined;
      this.#held.add(count);
      if (this.#spent.waitMs(nowMs, count, this.#held.total() - count) === 0) return count;
      this.#held.add(-count);
    }
    return undefined;
  }

  /** @param used tokens, whatever was held */
  settle(nowMs: number, held: number, used: number): void {
    // In this order nobody sees neither of them.
    this.#spent.spend(nowMs, used);
    this.#held.add(-held);
  }

  /** What a call is to hold: whole tokens, and no more than there are. */
  #count(tokens: number): number {
    return Math.min(Math.ceil(tokens), this.#perMinute);
  }
}
