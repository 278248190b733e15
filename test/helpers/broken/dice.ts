import { select } from './catalogue.ts';

/** Random numbers in [0, 1) that are the same for the same seed in every run: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Reads shares such as `fault=0.05`. @throws on an unknown fault, or on a share that is not a number */
export function ratesOf(words: readonly string[]): ReadonlyMap<string, number> {
  const rates = words.map((word): [string, number] => {
    const at = word.lastIndexOf('=');
    const fault = word.slice(0, at);
    const share = Number(word.slice(at + 1));
    if (!(share >= 0 && share <= 1) || select(fault).fault === 'fine') {
      throw new Error(`Cannot read rate ${word}: expected FAULT=SHARE, FAULT of the catalogue`);
    }
    return [fault, share];
  });
  return new Map(rates);
}

/** Draws a fault by its share, and `fine` otherwise. */
export function drawer(rates: ReadonlyMap<string, number>, random: () => number): () => string {
  return () => {
    let left = random();
    for (const [fault, share] of rates) {
      if (left < share) return fault;
      left -= share;
    }
    return 'fine';
  };
}
