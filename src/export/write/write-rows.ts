/** Writes the rows that were chosen, in the order of the log: from the spool as they are, or rendered of drafts. */
import type { Candidates } from '../curate/table/row-table.ts';
import type { Task } from '../curate/pairs.ts';
import type { Converters } from '../convert/pool.ts';
import type { RenderTask } from '../convert/render-rows.ts';
import type { Flaw } from '../errors.ts';
import type { Spool } from '../curate/table/spool.ts';
import { FLAG } from '../convert/batch.ts';

/** Rows of one side that follow each other. */
export interface Written {
  readonly side: number;
  /** Whole lines. */
  readonly bytes: Uint8Array;
  readonly rows: readonly number[];
}

export interface WriteOptions {
  readonly candidates: Candidates;
  readonly spool: Spool;
  readonly converters: Converters;
  /** The side of each row; all are on side 0 when left out. */
  readonly sides: Uint8Array | undefined;
  readonly signal?: AbortSignal;
  /** Told a row that turned out not to be one. */
  readonly onUnfit: (row: number, flaw: Flaw) => void;
  /** Told what was hidden, by kind. */
  readonly onHidden: (hits: ReadonlyMap<string, number>) => void;
}

/** Text of rows that is worked on at once. */
const SEGMENT_BYTES = 1024 ** 2;

/** Segments between two sweeps of garbage. */
const SWEEP_SEGMENTS = 64;

/** The rows in order, some at a time. */
export async function* writtenRows(tasks: Iterable<Task>, options: WriteOptions): AsyncGenerator<Written> {
  const { signal, converters } = options;
  const window: Promise<Segment>[] = [];
  let segmentsDone = 0;
  const next = async function* () {
    // The collector does not hurry while the machine has memory; so small a heap is swept in some milliseconds.
    if (++segmentsDone % SWEEP_SEGMENTS === 0) Bun.gc(true);
    const { written, memory } = await window.shift()!;
    yield* written;
    for (const piece of memory) converters.memory.give(piece);
  };
  for (const segment of segments(tasks, options.candidates)) {
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
  /** What its rows lie in. */
  readonly memory: readonly ArrayBuffer[];
}

function* segments(tasks: Iterable<Task>, candidates: Candidates): Generator<Task[]> {
  let segment: Task[] = [];
  let bytes = 0;
  for (const task of tasks) {
    segment.push(task);
    bytes += candidates.size(task.row) + (task.rejected === undefined ? 0 : candidates.size(task.rejected));
    if (bytes < SEGMENT_BYTES) continue;
    yield segment;
    [segment, bytes] = [[], 0];
  }
  if (segment.length > 0) yield segment;
}

async function rowsOf(segment: readonly Task[], options: WriteOptions): Promise<Segment> {
  const { candidates, spool, converters } = options;
  const used: ArrayBuffer[] = [];
  const drafts = segment.filter(({ row }) => candidates.has(row, FLAG.draft));
  const rendered = drafts.length > 0 ? await render(drafts, options) : undefined;
  const gatherer = new RowGatherer(options.sides);
  let next = 0;
  for (const run of runs(segment, candidates)) {
    const first = run[0]!.row;
    if (candidates.has(first, FLAG.draft)) {
      const bytes = rendered![next++];
      if (bytes) gatherer.add(first, bytes);
      continue;
    }
    const size = run.reduce((sum, { row }) => sum + candidates.size(row), 0);
    const memory = new Uint8Array(converters.memory.take(size), 0, size);
    used.push(memory.buffer);
    spool.read(memory, candidates.start(first));
    let at = 0;
    for (const { row } of run) gatherer.add(row, memory.subarray(at, (at += candidates.size(row))));
  }
  return { written: gatherer.done(), memory: used };
}

/** Rows that lie one behind the other in the spool, to be read at once; drafts stand alone. */
function* runs(segment: readonly Task[], candidates: Candidates): Generator<Task[]> {
  let run: Task[] = [];
  let end = -1;
  for (const task of segment) {
    const { row } = task;
    const draft = candidates.has(row, FLAG.draft);
    if (run.length > 0 && (draft || candidates.start(row) !== end)) {
      yield run;
      run = [];
    }
    run.push(task);
    end = draft ? -1 : candidates.start(row) + candidates.size(row);
  }
  if (run.length > 0) yield run;
}

/** @returns for each draft its row, or `undefined` when it has none */
async function render(
  drafts: readonly Task[],
  { candidates, spool, converters, onUnfit, onHidden }: WriteOptions,
): Promise<(Uint8Array | undefined)[]> {
  const sources = [
    ...new Set(drafts.flatMap(({ row, rejected }) => [row, ...(rejected === undefined ? [] : [rejected])])),
  ];
  const numbers = new Map(sources.map((row, number) => [row, number]));
  const text = new Uint8Array(sources.reduce((sum, row) => sum + candidates.size(row), 0));
  const ends: number[] = [];
  let at = 0;
  for (const row of sources) {
    const size = candidates.size(row);
    spool.read(text.subarray(at, at + size), candidates.start(row));
    ends.push((at += size));
  }
  const tasks = drafts.map(({ row, rejected, ...task }): RenderTask => ({
    ...task,
    draft: numbers.get(row)!,
    ...(rejected === undefined ? {} : { rejected: numbers.get(rejected)! }),
  }));
  const rendered = await converters.render({ text, ends, tasks });
  onHidden(rendered.redacted);
  let from = 0;
  return rendered.results.map((result, index) => {
    if (typeof result === 'number') return rendered.text.subarray(from, (from += result));
    onUnfit(drafts[index]!.row, result);
    return undefined;
  });
}

/** Puts rows of one side together. */
class RowGatherer {
  readonly #sides: Uint8Array | undefined;
  readonly #bySide = new Map<number, { pieces: Uint8Array[]; rows: number[] }>();

  constructor(sides: Uint8Array | undefined) {
    this.#sides = sides;
  }

  add(row: number, bytes: Uint8Array): void {
    const side = this.#sides?.[row] ?? 0;
    const found = this.#bySide.get(side);
    if (found) {
      found.pieces.push(bytes);
      found.rows.push(row);
    } else this.#bySide.set(side, { pieces: [bytes], rows: [row] });
  }

  done(): Written[] {
    return [...this.#bySide].map(([side, { pieces, rows }]) => ({ side, rows, bytes: joined(pieces) }));
  }
}

/** One piece of memory; pieces that lie side by side already are not copied. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (first.buffer === last.buffer && last.byteOffset + last.length - first.byteOffset === length)
    return new Uint8Array(first.buffer, first.byteOffset, length);
  return Buffer.concat(pieces);
}
