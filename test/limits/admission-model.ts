/**
 * What limits are to do, said once more and as plainly as can be: each use is remembered with its moment, and added up anew
 * whenever somebody asks.
 */
import type { LimitConfig } from '../../src/config/schema/groups.ts';

/** What one limit is charged for. */
export interface Use {
  readonly meter: string;
  amount: number;
  /** The slice of time in which it counts, and the first moment at which it no longer does. */
  slice: Counted;
  /** That of a later use. */
  readonly sliceAt: (nowMs: number) => Counted;
  /** Whether it counts as used later, since the clock was set back. */
  again: boolean;
}

export interface Counted {
  readonly startMs: number;
  readonly untilMs: number;
}

const HOUR_MS = 3_600_000;

/** A request under way, as one meter knows it. */
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
   * Somebody looked: what no longer counts is not remembered again, should the clock be set back, and what is ahead by
   * more than its window or an hour counts as used now.
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

/** What a request is expected to use of a limit, and what of it is known beforehand. */
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
  // What is unknown may be nothing so far: a limit on tokens that is used up has no room for it all the same.
  const least = tokens !== undefined && !bounded ? 1 : 0;
  return [Math.max(least, both(output)), both(bounded ? output : 0)];
}

/** Units of money; prices are whole units a token here, so that nothing is rounded. */
export function unitsFor(
  input: number,
  output: number,
  price: { readonly input: number; readonly output: number },
): number {
  return input * price.input + output * price.output;
}
