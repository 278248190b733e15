import type { Counter } from './ledger.ts';
import type { Limit } from './limit.ts';
import type { Meter } from './meter.ts';
import type { Slice, Window } from './window.ts';

/** What was used and is held of one meter, beyond what is written. */
class Late {
  readonly limit: Limit;
  held = 0;
  /** Amounts may be negative: what is written may be taken back. */
  readonly slices: { readonly slice: Slice; readonly atMs: number; amount: number }[] = [];

  constructor(limit: Limit) {
    this.limit = limit;
  }

  use(window: Window, amount: number, atMs: number, nowMs: number): void {
    let first = this.slices[0];
    while (first && window.forgets(first.slice) <= nowMs) {
      this.slices.shift();
      first = this.slices[0];
    }
    const slice = window.slice(atMs);
    const known = this.slices.findLast(({ slice: { startMs } }) => startMs === slice.startMs);
    if (known) known.amount += amount;
    else this.slices.push({ slice, atMs, amount });
  }
}

/** What a process has counted and could not write yet, by the names of meters. */
export class Unwritten {
  readonly #late = new Map<string, Late>();

  /** The number of meters. */
  get size(): number {
    return this.#late.size;
  }

  get places(): { readonly limit: Limit; readonly name: string }[] {
    return Array.from(this.#late, ([name, { limit }]) => ({ limit, name }));
  }

  has(name: string): boolean {
    return this.#late.has(name);
  }

  /** Adds it to what is written. */
  addTo(meter: Counter, name: string, nowMs: number): void {
    const late = this.#late.get(name);
    if (!late) return;
    meter.hold(late.held);
    for (const { atMs, amount } of late.slices) meter.use(amount, atMs, nowMs);
  }

  /** A meter whose changes are noted here. */
  noting({ limit, name }: { readonly limit: Limit; readonly name: string }, meter: Meter): Counter {
    return new Noting(meter, () => {
      let late = this.#late.get(name);
      if (!late) this.#late.set(name, (late = new Late(limit)));
      return late;
    });
  }
}

/** A meter that also notes what changes. */
class Noting implements Counter {
  readonly #meter: Meter;
  readonly #late: () => Late;

  constructor(meter: Meter, late: () => Late) {
    this.#meter = meter;
    this.#late = late;
  }

  get reserved(): number {
    return this.#meter.reserved;
  }

  used(nowMs: number): number {
    return this.#meter.used(nowMs);
  }

  room(most: number, nowMs: number): number {
    return this.#meter.room(most, nowMs);
  }

  hold(amount: number): void {
    this.#meter.hold(amount);
    this.#late().held += amount;
  }

  release(amount: number): void {
    this.#meter.release(amount);
    this.#late().held -= amount;
  }

  use(amount: number, atMs: number, nowMs: number): void {
    this.#meter.use(amount, atMs, nowMs);
    const late = this.#late();
    const { window } = late.limit;
    if (window && amount !== 0) late.use(window, amount, atMs, nowMs);
  }

  freeAt(wanted: number, most: number, nowMs: number): number {
    return this.#meter.freeAt(wanted, most, nowMs);
  }

  emptyAt(nowMs: number): number {
    return this.#meter.emptyAt(nowMs);
  }
}
