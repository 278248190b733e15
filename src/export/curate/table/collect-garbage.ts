/** The number of rows whose garbage is worth a collection, which takes some milliseconds. */
export const MANY_ROWS = 50_000;

/**
 * Collects garbage as work on rows goes on: the collector does not hurry while the machine has memory.
 * @returns to be called with how many rows were worked on so far
 */
export function collectGarbageEvery(rows: number): (done: number) => void {
  let next = rows;
  return (done) => {
    if (done < next) return;
    Bun.gc(true);
    next = done + rows;
  };
}

/**
 * Collects garbage at the end of a task on so many rows, if that is worth it.
 * @param freed kept when something large is free, which is waited for
 */
export async function collectGarbageAfter(rows: number, freed?: Promise<void>): Promise<void> {
  if (rows <= MANY_ROWS) return;
  await freed;
  Bun.gc(true);
}
