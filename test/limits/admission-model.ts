/**
 * A model of limits, as simple as possible: each use is stored with its time, and the uses are added up on every check.
 */
import type { LimitConfig } from '../../src/config/schema/groups.ts';

/** A use that is charged to one limit. */
export interface Use {
  readonly meter: string;
  amount: number;
  /** The slice of time in which it counts, and the first time at which it no longer does. */
  slice: Counted;
  /** The slice of a use at a later time. */
  readonly sliceAt: (nowMs: number) => Counted;
  /** Whether it was moved to a later time, since the clock was set back. */
  again: boolean;
}

export interface Counted {
  readonly startMs: number;
  readonly untilMs: number;
}

const HOUR_MS = 3_600_000;

/** A request in flight, as one meter sees it. */
export interface Held {
  readonly meter: string;
  amount: number;
}

export class Book {
  #uses: Use[] = [];
  readonly #held = new Set<Held>();

  used(meter: string, nowMs: number): number {
    return this.#uses
      .filter((use) => use.meter === meter && use.slice.untilMs > nowMs)
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  /**
   * Called at each check: forgets expired uses, even if the clock is set back later, and moves uses that are ahead by
   * more than their window or an hour to the present.
   */
  look(nowMs: number): void {
    this.#uses = this.#uses.filter(({ slice }) => slice.untilMs > nowMs);
    for (const use of this.#uses) {
      const { startMs, untilMs } = use.slice;
      if (nowMs >= startMs - Math.min(HOUR_MS, untilMs - startMs)) continue;
      use.slice = use.sliceAt(nowMs);
      use.again = true;
    }
  }

  /** Whether a use still counts. */
  has(use: Use): boolean {
    return this.#uses.includes(use);
  }

  held(meter: string): number {
    return [...this.#held]
      .filter((each) => each.meter === meter)
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  use(meter: string, amount: number, sliceAt: Use['sliceAt'], nowMs: number): Use {
    const use = { meter, amount, slice: sliceAt(nowMs), sliceAt, again: false };
    this.#uses.push(use);
    return use;
  }

  hold(meter: string, amount: number): Held {
    const held = { meter, amount };
    this.#held.add(held);
    return held;
  }

  release(held: Held): void {
    this.#held.delete(held);
  }
}

/** How much of a limit a request is expected to use, and how much of that is known in advance. */
export function expectedOf(
  { requests, tokens, budget, concurrent, count }: LimitConfig,
  { input, output, bounded }: { readonly input: number; readonly output: number; readonly bounded: boolean },
  price: { readonly input: number; readonly output: number },
): readonly [amount: number, known: number] {
  if (requests !== undefined || concurrent !== undefined) return [1, 1];
  const both = (out: number): number => {
    if (budget !== undefined) return unitsFor(input, out, price);
    return (count === 'output' ? 0 : input) + (count === 'input' ? 0 : out);
  };
  if (tokens === undefined && budget === undefined) throw new Error('no kind');
  // Unknown usage may still be nothing, but an exhausted token limit refuses it all the same.
  const least = tokens !== undefined && !bounded ? 1 : 0;
  return [Math.max(least, both(output)), both(bounded ? output : 0)];
}

/** Units of money; prices here are whole units per token, so that nothing is rounded. */
export function unitsFor(
  input: number,
  output: number,
  price: { readonly input: number; readonly output: number },
): number {
  return input * price.input + output * price.output;
}
