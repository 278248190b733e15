/** A part of a file in memory. */
export interface Kept {
  /** Increases with each use. */
  used: number;
}

/** The least recently used part. */
export function longestUnused<K extends Kept>(all: readonly K[]): K {
  let unused = all[0]!;
  for (const each of all) if (each.used < unused.used) unused = each;
  return unused;
}
