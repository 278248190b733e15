/** So many rows leave garbage that is worth a sweep, which takes some milliseconds. */
const MANY_ROWS = 50_000;

/** Sweeps garbage as work on rows goes on: the collector does not hurry while the machine has memory. */
export class Sweeper {
  #next = MANY_ROWS;

  /** @param rows how many were worked on so far */
  at(rows: number): void {
    if (rows < this.#next) return;
    Bun.gc(true);
    this.#next = rows + MANY_ROWS;
  }
}

/**
 * Sweeps garbage at the end of a task on so many rows, if that is worth it.
 * @param freed kept when something large is free, which is waited for
 */
export async function sweepAfter(rows: number, freed?: Promise<void>): Promise<void> {
  if (rows <= MANY_ROWS) return;
  await freed;
  Bun.gc(true);
}
