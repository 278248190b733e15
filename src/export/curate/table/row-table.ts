import type { Batch, RowGroup } from '../../convert/batch.ts';
import { FLAG, HASH, HASHES_PER_ROW } from '../../convert/batch.ts';
import type { Make, Numbers } from './column.ts';
import { bytes, doubles, words } from './column.ts';
import { HashParts } from './hash-parts.ts';
import { PagedColumn } from './paged-column.ts';
import { Spool } from './spool.ts';

/** Which hashes are kept for a while: each costs 8 bytes a row. */
export type HashName = keyof typeof HASH;

/** The origin of a batch of rows, and the place where their text waits. */
export interface BatchPlace {
  readonly file: number;
  /** Number of the batch's first line, from 1. */
  readonly firstLine: number;
  /** The offset of its text in the spool. */
  readonly spooledAt: number;
}

/** A line of the log. */
export interface LogPlace {
  /** Number of its file among the inputs. */
  readonly file: number;
  /** The number of the line, from 1. */
  readonly line: number;
}

/** Pages of a column in memory, at most: more files than these are seldom written side by side. */
const MAX_PAGES = 16;

interface Run {
  readonly firstRow: number;
  readonly file: number;
}

/**
 * All rows that may be written, in the order of the log, as columns of numbers: some 50 bytes a row and 8 for each
 * answer in its prompt, which wait in a file; where their order is another than that of the files, 4 a row in memory. Their text waits in the spool.
 */
export class RowTable {
  readonly #beside: string;
  readonly #pages: number;
  #spool: Spool | undefined;
  /** The place of each row in the columns; the order in which rows were added when left out. */
  #order: Uint32Array | undefined;
  readonly #kept: readonly HashName[];
  readonly #hashes: ReadonlyMap<HashName, PagedColumn<Uint32Array<ArrayBuffer>>>;
  readonly #starts = this.#column(doubles);
  readonly #flags = this.#column(bytes);
  /** Rows that follow each other and come from the same file. */
  readonly #runs: Run[] = [];
  /** The offset at which the text of the last row ends. */
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
   * @param kept the hashes that decisions will ask for
   * @param beside where the export goes; the file is on the same disk
   * @param runs in how many runs of rows it is looked up by turns: files that were written side by side
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

  /** Whether any row is still to be rendered. */
  unrendered = false;
  /** Whether the oldest turns of any row were cut off. */
  trimmed = false;

  add(batch: Batch, { file, firstLine, spooledAt }: BatchPlace): void {
    const { ends, flags } = batch;
    const rows = ends.length;
    const groups = batch.groups.map((group) => this.#groupNumber(group));
    const turnsBefore = this.#turns.length;
    // A column at a time: a million rows are added as fast as one core alone can, while the others convert.
    this.#run(file);
    this.#starts.append(doubles(rows).map((_, row) => spooledAt + (row === 0 ? 0 : ends[row - 1]!)));
    this.#end = spooledAt + (ends.at(-1) ?? 0);
    this.#flags.append(flags);
    this.unrendered ||= flags.some((flag) => (flag & FLAG.unrendered) !== 0);
    this.trimmed ||= flags.some((flag) => (flag & FLAG.trimmed) !== 0);
    this.#lines.append(batch.places.map((place) => firstLine + place));
    this.#turnEnds.append(batch.turnEnds.map((end) => turnsBefore + end));
    this.#turns.append(batch.turns);
    this.#inputTokens.append(batch.inputTokens);
    this.#outputTokens.append(batch.outputTokens);
    this.#groupOf.append(batch.groupOf.map((group) => groups[group]!));
    for (const name of this.#kept) this.#hashes.get(name)!.append(hashesOf(batch, HASH[name]));
  }

  /** Puts all rows in another order. @param order where each of them is, by the order in which they were added */
  arrange(order: Uint32Array): void {
    this.#order = order;
  }

  /** Whether they are in another order than they were added in. */
  get arranged(): boolean {
    return this.#order !== undefined;
  }

  /** The place of a row in the order in which rows were added. */
  stored(row: number): number {
    return this.#order ? this.#order[row]! : row;
  }

  /** When its record was written, milliseconds since the epoch; 0 where it does not say. */
  writtenMs(row: number): number {
    return this.hi('written', row) * 2 ** 32 + this.lo('written', row);
  }

  start(row: number): number {
    return this.#starts.at(this.stored(row));
  }

  /** Bytes of its text, line end included. */
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

  /** Answers in the prompts of all rows. */
  get turns(): number {
    return this.#turns.length / 2;
  }

  /** The number of the first answer in a row's prompt among all of them. */
  firstTurn(row: number): number {
    return this.#firstTurn(this.stored(row));
  }

  /** How many answers its prompt holds. */
  turnCount(row: number): number {
    const stored = this.stored(row);
    return this.#turnEnds.at(stored) / 2 - this.#firstTurn(stored);
  }

  /** The link behind an answer in a prompt, by its number among all: the first half. */
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
   * Numbers by hashes, which wait in a file beside that of the table.
   * @param expected how many there will be, about
   */
  hashParts(expected: number): HashParts {
    return new HashParts(expected, () => new Spool(this.#beside));
  }

  /** Gives the file back. */
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
