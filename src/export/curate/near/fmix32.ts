/**
 * Mixes 32 bits so that each of them changes half of the others: the finalizer of MurmurHash3, by Austin Appleby.
 * @returns signed, as all hashes here: JavaScript is slow with numbers of 32 bits that have no sign
 */
export function fmix32(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
