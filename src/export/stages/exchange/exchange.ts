/** A directory through which stages exchange rows, if no engine transports them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Shape } from '../arrow/shape.ts';
import type { DecisionFrame } from '../decide.ts';
import type { RenderCounts } from '../render.ts';
import type { RowFrame } from '../row-frames.ts';
import type { StagePlan } from '../stage-plan.ts';
import { writeFailure } from '../../write/byte-sink.ts';
import { openStagingFile } from '../../write/staging-file.ts';
import { framesIn } from '../arrow/decode.ts';
import { END_OF_STREAM, FrameEncoder } from '../arrow/encode.ts';
import { textAt } from '../arrow/shape.ts';
import { joinFrames, takeRows } from '../arrow/take-rows.ts';
import { DECISION_COLUMNS, KIND, ROW_COLUMNS } from '../columns.ts';
import { SliceReader, SliceWriter } from './slice-file.ts';

/** The slice with the facts for every deciding process, and the one with the counts. */
const SHARED = 'shared';
const COUNTS = 'counts';
/** The common partition. */
const COMMON = 0;

/** File names are derived from the stage and the number of the range or partition. */
export class Exchange {
  readonly #directory: string;
  readonly #plan: StagePlan;

  /** @throws ExportError */
  constructor(directory: string, plan: StagePlan) {
    this.#directory = directory;
    this.#plan = plan;
    try {
      mkdirSync(directory, { recursive: true });
    } catch (cause) {
      throw writeFailure(directory, cause);
    }
  }

