/** A part of a file in memory. */
export interface Kept {
  /** The higher, the later it was asked for. */
  used: number;
}

/** The part that has not been asked for for the longest time. */
export function longestUnused<K extends Kept>(all: readonly K[]): K {
  let unused = all[0]!;
  for (const each of all) if (each.used < unused.used) unused = each;
  return unused;
}
