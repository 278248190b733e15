/** Writes the selected rows, in the order of the log: unchanged from the spool, or rendered now. */
import type { RowTable } from '../curate/table/row-table.ts';
import type { Task } from '../curate/task.ts';
import type { Converters } from '../convert/converters.ts';
import type { RenderTask } from '../convert/render-rows.ts';
import type { RejectReason } from '../errors.ts';
import type { Spool } from '../curate/table/spool.ts';
import { FLAG } from '../convert/batch.ts';

/** Consecutive rows of one split. */
export interface Written {
  readonly split: number;
  /** Whole lines. */
  readonly bytes: Uint8Array;
  readonly rows: readonly number[];
}

export interface WriteOptions {
  readonly table: RowTable;
  /** The source of the rows' texts. */
  readonly texts: Pick<Spool, 'read'>;
  readonly converters: Converters;
  /** The index of a row's split; if omitted, all are in split 0. */
  readonly splitOf: ((row: number) => number) | undefined;
  readonly signal?: AbortSignal;
  /** Called for a row that could not be rendered. */
  readonly onReject: (row: number, reject: RejectReason) => void;
  /** Called with the number of redactions by kind. */
  readonly onRedacted: (hits: ReadonlyMap<string, number>) => void;
}

/** The amount of text that is processed at once. */
const SEGMENT_BYTES = 1024 ** 2;

/** The number of segments between two garbage collections. */
const SWEEP_SEGMENTS = 64;

/** The rows in order, in segments. */
export async function* writtenRows(tasks: Iterable<Task>, options: WriteOptions): AsyncGenerator<Written> {
  const { signal, converters } = options;
  const window: Promise<Segment>[] = [];
  let segmentsDone = 0;
  const next = async function* () {
    // The collector does not hurry while the machine has memory; collecting so small a heap takes some
    // milliseconds.
    if (++segmentsDone % SWEEP_SEGMENTS === 0) Bun.gc(true);
    const { written, memory } = await window.shift()!;
    yield* written;
    for (const piece of memory) converters.memory.give(piece);
  };
  for (const segment of segments(tasks, options.table)) {
    signal?.throwIfAborted();
    const making = rowsOf(segment, options);
    making.catch(() => {});
    window.push(making);
    if (window.length >= converters.window) yield* next();
  }
  while (window.length > 0) yield* next();
}

interface Segment {
  readonly written: readonly Written[];
  /** The memory that contains its rows. */
  readonly memory: readonly ArrayBuffer[];
}

function* segments(tasks: Iterable<Task>, table: RowTable): Generator<Task[]> {
  let segment: Task[] = [];
  let bytes = 0;
  for (const task of tasks) {
    segment.push(task);
    bytes += table.size(task.row) + (task.rejected === undefined ? 0 : table.size(task.rejected));
    if (bytes < SEGMENT_BYTES) continue;
    yield segment;
    [segment, bytes] = [[], 0];
  }
  if (segment.length > 0) yield segment;
}

async function rowsOf(segment: readonly Task[], options: WriteOptions): Promise<Segment> {
  const { table, texts, converters } = options;
  const used: ArrayBuffer[] = [];
  const unrendered = segment.filter(({ row }) => table.has(row, FLAG.unrendered));
  const rendered = unrendered.length > 0 ? await render(unrendered, options) : undefined;
  const gatherer = new RowGatherer(options.splitOf);
  let next = 0;
  for (const run of runs(segment, table)) {
    const first = run[0]!.row;
    if (table.has(first, FLAG.unrendered)) {
      const bytes = rendered![next++];
      if (bytes) gatherer.add(first, bytes);
      continue;
    }
    const size = run.reduce((sum, { row }) => sum + table.size(row), 0);
    const memory = new Uint8Array(converters.memory.take(size), 0, size);
    used.push(memory.buffer);
    texts.read(memory, table.start(first));
    let at = 0;
    for (const { row } of run) gatherer.add(row, memory.subarray(at, (at += table.size(row))));
  }
  return { written: gatherer.done(), memory: used };
}

/** Rows that are adjacent in the spool, to be read at once; unrendered rows are on their own. */
function* runs(segment: readonly Task[], table: RowTable): Generator<Task[]> {
  let run: Task[] = [];
  let end = -1;
  for (const task of segment) {
    const { row } = task;
    const unrendered = table.has(row, FLAG.unrendered);
    if (run.length > 0 && (unrendered || table.start(row) !== end)) {
      yield run;
      run = [];
    }
    run.push(task);
    end = unrendered ? -1 : table.start(row) + table.size(row);
  }
  if (run.length > 0) yield run;
}

/** @returns the row of each task, or `undefined` when it has none */
async function render(
  unrendered: readonly Task[],
  { table, texts, converters, onReject, onRedacted }: WriteOptions,
): Promise<(Uint8Array | undefined)[]> {
  const sources = [
    ...new Set(
      unrendered.flatMap(({ row, rejected }) => [row, ...(rejected === undefined ? [] : [rejected])]),
    ),
  ];
  const numbers = new Map(sources.map((row, number) => [row, number]));
  const text = new Uint8Array(sources.reduce((sum, row) => sum + table.size(row), 0));
  const ends: number[] = [];
  let at = 0;
  for (const row of sources) {
    const size = table.size(row);
    texts.read(text.subarray(at, at + size), table.start(row));
    ends.push((at += size));
  }
  const tasks = unrendered.map(({ row, rejected, ...task }): RenderTask => ({
    ...task,
    example: numbers.get(row)!,
    ...(rejected === undefined ? {} : { rejected: numbers.get(rejected)! }),
  }));
  const rendered = await converters.render({ text, ends, tasks });
  onRedacted(rendered.redacted);
  let from = 0;
  return rendered.results.map((result, index) => {
    if (typeof result === 'number') return rendered.text.subarray(from, (from += result));
    onReject(unrendered[index]!.row, result);
    return undefined;
  });
}

/** Joins rows of one split. */
class RowGatherer {
  readonly #splitOf: WriteOptions['splitOf'];
  readonly #bySplit = new Map<number, { pieces: Uint8Array[]; rows: number[] }>();

  constructor(splitOf: WriteOptions['splitOf']) {
    this.#splitOf = splitOf;
  }

  add(row: number, bytes: Uint8Array): void {
    const split = this.#splitOf?.(row) ?? 0;
    const found = this.#bySplit.get(split);
    if (found) {
      found.pieces.push(bytes);
      found.rows.push(row);
    } else this.#bySplit.set(split, { pieces: [bytes], rows: [row] });
  }

  done(): Written[] {
    return [...this.#bySplit].map(([split, { pieces, rows }]) => ({ split, rows, bytes: joined(pieces) }));
  }
}

/** One piece of memory; pieces that are already adjacent are not copied. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (first.buffer === last.buffer && last.byteOffset + last.length - first.byteOffset === length)
    return new Uint8Array(first.buffer, first.byteOffset, length);
  return Buffer.concat(pieces);
}
