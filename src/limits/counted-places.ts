import type { Taken } from './cells.ts';
import type { Places } from './limits.ts';

/** How often one tries again that lost a race for the last place: the winner may be gone at once. */
export const RACES = 8;

/** Places that are counted. */
export class CountedPlaces implements Places {
  readonly #taken: Taken;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  /**
   * Takes a place first and looks then: of all that do so at once, the last to look sees all. Two that meet at the
   * last place may both step back, and try again.
   */
  take(most: number): boolean {
    if (most === Infinity) return this.#add();
    for (let race = 0; race < RACES; race += 1) {
      if (this.taken >= most) return false;
      this.#add();
      if (this.taken <= most) return true;
      this.free();
    }
    return false;
  }

  free(): void {
    this.#taken.add(-1);
  }

  get taken(): number {
    return this.#taken.total();
  }

  #add(): true {
    this.#taken.add(1);
    return true;
  }
}