  /** Writes the output of extract for a range: a slice for each partition. */
  async putRows(range: number, frames: readonly RowFrame[]): Promise<void> {
    const all = joinFrames(ROW_COLUMNS, frames);
    const writer = new SliceWriter(this.#path('extract', range));
    const encoder = new FrameEncoder(ROW_COLUMNS);
    const { kind, root, payload } = all.columns;
    const slices = slicesOf(all.rows, (row) => {
      if (kind[row] === KIND.counts) return COUNTS;
      return kind[row] === KIND.row ? String(root[2 * row]! % this.#plan.partitions) : SHARED;
    });
    try {
      for (const [slice, rows] of slices) {
        if (slice === COUNTS) writer.write(slice, Buffer.from(textAt(payload, rows[0]!)));
        else writer.write(slice, streamOf(encoder, takeRows(ROW_COLUMNS, all, rows)));
      }
      await writer.finish();
    } catch (error) {
      writer.discard();
      throw error;
    }
  }

  /** The rows of a partition in the order of the log, preceded by the facts for every deciding process. */
  async *rowsOf(partition: number): AsyncGenerator<RowFrame> {
    const strays = new Set<string>();
    for (let range = 0; range < this.#plan.ranges.length; range++)
      for await (const frame of this.#slice(range, SHARED)) {
        const { kind, root } = frame.columns;
        for (let row = 0; row < frame.rows; row++)
          if (kind[row] === KIND.stray) strays.add(`${root[2 * row + 1]} ${root[2 * row]}`);
        yield frame;
      }
    const isStray = ({ root }: RowFrame['columns'], row: number) =>
      strays.has(`${root[2 * row + 1]} ${root[2 * row]}`);
    for (let range = 0; range < this.#plan.ranges.length; range++) {
      if (strays.size === 0) yield* this.#slice(range, String(partition));
      else if (partition !== COMMON)
        for await (const frame of this.#slice(range, String(partition)))
          yield where(frame, (row) => !isStray(frame.columns, row));
      else yield* this.#common(range, isStray);
    }
  }

  /** Writes the decisions of a partition: a slice for each range. */
  decisionsFrom(partition: number): {
    write: (frame: DecisionFrame) => Promise<void>;
    finish: () => Promise<void>;
    discard: () => void;
  } {
    const writer = new SliceWriter(this.#path('decide', partition));
    const encoder = new FrameEncoder(DECISION_COLUMNS);
    return {
      async write(frame) {
        const { kind, range, payload } = frame.columns;
        const slices = slicesOf(frame.rows, (row) =>
          kind[row] === KIND.counts ? COUNTS : String(range[row]),
        );
        for (const [slice, rows] of slices) {
          if (slice === COUNTS) writer.write(slice, Buffer.from(textAt(payload, rows[0]!)));
          else writer.write(slice, streamOf(encoder, takeRows(DECISION_COLUMNS, frame, rows)));
        }
      },
      finish: async () => writer.finish(),
      discard: () => writer.discard(),
    };
  }

  /** The decisions of all partitions on a range. */
  async *decisionsOn(range: number): AsyncGenerator<DecisionFrame> {
    for (let partition = 0; partition < this.#plan.partitions; partition++) {
      const reader = this.#reader('decide', partition);
      try {
        for (const piece of reader.pieces(String(range))) yield* framesIn(DECISION_COLUMNS, once(piece));
      } finally {
        reader.close();
      }
    }
  }

  async putCounts(counts: RenderCounts): Promise<void> {
    const path = this.#path('render', counts.range);
    try {
      const file = openStagingFile(path, true);
      writeFileSync(file.fd, JSON.stringify(counts));
      await file.keep();
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }

  /** The counts of all stages. */
  *counts(): Generator<string> {
    for (let range = 0; range < this.#plan.ranges.length; range++) yield this.#countsIn('extract', range);
    for (let partition = 0; partition < this.#plan.partitions; partition++)
      yield this.#countsIn('decide', partition);
    const names = new Set(readdirSync(this.#directory));
    for (let range = 0; range < this.#plan.ranges.length; range++)
      if (names.has(nameOf('render', range))) yield readFileSync(this.#path('render', range), 'utf8');
  }

  #countsIn(stage: 'extract' | 'decide', number: number): string {
    const reader = this.#reader(stage, number);
    try {
      return Buffer.concat([...reader.pieces(COUNTS)]).toString('utf8');
    } finally {
      reader.close();
    }
  }

  async *#slice(range: number, slice: string): AsyncGenerator<RowFrame> {
    const reader = this.#reader('extract', range);
    try {
      for (const piece of reader.pieces(slice)) yield* framesIn(ROW_COLUMNS, once(piece));
    } finally {
      reader.close();
    }
  }

  /** The rows of a range for the common partition: its own, and those of all others that share a root with it. */
  async *#common(
    range: number,
    isStray: (columns: RowFrame['columns'], row: number) => boolean,
  ): AsyncGenerator<RowFrame> {
    const frames: RowFrame[] = [];
    for (let partition = 0; partition < this.#plan.partitions; partition++)
      for await (const frame of this.#slice(range, String(partition)))
        frames.push(partition === COMMON ? frame : where(frame, (row) => isStray(frame.columns, row)));
    if (frames.length === 0) return;
    const all = joinFrames(ROW_COLUMNS, frames);
    const order = new Uint32Array(all.rows).map((_, row) => row);
    order.sort((a, b) => all.columns.row[a]! - all.columns.row[b]!);
    yield takeRows(ROW_COLUMNS, all, order);
  }

  #reader(stage: 'extract' | 'decide', number: number): SliceReader {
    const flag = stage === 'extract' ? '--range' : '--partition';
    return new SliceReader(this.#path(stage, number), `run --stage ${stage} ${flag} ${number}`);
  }

  #path(stage: string, number: number): string {
    return join(this.#directory, nameOf(stage, number));
  }
}

function nameOf(stage: string, number: number): string {
  return `${stage}-${String(number).padStart(5, '0')}.${stage === 'render' ? 'json' : 'rows'}`;
}

/** The indexes of rows by slice, in order of first occurrence. */
function slicesOf(rows: number, sliceOf: (row: number) => string): Map<string, Uint32Array> {
  const slices = new Map<string, number[]>();
  for (let row = 0; row < rows; row++) slices.getOrInsertComputed(sliceOf(row), () => []).push(row);
  return new Map(slices.entries().map(([slice, which]) => [slice, Uint32Array.from(which)]));
}

function where(frame: RowFrame, holds: (row: number) => boolean): RowFrame {
  const which = new Uint32Array(frame.rows).map((_, row) => row).filter(holds);
  return takeRows(ROW_COLUMNS, frame, which);
}

/** A stream with one frame. */
function streamOf<S extends Shape>(encoder: FrameEncoder<S>, frame: Frame<S>): Uint8Array {
  return Buffer.concat([encoder.schema, encoder.encode(frame), END_OF_STREAM]);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
