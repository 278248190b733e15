/** The rows of a partition, as decide reads them from a stream. */
import type { SideBySide } from '../../logs/side-by-side.ts';
import type { Batch, RowGroup } from '../convert/batch.ts';
import type { PlacedFeedback } from '../curate/judgements.ts';
import type { HashName } from '../curate/table/row-table.ts';
import type { Feedback } from '../read/feedback.ts';
import type { Strings } from './arrow/shape.ts';
import type { RangeNote } from './extract.ts';
import type { RowFrame } from './row-frames.ts';
import { HASH, HASHES_PER_ROW } from '../convert/batch.ts';
import { arrange } from '../curate/arrange.ts';
import { Signatures } from '../curate/near/signatures.ts';
import { collectGarbageEvery, MANY_ROWS } from '../curate/table/collect-garbage.ts';
import { doubles, words } from '../curate/table/column.ts';
import { PagedColumn } from '../curate/table/paged-column.ts';
import { RowTable } from '../curate/table/row-table.ts';
import { Spool } from '../curate/table/spool.ts';
import { ExportError } from '../errors.ts';
import { numberAt, textAt } from './arrow/shape.ts';
import { KIND } from './columns.ts';

/** The largest number of rows, or of answers in their prompts. */
const MOST_NUMBERS = 2 ** 31;
/** Rows are stored in the directory for temporary files. */
const TEMPORARY = '-';
const NONE = new Uint8Array(0);

/** The position of a row, and of its record. */
export interface RowPlace {
  readonly range: number;
  /** The index of the row within its range. */
  readonly row: number;
  readonly file: number;
  readonly offset: number;
  /** The index of the line within its part. */
  readonly line: number;
  readonly nth: number;
}

/** Feedback, and its index within its range. */
interface RangedFeedback extends PlacedFeedback {
  readonly range: number;
  readonly row: number;
}

/** Collects rows, which arrive in the order of their ranges, and the accompanying facts, in any order. */
export class PartitionRows {
  readonly table: RowTable;
  readonly signatures: Signatures;
  #feedback: RangedFeedback[] = [];
  readonly #log: SideBySide | undefined;
  readonly #notes = new Map<number, RangeNote>();
  #spool: Spool | undefined;
  readonly #ranges: PagedColumn<Uint32Array<ArrayBuffer>>;
  readonly #rows: PagedColumn<Uint32Array<ArrayBuffer>>;
  readonly #offsets: PagedColumn<Float64Array<ArrayBuffer>>;
  readonly #nths: PagedColumn<Uint32Array<ArrayBuffer>>;
  readonly #groups = new GroupTexts();
  readonly #collectGarbage = collectGarbageEvery(MANY_ROWS);
  #lastRange = -1;
  #lastRow = -1;

