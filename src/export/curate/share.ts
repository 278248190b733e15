/**
 * A number in [0, 1) that depends only on a row and a seed.
 * @param hi and lo: a hash of the row
 */
export function shareOf(hi: number, lo: number, seed: number): number {
  return mixed(hi ^ mixed(lo ^ mixed(seed))) / 2 ** 32;
}

/** The finalizer of MurmurHash3, by Austin Appleby: every input bit flips half of the output bits. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
