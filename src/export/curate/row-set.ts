import type { Filter, RejectReason } from '../errors.ts';
import type { RowTable, HashName } from './table/row-table.ts';
import type { Judgements } from './judgements.ts';
import type { Task } from './task.ts';
import { Hash64 } from '../conversation/hash64.ts';

export type DropReason = Filter | RejectReason;

/**
 * Which items are still selected, and why others are not. Items are the table's rows, or what is made from them: pairs
 * and labels. All are identified by index, in the order of the log.
 */
export class RowSet {
  readonly table: RowTable;
  readonly judgements: Judgements;
  /** The pairs or labels made from rows; `undefined` when rows are written as they are. */
  readonly tasks: readonly Task[] | undefined;
  readonly #contents: Uint32Array | undefined;
  /** The content hashes of rows whose answer is replaced by a correction. */
  readonly #corrected = new Map<number, Pick<Hash64, 'hi' | 'lo'>>();
  readonly #left: Uint8Array;
  readonly #reasons: DropReason[] = [];

  constructor(table: RowTable, judgements: Judgements, tasks?: readonly Task[]) {
    this.table = table;
    this.judgements = judgements;
    this.tasks = tasks;
    this.#contents = tasks && contentsOf(tasks, table);
    this.#left = new Uint8Array(this.length);
  }

  /** The same log with items made from its rows. */
  of(tasks: readonly Task[]): RowSet {
    return new RowSet(this.table, this.judgements, tasks);
  }

  get length(): number {
    return this.tasks?.length ?? this.table.length;
  }

  /** The row of an item: for a pair, that of the better answer. */
  rowOf(one: number): number {
    return this.tasks ? this.tasks[one]!.row : one;
  }

  hi(name: HashName, one: number): number {
    if (name !== 'content') return this.table.hi(name, this.rowOf(one));
    return this.#contents?.[2 * one] ?? this.#corrected.get(one)?.hi ?? this.table.hi(name, one);
  }

  lo(name: HashName, one: number): number {
    if (name !== 'content') return this.table.lo(name, this.rowOf(one));
    return this.#contents?.[2 * one + 1] ?? this.#corrected.get(one)?.lo ?? this.table.lo(name, one);
  }

  /** Another answer is written in a row: its content then equals rows with that answer. */
  correct(row: number, content: Pick<Hash64, 'hi' | 'lo'>): void {
    this.#corrected.set(row, content);
  }

  has(one: number): boolean {
    return this.#left[one] === 0;
  }

  /** Leaves an item out; the first reason is kept. */
  drop(one: number, reason: DropReason): void {
    if (!this.has(one)) return;
    let number = this.#reasons.indexOf(reason) + 1;
    if (number === 0) number = this.#reasons.push(reason);
    this.#left[one] = number;
  }

  /** Why it is left out, `undefined` when it is selected. */
  reason(one: number): DropReason | undefined {
    return this.#reasons[this.#left[one]! - 1];
  }

  /** Visits the selected items, in the order of the log. An iterator would create an object for each. */
  each(visit: (one: number) => void): void {
    for (let one = 0; one < this.#left.length; one++) if (this.#left[one] === 0) visit(one);
  }

  /** The currently selected items, in the order of the log. */
  all(): Uint32Array {
    const all = new Uint32Array(this.count());
    for (let one = 0, at = 0; at < all.length; one++) if (this.#left[one] === 0) all[at++] = one;
    return all;
  }

  /** The number of selected items. */
  count(): number {
    let count = 0;
    for (const left of this.#left) if (left === 0) count += 1;
    return count;
  }
}

/** The content hash of each task, as pairs of numbers. */
function contentsOf(tasks: readonly Task[], table: RowTable): Uint32Array {
  const contents = new Uint32Array(2 * tasks.length);
  const hash = new Hash64();
  for (const [index, { row, rejected, correction, label }] of tasks.entries()) {
    hash.start(5);
    for (const answer of rejected === undefined ? [row] : [row, rejected])
      hash.link({ hi: table.hi('content', answer), lo: table.lo('content', answer) });
    hash.add(JSON.stringify([correction, label]));
    contents[2 * index] = hash.hi;
    contents[2 * index + 1] = hash.lo;
  }
  return contents;
}