  /** @param log given if several workers wrote in parallel */
  constructor(kept: readonly HashName[], log: SideBySide | undefined) {
    this.#log = log;
    this.table = new RowTable(kept, TEMPORARY, log?.workers);
    this.signatures = new Signatures(TEMPORARY, log?.workers);
    const spool = () => (this.#spool ??= new Spool(TEMPORARY));
    this.#ranges = new PagedColumn(words, spool, log?.workers);
    this.#rows = new PagedColumn(words, spool, log?.workers);
    this.#offsets = new PagedColumn(doubles, spool, log?.workers);
    this.#nths = new PagedColumn(words, spool, log?.workers);
  }

  /** @throws ExportError when rows are out of order, or occur twice */
  add({ rows, columns }: RowFrame): void {
    const { kind } = columns;
    for (let from = 0; from < rows;) {
      let to = from + 1;
      while (to < rows && kind[to] === kind[from] && columns.file[to] === columns.file[from]) to += 1;
      if (kind[from] === KIND.row) this.#addRows(columns, from, to);
      else for (let at = from; at < to; at++) this.#addCompanion(columns, at);
      from = to;
    }
    this.#collectGarbage(this.table.length);
  }

  /** Feedback in the order of the log. */
  get feedback(): readonly RangedFeedback[] {
    return this.#feedback;
  }

  /** Puts everything in the order of the log, after the last row. */
  arrange(): void {
    this.#feedback.sort((a, b) => a.range - b.range || a.row - b.row);
    this.table.partial ||= this.#notes.values().some(({ partial }) => partial === true);
    if (this.#log) arrange(this.table, this.#feedback, this.#log, precededBy(this.#notes, this.#ranges));
  }

  place(row: number): RowPlace {
    const { file, line } = this.table.place(row);
    const stored = this.table.stored(row);
    return {
      range: this.#ranges.at(stored),
      row: this.#rows.at(stored),
      file,
      offset: this.#offsets.at(stored),
      line,
      nth: this.#nths.at(stored),
    };
  }

  /** The primary sort key of a row, in a log of several workers: the number of its day, and its time. */
  timeOf(row: number): number[] {
    return [this.#log!.groups[this.table.place(row).file]!, this.table.writtenMs(row)];
  }

  close(): void {
    this.table.close();
    this.signatures.close();
    this.#spool?.close();
  }

  /** Rows of one input. */
  #addRows(columns: RowFrame['columns'], from: number, to: number): void {
    this.#refuseDisorder(columns, from, to);
    const rows = to - from;
    this.table.add(this.#batchOf(columns, from, to), {
      file: columns.file[from]!,
      firstLine: 0,
      spooledAt: 0,
    });
    this.#ranges.append(Uint32Array.from(columns.range.subarray(from, to)));
    this.#rows.append(Uint32Array.from(columns.row.subarray(from, to)));
    this.#offsets.append(doubles(rows).map((_, at) => numberAt(columns.offset, from + at)));
    this.#nths.append(Uint32Array.from(columns.nth.subarray(from, to)));
    this.signatures.add(bytesOf(columns.signature, from, to), rows);
    if (Math.max(this.table.length, this.table.turns) > MOST_NUMBERS)
      throw new ExportError(
        'failed',
        'Cannot decide on so many rows in one process: use more partitions, or flags that do not need to see all rows',
      );
  }

  #refuseDisorder({ range, row }: RowFrame['columns'], from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const behind =
        range[at]! > this.#lastRange || (range[at] === this.#lastRange && row[at]! > this.#lastRow);
      if (!behind)
        throw new ExportError(
          'failed',
          `Cannot decide: row ${row[at]} of range ${range[at]} comes after row ${this.#lastRow} of range ${this.#lastRange}; sort the rows by range and row, without duplicates`,
        );
      this.#lastRange = range[at]!;
      this.#lastRow = row[at]!;
    }
  }

  /** The rows in the form in which converters return them, without their texts. */
  #batchOf(columns: RowFrame['columns'], from: number, to: number): Batch {
    const rows = to - from;
    const { groups, groupOf } = this.#groups.of(columns.group, from, to);
    // A copy, with an aligned start.
    const turns = new Uint8Array(bytesOf(columns.turns, from, to));
    return {
      ...NOTHING_COUNTED,
      text: NONE,
      ends: words(rows),
      places: Uint32Array.from(columns.line.subarray(from, to)),
      flags: Uint8Array.from(columns.flags.subarray(from, to)),
      hashes: hashesOf(columns, from, to),
      turns: new Uint32Array(turns.buffer, 0, turns.length / 4),
      turnEnds: words(rows).map(
        (_, at) => (columns.turns.offsets[from + at + 1]! - columns.turns.offsets[from]!) / 4,
      ),
      inputTokens: Uint32Array.from(columns.input_tokens.subarray(from, to)),
      outputTokens: Uint32Array.from(columns.output_tokens.subarray(from, to)),
      groups,
      groupOf,
      signatures: new Uint8Array(0),
      roots: words(0),
    };
  }

  #addCompanion({ kind, range, row, file, line, written, payload }: RowFrame['columns'], at: number): void {
    if (kind[at] === KIND.note) this.#notes.set(range[at]!, JSON.parse(textAt(payload, at)) as RangeNote);
    if (kind[at] !== KIND.feedback) return;
    this.#feedback.push({
      ...(JSON.parse(textAt(payload, at)) as Feedback),
      range: range[at]!,
      row: row[at]!,
      file: file[at]!,
      line: line[at]!,
      writtenMs: numberAt(written, at),
    });
  }
}

