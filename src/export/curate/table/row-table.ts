import type { Batch, RowGroup } from '../../convert/batch.ts';
import { FLAG, HASH, HASHES_PER_ROW } from '../../convert/batch.ts';
import type { Make, Numbers } from './column.ts';
import { bytes, doubles, words } from './column.ts';
import { HashParts } from './hash-parts.ts';
import { PagedColumn } from './paged-column.ts';
import { Spool } from './spool.ts';

/** Which hashes are kept for decisions: each costs 8 bytes per row. */
export type HashName = keyof typeof HASH;

/** The origin of a batch of rows, and where their text is stored. */
export interface BatchPlace {
  readonly file: number;
  /** The number of the batch's first line, from 1. */
  readonly firstLine: number;
  /** The offset of its text in the spool. */
  readonly spooledAt: number;
}

/** A line of the log. */
export interface LogPlace {
  /** The index of its file among the inputs. */
  readonly file: number;
  /** The line number, from 1. */
  readonly line: number;
}

/** The largest number of pages of a column in memory: rarely are more files written in parallel. */
const MAX_PAGES = 16;

interface Run {
  readonly firstRow: number;
  readonly file: number;
}

/**
 * All candidate rows, in the order of the log, as columns of numbers: about 50 bytes per row and 8 per answer in its
 * prompt, stored in a file; if the order differs from that of the files, also 4 per row in memory. The rows' text is in
 * the spool.
 */
export class RowTable {
  readonly #beside: string;
  readonly #pages: number;
  #spool: Spool | undefined;
  /** The position of each row in the columns; the order of addition by default. */
  #order: Uint32Array | undefined;
  readonly #kept: readonly HashName[];
  readonly #hashes: ReadonlyMap<HashName, PagedColumn<Uint32Array<ArrayBuffer>>>;
  readonly #starts = this.#column(doubles);
  readonly #flags = this.#column(bytes);
  /** Consecutive rows from the same file. */
  readonly #runs: Run[] = [];
  /** The end offset of the last row's text. */
  #end = 0;
  readonly #lines = this.#column(words);
  readonly #turns = this.#column(words);
  readonly #turnEnds = this.#column(words);
  readonly #inputTokens = this.#column(words);
  readonly #outputTokens = this.#column(words);
  readonly #groupOf = this.#column(words);
  readonly #groups: RowGroup[] = [];
  readonly #groupNumbers = new Map<string, number>();

  /**
   * @param kept the hashes that decisions will need
   * @param beside the output path; the file is on the same disk
   * @param runs the number of sequences of rows that are read in turn: files that were written in parallel
   */
  constructor(kept: readonly HashName[], beside: string, runs = 1) {
    this.#beside = beside;
    this.#pages = Math.min(runs, MAX_PAGES);
    this.#kept = kept;
    this.#hashes = new Map(kept.map((name) => [name, this.#column(words)]));
  }

  get length(): number {
    return this.#starts.length;
  }

  /** Whether any row must still be rendered. */
  unrendered = false;
  /** Whether any row trains fewer answers of its conversation than others. */
  partial = false;

