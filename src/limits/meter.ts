import type { Counter } from './ledger.ts';
import type { Slice, Window } from './window.ts';

/** What was used in one slice of time. */
interface Used extends Slice {
  amount: number;
}

/**
 * What was counted so far ahead of now was counted by a clock that was wrong, and has been set right since: it would count until
 * that time comes. Clocks that are set back by less change nothing, so that nobody uses a window twice.
 */
const AHEAD_MS = 3_600_000;

/** A meter as it is kept: what was used, slice by slice. */
export type StoredMeter = readonly (readonly [startMs: number, endMs: number | null, amount: number])[];

/**
 * How much of one limit is used, and how much of it is reserved by what is under way. Amounts are whole numbers, so that
 * they add up exactly.
 */
export class Meter implements Counter {
  readonly #window: Window | undefined;
  /** In the order of time; a window that does not roll has one. */
  readonly #slices: Used[] = [];
  #used = 0;
  #reserved = 0;

  readonly #changed: ((meter: Meter) => void) | undefined;

  /**
   * @param window `undefined` for what is not used up, but only held
   * @param changed told when what is used is another amount
   */
  constructor(window: Window | undefined, stored: StoredMeter = [], changed?: (meter: Meter) => void) {
    this.#window = window;
    this.#changed = changed;
    for (const [startMs, endMs, amount] of stored) {
      this.#slices.push({ startMs, endMs: endMs ?? Infinity, amount });
      this.#used += amount;
    }
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** What is used in the window that ends now. */
  used(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used;
  }

  room(most: number, nowMs: number): number {
    return most - this.used(nowMs) - this.#reserved;
  }

  /** Whether nothing is remembered here. */
  idle(nowMs: number): boolean {
    return this.#reserved === 0 && this.used(nowMs) === 0 && this.#slices.length === 0;
  }

  hold(amount: number): void {
    this.#reserved += amount;
  }

  /** What was held is no longer. */
  release(amount: number): void {
    this.#reserved -= amount;
  }

  /** Adds to what is used, or takes back what an earlier moment added. @param amount less than 0 to take back */
  use(amount: number, atMs: number, nowMs: number): void {
    if (amount === 0 || !this.#window) return;
    this.#forget(nowMs);
    const wanted = this.#window.slice(atMs);
    // Nearly always it is the last one.
    const found = this.#slices.findLast(({ startMs }) => startMs === wanted.startMs);
    if (found) this.#add(found, amount);
    else if (amount > 0 && this.#window.forgets(wanted) > nowMs) this.#begin(wanted, amount);
    this.#changed?.(this);
  }

  /** When so much is no longer used that `wanted` more fits, whatever is held; `Infinity` when that is never. */
  freeAt(wanted: number, most: number, nowMs: number): number {
    this.#forget(nowMs);
    let free = most - this.#used;
    if (free >= wanted) return nowMs;
    for (const slice of this.#slices) {
      free += slice.amount;
      if (free >= wanted) return this.#window!.forgets(slice);
    }
    return Infinity;
  }

  /** When all of it is free again, if nothing is used meanwhile; now when it is. */
  emptyAt(nowMs: number): number {
    this.#forget(nowMs);
    const last = this.#slices.at(-1);
    return last && this.#used > 0 ? this.#window!.forgets(last) : nowMs;
  }

  /** When nothing of it counts any more, epoch milliseconds. */
  get until(): number {
    const last = this.#slices.at(-1);
    return last ? this.#window!.forgets(last) : 0;
  }

  stored(): StoredMeter {
    return this.#slices.map(({ startMs, endMs, amount }) => [
      startMs,
      Number.isFinite(endMs) ? endMs : null,
      amount,
    ]);
  }

  #begin({ startMs, endMs }: Slice, amount: number): void {
    const used = { startMs, endMs, amount };
    // A clock that was set back makes a slice before the last one.
    const after = this.#slices.findIndex((slice) => slice.startMs > startMs);
    if (after < 0) this.#slices.push(used);
    else this.#slices.splice(after, 0, used);
    this.#used += amount;
  }

  #add(slice: Used, amount: number): void {
    const added = Math.max(amount, -slice.amount);
    slice.amount += added;
    this.#used += added;
  }

  #forget(nowMs: number): void {
    let first = this.#slices[0];
    while (first && this.#window!.forgets(first) <= nowMs) {
      this.#slices.shift();
      this.#used -= first.amount;
      first = this.#slices[0];
    }
    let last = this.#slices.at(-1);
    while (last && last.startMs > nowMs + AHEAD_MS) {
      this.#slices.pop();
      this.#used -= last.amount;
      last = this.#slices.at(-1);
    }
  }
}
