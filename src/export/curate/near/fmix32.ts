/**
 * Mixes 32 bits so that each input bit flips half of the output bits: the finalizer of MurmurHash3, by Austin Appleby.
 * @returns signed, like all hashes here: JavaScript is slow with unsigned 32-bit numbers
 */
export function fmix32(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
