import type { Taken } from './cells.ts';
import type { Places } from './limits.ts';

/** How often a process retries that lost a race for the last place: the winner may be gone at once. */
export const RACES = 8;

/** A counter of occupied places. */
export class CountedPlaces implements Places {
  readonly #taken: Taken;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  /**
   * Takes places first and checks afterwards: of all processes that do so at once, the last one to check sees all. Two
   * that meet at the last place may both step back, and retry.
   * @param count the number of places: all are taken or none
   */
  take(most: number, count = 1): boolean {
    if (most === Infinity) return this.#add(count);
    for (let race = 0; race < RACES; race += 1) {
      if (this.taken + count > most) return false;
      this.#add(count);
      if (this.taken <= most) return true;
      this.free(count);
    }
    return false;
  }

  free(count = 1): void {
    this.#taken.add(-count);
  }

  get taken(): number {
    return this.#taken.total();
  }

  #add(count: number): true {
    this.#taken.add(count);
    return true;
  }
}
