/** Texts for tests of near duplicates, and their true similarity. */
import { cutShingles } from '../../../../src/export/curate/near/shingles.ts';
import {
  countShared,
  expectedShared,
  SIGNATURE_WORDS,
  VALUES,
} from '../../../../src/export/curate/near/signature.ts';

export type Random = () => number;

/** Random numbers in [0, 1), the same for the same seed: mulberry32, by Tommy Ettinger. */
export function generator(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function words(count: number, random: Random): string[] {
  return Array.from({ length: count }, () => wordOf(random));
}

/** The words with `count` consecutive ones replaced. */
export function changed(
  from: readonly string[],
  { at, count }: { at: number; count: number },
  random: Random,
): string[] {
  return from.map((word, index) => (index >= at && index < at + count ? wordOf(random) : word));
}

/** All shingles of a text, each once. */
export function shinglesOf(text: string): Set<number> {
  const shingles = new Set<number>();
  cutShingles(text, (block, count) => {
    for (let at = 0; at < count; at++) shingles.add(block[at]!);
  });
  return shingles;
}

/** Jaccard similarity: the size of the intersection divided by that of the union. */
export function jaccard<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): number {
  let both = 0;
  for (const each of a) if (b.has(each)) both += 1;
  return both / (a.size + b.size - both);
}

/** The similarity of two texts according to their signatures: below 0 when fewer values are equal than by chance. */
export function estimated(a: Uint8Array, b: Uint8Array): number {
  const part = countShared(wordsOf(a), 0, wordsOf(b), 0) / VALUES;
  return (part - expectedShared(0)) / (1 - expectedShared(0));
}

function wordsOf(signature: Uint8Array): Int32Array {
  return new Int32Array(signature.slice().buffer, 0, SIGNATURE_WORDS);
}

function wordOf(random: Random): string {
  return Math.floor(random() * 36 ** 6).toString(36);
}