  add(batch: Batch, { file, firstLine, spooledAt }: BatchPlace): void {
    const { ends, flags } = batch;
    const rows = ends.length;
    const groups = batch.groups.map((group) => this.#groupNumber(group));
    const turnsBefore = this.#turns.length;
    // Column by column: this thread can then add rows as fast as the others convert them.
    this.#run(file);
    this.#starts.append(doubles(rows).map((_, row) => spooledAt + (row === 0 ? 0 : ends[row - 1]!)));
    this.#end = spooledAt + (ends.at(-1) ?? 0);
    this.#flags.append(flags);
    this.unrendered ||= flags.some((flag) => (flag & FLAG.unrendered) !== 0);
    this.partial ||= flags.some((flag) => (flag & FLAG.partial) !== 0);
    this.#lines.append(batch.places.map((place) => firstLine + place));
    this.#turnEnds.append(batch.turnEnds.map((end) => turnsBefore + end));
    this.#turns.append(batch.turns);
    this.#inputTokens.append(batch.inputTokens);
    this.#outputTokens.append(batch.outputTokens);
    this.#groupOf.append(batch.groupOf.map((group) => groups[group]!));
    for (const name of this.#kept) this.#hashes.get(name)!.append(hashesOf(batch, HASH[name]));
  }

  /** Reorders the rows. @param order the position of each row, by the order of addition */
  arrange(order: Uint32Array): void {
    this.#order = order;
  }

  /** Whether their order differs from that of addition. */
  get arranged(): boolean {
    return this.#order !== undefined;
  }

  /** The position of a row in the order of addition. */
  stored(row: number): number {
    return this.#order ? this.#order[row]! : row;
  }

  /** When its record was written, milliseconds since the epoch; 0 if unknown. */
  writtenMs(row: number): number {
    return this.hi('written', row) * 2 ** 32 + this.lo('written', row);
  }

  start(row: number): number {
    return this.#starts.at(this.stored(row));
  }

  /** The size of its text including the line end, bytes. */
  size(row: number): number {
    const stored = this.stored(row);
    const next = stored + 1 < this.length ? this.#starts.at(stored + 1) : this.#end;
    return next - this.#starts.at(stored);
  }

  /** See FLAG in batch.ts. */
  flags(row: number): number {
    return this.#flags.at(this.stored(row));
  }

  has(row: number, flag: number): boolean {
    return (this.#flags.at(this.stored(row)) & flag) !== 0;
  }

  place(row: number): LogPlace {
    const stored = this.stored(row);
    return { file: this.#runOf(stored).file, line: this.#lines.at(stored) };
  }

  hi(name: HashName, row: number): number {
    return this.#hashes.get(name)!.at(2 * this.stored(row));
  }

  lo(name: HashName, row: number): number {
    return this.#hashes.get(name)!.at(2 * this.stored(row) + 1);
  }

  /** The number of answers in the prompts of all rows. */
  get turns(): number {
    return this.#turns.length / 2;
  }

  /** The index of the first answer in a row's prompt among all answers. */
  firstTurn(row: number): number {
    return this.#firstTurn(this.stored(row));
  }

  /** The number of answers in its prompt. */
  turnCount(row: number): number {
    const stored = this.stored(row);
    return this.#turnEnds.at(stored) / 2 - this.#firstTurn(stored);
  }

  /** The hash after an answer in a prompt, by its index among all: the first half. */
  turnHi(turn: number): number {
    return this.#turns.at(2 * turn);
  }

  /** The second half. */
  turnLo(turn: number): number {
    return this.#turns.at(2 * turn + 1);
  }

  inputTokens(row: number): number {
    return this.#inputTokens.at(this.stored(row));
  }

  outputTokens(row: number): number {
    return this.#outputTokens.at(this.stored(row));
  }

  group(row: number): RowGroup {
    return this.#groups[this.#groupOf.at(this.stored(row))]!;
  }

  /**
   * Numbers by hash, stored in a file beside that of the table.
   * @param expected the approximate number of entries
   */
  hashParts(expected: number): HashParts {
    return new HashParts(expected, () => new Spool(this.#beside));
  }

  /** Closes the file. */
  close(): void {
    this.#spool?.close();
  }

  #column<A extends Numbers>(make: Make<A>): PagedColumn<A> {
    return new PagedColumn(make, () => (this.#spool ??= new Spool(this.#beside)), this.#pages);
  }

  #firstTurn(stored: number): number {
    return stored === 0 ? 0 : this.#turnEnds.at(stored - 1) / 2;
  }

  #run(file: number): void {
    if (this.#runs.at(-1)?.file !== file) this.#runs.push({ firstRow: this.length, file });
  }

  #runOf(stored: number): Run {
    let [from, to] = [0, this.#runs.length];
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      if (this.#runs[middle]!.firstRow <= stored) from = middle;
      else to = middle;
    }
    return this.#runs[from]!;
  }

  #groupNumber(group: RowGroup): number {
    const name = JSON.stringify(Object.values(group));
    let number = this.#groupNumbers.get(name);
    if (number === undefined) {
      number = this.#groups.push(group) - 1;
      this.#groupNumbers.set(name, number);
    }
    return number;
  }
}

/** One of the hashes of each row, in pairs. */
function hashesOf({ hashes }: Batch, place: number): Uint32Array<ArrayBuffer> {
  const taken = words((hashes.length / HASHES_PER_ROW) * 2);
  for (let from = place, to = 0; to < taken.length; from += HASHES_PER_ROW, to += 2) {
    taken[to] = hashes[from]!;
    taken[to + 1] = hashes[from + 1]!;
  }
  return taken;
}
