/** The number of rows after which a garbage collection, which takes some milliseconds, is worthwhile. */
export const MANY_ROWS = 50_000;

/**
 * Collects garbage as work on rows progresses: the engine does not hurry while the machine has free memory.
 * @returns a function to be called with the number of rows processed so far
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
 * Collects garbage at the end of a task on this many rows, if that is worthwhile.
 * @param freed resolves when something large has been released
 */
export async function collectGarbageAfter(rows: number, freed?: Promise<void>): Promise<void> {
  if (rows <= MANY_ROWS) return;
  await freed;
  Bun.gc(true);
}
