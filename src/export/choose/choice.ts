import type { Filter, Flaw } from '../reasons.ts';
import type { Candidates } from './candidates.ts';
import type { Judgements } from './judgements.ts';

export type Leave = Filter | Flaw;

/** Which candidates are still in, and why the others are not. */
export class Choice {
  readonly candidates: Candidates;
  readonly judgements: Judgements;
  readonly #left: Uint8Array;
  readonly #reasons: Leave[] = [];

  constructor(candidates: Candidates, judgements: Judgements) {
    this.candidates = candidates;
    this.judgements = judgements;
    this.#left = new Uint8Array(candidates.length);
  }

  has(row: number): boolean {
    return this.#left[row] === 0;
  }

  /** Leaves a row out; the first reason stays. */
  leave(row: number, reason: Leave): void {
    if (!this.has(row)) return;
    let number = this.#reasons.indexOf(reason) + 1;
    if (number === 0) number = this.#reasons.push(reason);
    this.#left[row] = number;
  }

  /** Why the row is not in, `undefined` when it is. */
  reason(row: number): Leave | undefined {
    return this.#reasons[this.#left[row]! - 1];
  }

  /** Goes through the rows that are in, in the order of the log. An iterator would make an object for each. */
  each(visit: (row: number) => void): void {
    for (let row = 0; row < this.#left.length; row++) if (this.#left[row] === 0) visit(row);
  }

  /** The rows that are in at the moment, in the order of the log. */
  rows(): Uint32Array {
    const rows = new Uint32Array(this.count());
    for (let row = 0, at = 0; at < rows.length; row++) if (this.#left[row] === 0) rows[at++] = row;
    return rows;
  }

  /** How many rows are in. */
  count(): number {
    let count = 0;
    for (const left of this.#left) if (left === 0) count += 1;
    return count;
  }
}
