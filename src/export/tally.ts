/** Counts of one export, and where the first of each kind of trouble is. */
import type { LineProblem } from '../logs/reader.ts';
import type { Filter, Flaw } from './reasons.ts';

export interface BadLines {
  count: number;
  /** The first few, as "file:line". */
  readonly places: string[];
}

/** One line that gave no row though nobody asked to leave it out. */
export interface Trouble {
  readonly place: string;
  readonly kind: 'bad' | 'dropped';
  readonly reason: LineProblem | Flaw;
}

const PLACES = 3;

export class Tally {
  files = 0;
  /** Lines that are not blank. */
  lines = 0;
  rows = 0;
  readonly filtered = new Map<Filter, number>();
  readonly dropped = new Map<Flaw, number>();
  readonly bad = new Map<LineProblem, BadLines>();
  readonly #onTrouble: ((trouble: Trouble) => void) | undefined;

  /** @param onTrouble told each dropped record and bad line as it comes */
  constructor(onTrouble?: (trouble: Trouble) => void) {
    this.#onTrouble = onTrouble;
  }

  filter(reason: Filter): void {
    this.filtered.set(reason, (this.filtered.get(reason) ?? 0) + 1);
  }

  drop(reason: Flaw, place: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
    this.#onTrouble?.({ place, kind: 'dropped', reason });
  }

  spoil(reason: LineProblem, place: string): void {
    const lines = this.bad.get(reason) ?? { count: 0, places: [] };
    this.bad.set(reason, lines);
    lines.count += 1;
    if (lines.places.length < PLACES) lines.places.push(place);
    this.#onTrouble?.({ place, kind: 'bad', reason });
  }
}
