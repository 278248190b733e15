import { VALUES } from './signature.ts';

/** The few rows that agree with one in the most values: those with more come first, the earlier row among equals. */
export class Nearest {
  readonly #most: number;
  #rows: number[] = [];
  #shared: number[] = [];

  /** @param most the number of rows kept */
  constructor(most: number) {
    this.#most = most;
  }

  get rows(): number[] {
    return this.#rows;
  }

  /** Whether no row can be nearer than those found. */
  get complete(): boolean {
    return this.#rows.length === this.#most && this.#shared.at(-1) === VALUES;
  }

  /** Whether a row is equal, as far as values tell. */
  get same(): boolean {
    return this.#shared[0] === VALUES;
  }

  offer(row: number, shared: number): void {
    let place = this.#rows.length;
    while (place > 0 && this.#isNearer(row, shared, place - 1)) place -= 1;
    if (place === this.#most) return;
    this.#rows.splice(place, 0, row);
    this.#shared.splice(place, 0, shared);
    if (this.#rows.length > this.#most) {
      this.#rows.pop();
      this.#shared.pop();
    }
  }

  #isNearer(row: number, shared: number, place: number): boolean {
    const there = this.#shared[place]!;
    return shared > there || (shared === there && row < this.#rows[place]!);
  }
}
