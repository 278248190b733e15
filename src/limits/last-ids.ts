/** How many of the last requests are listed in the store, so that they can be found in the request log. */
export const LAST_IDS = 64;

/** Adds the ID of a request that is counted, and drops the oldest ones. */
export function noteId(ids: string[], id: string): void {
  ids.push(id);
  if (ids.length > 2 * LAST_IDS) ids.splice(0, LAST_IDS);
}
