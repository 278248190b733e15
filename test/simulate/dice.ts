import { seeded } from '../helpers/broken/dice.ts';

/** Chance that is the same for a seed in every run. */
export class Dice {
  /** Uniform in [0, 1). */
  readonly next: () => number;

  /** @param label tells streams of one seed apart: drawing more from one leaves the others as they were */
  constructor(seed: number, label: string) {
    this.next = seeded((Math.imul(seed, 0x9e3779b1) ^ Number(Bun.hash.crc32(label))) >>> 0);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }
}
