import type { Standing } from './ledger.ts';

/** How long a warning without a window is not repeated, milliseconds. */
const HELD_MS = 60_000;

/** The number of meters whose warnings are remembered. */
const MAX_WARNED = 10_000;

/** What operators have been told about limits. */
export class Warnings {
  readonly #warned: Map<string, number>;

  /** @param warned until when a warning for a meter has been given; successive configurations share it */
  constructor(warned: Map<string, number>) {
    this.#warned = warned;
  }

  /** Whether this has not been reported in the current window. From now on it has. */
  isNew({ charge: { meter, limit } }: Standing, what: string, nowMs: number): boolean {
    const warned = this.#warned;
    const warning = `${what} ${meter}`;
    if ((warned.get(warning) ?? -Infinity) > nowMs) return false;
    if (warned.size >= MAX_WARNED) warned.clear();
    const { window } = limit;
    warned.set(warning, window ? window.forgets(window.slice(nowMs)) : nowMs + HELD_MS);
    return true;
  }
}
