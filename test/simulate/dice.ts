import { seeded } from '../helpers/broken/dice.ts';

/** Random numbers that are the same for the same seed in every run. */
export class Dice {
  /** Uniform in [0, 1). */
  readonly next: () => number;

  /** @param label separates the streams of one seed: drawing more from one does not change the others */
  constructor(seed: number, label: string) {
    this.next = seeded((Math.imul(seed, 0x9e3779b1) ^ Number(Bun.hash.crc32(label))) >>> 0);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** An integer from `low` to `high`, both inclusive. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }
}
