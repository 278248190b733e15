/**
 * What limits are to do, said once more and as plainly as can be: each use is remembered with its moment, and added up anew
 * whenever somebody asks.
 */
import type { LimitConfig } from '../../src/config/schema/groups.ts';

/** What one limit is charged for. */
export interface Use {
  readonly meter: string;
  amount: number;
  /** The first moment at which it no longer counts. */
  readonly untilMs: number;
}

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
      .filter((use) => use.meter === meter && use.untilMs > nowMs)
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  /** Somebody looked: what no longer counts is not remembered again, should the clock be set back. */
  look(nowMs: number): void {
    this.#uses = this.#uses.filter(({ untilMs }) => untilMs > nowMs);
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

  use(meter: string, amount: number, untilMs: number): Use {
    const use = { meter, amount, untilMs };
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
