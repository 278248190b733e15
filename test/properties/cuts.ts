import fc from 'fast-check';

/** Where to cut an input of any length: each number is a position, modulo the length. */
export const cuts = fc.array(fc.nat(1_000), { maxLength: 12 });

/** The input in pieces, some of which may be empty. */
export function cutAt<T extends string | Uint8Array>(whole: T, places: readonly number[]): T[] {
  const sorted = places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, n) => whole.slice(from, sorted[n]) as T);
}

/** All pieces as one. */
export function together(pieces: readonly (Uint8Array | undefined)[]): Uint8Array {
  return Buffer.concat(pieces.filter((piece) => piece !== undefined));
}
