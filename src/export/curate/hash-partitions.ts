/** A share of all hashes: each hash is in one. */
export interface Part {
  /** @param lo the second half of a hash */
  has(lo: number): boolean;
  /** Hashes in it, about. */
  readonly size: number;
}

/** Hashes in one part: a table of them takes some 12 MB. */
const PART = 2 ** 19;

/** Divides hashes into parts, so that the table of one part stays small. Each part takes another pass over all rows. */
export function* partsOf(hashes: number): Generator<Part> {
  let parts = 1;
  while (parts * PART < hashes) parts *= 2;
  for (let part = 0; part < parts; part++)
    yield { size: Math.ceil(hashes / parts), has: (lo) => (lo & (parts - 1)) === part };
}