const NOTHING_COUNTED = {
  lines: 0,
  filled: 0,
  furtherAnswers: 0,
  filtered: new Map(),
  dropped: new Map(),
  bad: new Map(),
  troubles: [],
  feedback: [],
  redacted: new Map(),
} as const;

function bytesOf({ offsets, bytes }: Strings, from: number, to: number): Uint8Array {
  return bytes.subarray(offsets[from], offsets[to]);
}

const HASH_COLUMNS = {
  conversation: HASH.conversation,
  prompt: HASH.prompt,
  content: HASH.content,
  opening: HASH.firstPrompt,
  session: HASH.session,
  owner: HASH.owner,
  id: HASH.id,
  written: HASH.written,
} as const;

function hashesOf(columns: RowFrame['columns'], from: number, to: number): Uint32Array<ArrayBuffer> {
  const hashes = words((to - from) * HASHES_PER_ROW);
  for (const [name, place] of Object.entries(HASH_COLUMNS) as [keyof typeof HASH_COLUMNS, number][]) {
    const halves = columns[name];
    for (let row = from, at = place; row < to; row++, at += HASHES_PER_ROW) {
      hashes[at] = halves[2 * row + 1]!;
      hashes[at + 1] = halves[2 * row]!;
    }
  }
  return hashes;
}

/** Groups by their texts, few of which differ. */
class GroupTexts {
  readonly #known = new Map<string, RowGroup>();

  of(texts: Strings, from: number, to: number): Pick<Batch, 'groups' | 'groupOf'> {
    const groups: RowGroup[] = [];
    const numbers = new Map<RowGroup, number>();
    const groupOf = words(to - from);
    for (let row = from; row < to; row++) {
      if (row > from && sameAsBefore(texts, row)) {
        groupOf[row - from] = groupOf[row - from - 1]!;
        continue;
      }
      const group = this.#known.getOrInsertComputed(textAt(texts, row), groupIn);
      let number = numbers.get(group);
      if (number === undefined) numbers.set(group, (number = groups.push(group) - 1));
      groupOf[row - from] = number;
    }
    return { groups, groupOf };
  }
}

function sameAsBefore({ offsets, bytes }: Strings, row: number): boolean {
  const [before, from, to] = [offsets[row - 1]!, offsets[row]!, offsets[row + 1]!];
  if (from - before !== to - from) return false;
  return Buffer.compare(bytes.subarray(before, from), bytes.subarray(from, to)) === 0;
}

function groupIn(text: string): RowGroup {
  const [model, provider, finish, key, balanceBy] = JSON.parse(text) as [
    string,
    string | null,
    string | null,
    string | null,
    string,
  ];
  return { model, provider, finish, key, balanceBy };
}

/** The latest time in earlier ranges for the worker of a row. Rows are requested in order. */
function precededBy(
  notes: ReadonlyMap<number, RangeNote>,
  ranges: PagedColumn<Uint32Array<ArrayBuffer>>,
): (row: number, hand: number) => number {
  const inOrder = [...notes].toSorted(([a], [b]) => a - b);
  const lastTimes = new Map<number, number>();
  let next = 0;
  return (row, hand) => {
    for (const range = ranges.at(row); next < inOrder.length && inOrder[next]![0] < range; next++)
      for (const [name, time] of Object.entries(inOrder[next]![1].lastWritten ?? {}))
        lastTimes.set(Number(name), Math.max(lastTimes.get(Number(name)) ?? 0, time));
    return lastTimes.get(hand) ?? 0;
  };
}
