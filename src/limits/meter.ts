import type { Counter } from './ledger.ts';
import type { Slice, Window } from './window.ts';

/** The usage in one slice of time. */
interface Used extends Slice {
  amount: number;
}

/**
 * Usage this far in the future, or as far as its window is long, was counted before the clock was set back, and would
 * count until then. Clocks that are set back by less change nothing.
 */
const AHEAD_MS = 3_600_000;

/** A meter as it is persisted: the usage by slice. */
export type StoredMeter = readonly (readonly [startMs: number, endMs: number | null, amount: number])[];

/**
 * How much of one limit is used, and how much of it is reserved by running requests. Amounts are integers, so that sums
 * are exact.
 */
export class Meter implements Counter {
  readonly #window: Window | undefined;
  /** In order of time; a window that does not roll has one. */
  readonly #slices: Used[] = [];
  #used = 0;
  #reserved = 0;
  /**
   * When the first slice expires, when the last one does, and before when that is too far ahead: most calls need no
   * more of the window than these.
   */
  #firstForgottenMs = Infinity;
  #lastForgottenMs = 0;
  #aheadMs = -Infinity;

  readonly #changed: ((meter: Meter) => void) | undefined;

  /**
   * @param window `undefined` for limits on concurrency, whose amounts are only held
   * @param changed called when the used amount changes
   */
  constructor(window: Window | undefined, stored: StoredMeter = [], changed?: (meter: Meter) => void) {
    this.#window = window;
    this.#changed = changed;
    for (const [startMs, endMs, amount] of stored) {
      this.#slices.push({ startMs, endMs: endMs ?? Infinity, amount });
      this.#used += amount;
    }
    this.#moved();
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** The amount used in the window that ends now. */
  used(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used;
  }

  room(most: number, nowMs: number): number {
    return most - this.used(nowMs) - this.#reserved;
  }

  /** Whether nothing is counted here. */
  idle(nowMs: number): boolean {
    return this.#reserved === 0 && this.used(nowMs) === 0 && this.#slices.length === 0;
  }

  hold(amount: number): void {
    this.#reserved += amount;
  }

  /** Releases a held amount. */
  release(amount: number): void {
    this.#reserved -= amount;
  }

  /** Adds to the used amount, or takes back what was added at an earlier moment. @param amount negative to take back */
  use(amount: number, atMs: number, nowMs: number): void {
    if (amount === 0 || !this.#window) return;
    this.#forget(nowMs);
    // Usually it is the last one.
    const last = this.#slices.at(-1);
    if (last && last.startMs <= atMs && atMs < last.endMs) this.#add(last, amount);
    else this.#useEarlierOrLater(this.#window, amount, atMs, nowMs);
    this.#changed?.(this);
  }

  /** When enough usage has expired for `wanted` more, regardless of what is held; `Infinity` for never. */
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

  /** When all of it is free again if nothing is used meanwhile; now if it already is. */
  emptyAt(nowMs: number): number {
    this.#forget(nowMs);
    return this.#used > 0 ? this.#lastForgottenMs : nowMs;
  }

  /** When nothing of it counts any more, epoch milliseconds. */
  get until(): number {
    return this.#lastForgottenMs;
  }

  stored(): StoredMeter {
    return this.#slices.map(({ startMs, endMs, amount }) => [
      startMs,
      Number.isFinite(endMs) ? endMs : null,
      amount,
    ]);
  }

  #useEarlierOrLater(window: Window, amount: number, atMs: number, nowMs: number): void {
    const wanted = window.slice(atMs);
    const found = this.#slices.findLast(({ startMs }) => startMs === wanted.startMs);
    if (found) return this.#add(found, amount);
    // What was counted again, since the clock was set back, is not taken back: it may no longer count.
    if (amount <= 0) return;
    if (nowMs < this.#knownFrom(wanted)) this.#useEarlierOrLater(window, amount, nowMs, nowMs);
    else if (window.forgets(wanted) > nowMs) this.#begin(wanted, amount);
  }

  #begin({ startMs, endMs }: Slice, amount: number): void {
    const used = { startMs, endMs, amount };
    // After a clock was set back, a slice may be earlier than the last one.
    const after = this.#slices.findIndex((slice) => slice.startMs > startMs);
    if (after < 0) this.#slices.push(used);
    else this.#slices.splice(after, 0, used);
    this.#used += amount;
    this.#moved();
  }

  #add(slice: Used, amount: number): void {
    const added = Math.max(amount, -slice.amount);
    slice.amount += added;
    this.#used += added;
  }

  #forget(nowMs: number): void {
    if (nowMs < this.#firstForgottenMs && nowMs >= this.#aheadMs) return;
    let first = this.#slices[0];
    while (first && this.#window!.forgets(first) <= nowMs) {
      this.#slices.shift();
      this.#used -= first.amount;
      first = this.#slices[0];
    }
    let ahead = 0;
    let last = this.#slices.at(-1);
    while (last && nowMs < this.#knownFrom(last)) {
      this.#slices.pop();
      this.#used -= last.amount;
      ahead += last.amount;
      last = this.#slices.at(-1);
    }
    this.#moved();
    if (ahead > 0) this.#countNow(ahead, nowMs);
  }

  /**
   * Counts what was used shortly before the clock was set back as if it were used now: for one window and not for
   * longer, and no window can be used twice.
   */
  #countNow(amount: number, nowMs: number): void {
    this.#useEarlierOrLater(this.#window!, amount, nowMs, nowMs);
    this.#changed?.(this);
  }

  /** The time before which the clock must have been set back. */
  #knownFrom(slice: Slice): number {
    return slice.startMs - Math.min(AHEAD_MS, this.#window!.forgets(slice) - slice.startMs);
  }

  /** The first or the last slice is another one. */
  #moved(): void {
    const first = this.#slices[0];
    const last = this.#slices.at(-1);
    this.#firstForgottenMs = first ? this.#window!.forgets(first) : Infinity;
    this.#lastForgottenMs = last ? this.#window!.forgets(last) : 0;
    this.#aheadMs = last ? this.#knownFrom(last) : -Infinity;
  }
}
