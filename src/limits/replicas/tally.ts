import type { Window } from '../window.ts';
import type { Amount } from './script.ts';

/** Unreported usage by slice. It may be negative: reported usage can be taken back. */
export class Tally {
  readonly #window: Window | undefined;
  #amounts: { startMs: number; endMs: number; forgetMs: number; amount: number }[];

  constructor(window: Window | undefined, amounts: readonly Amount[] = []) {
    this.#window = window;
    this.#amounts = amounts.map((each) => ({ ...each }));
  }

  get empty(): boolean {
    return this.#amounts.length === 0;
  }

  get amounts(): readonly Amount[] {
    return this.#amounts;
  }

  add(amount: number, atMs: number): void {
    if (amount === 0 || !this.#window) return;
    const wanted = amountOf(this.#window, atMs, amount);
    const found = this.#amounts.findLast(({ startMs }) => startMs === wanted.startMs);
    if (found) found.amount += amount;
    else this.#amounts.push(wanted);
  }

  /** The part that still counts. */
  total(nowMs: number): number {
    let total = 0;
    for (const { amount, forgetMs } of this.#amounts) if (forgetMs > nowMs) total += amount;
    return total;
  }

  /** When nothing of it counts any more. */
  emptyAt(nowMs: number): number {
    let last = nowMs;
    for (const { amount, forgetMs } of this.#amounts) if (amount > 0) last = Math.max(last, forgetMs);
    return last;
  }
}

/** Adds an amount to the slice of a moment. */
export function amountOf(window: Window, atMs: number, amount: number): Amount {
  const slice = window.slice(atMs);
  return { ...slice, forgetMs: window.forgets(slice), amount };
}
