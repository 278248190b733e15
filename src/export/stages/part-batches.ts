/** Converts a part of an input, some lines at a time, and reports the offset of each line. */
import * as fs from 'node:fs';
import type { LogInput } from '../../logs/input.ts';
import type { Batch } from '../convert/batch.ts';
import type { Converter } from '../convert/converter.ts';
import type { PlannedPart } from './stage-plan.ts';
import { readChunks } from '../../logs/chunks.ts';
import { RangeReader } from '../../logs/ranges.ts';
import { ROWS_BYTES } from '../convert/memory.ts';

const NEWLINE = 10;
/** The size of the piece that is converted at once. */
const STEP_BYTES = 4 * 1024 ** 2;
/** The number of batches between two garbage collections: texts are far larger than the collector sees. */
const SWEEP_BATCHES = 64;

/** Some lines of a part, or the problem in their place. */
export type PartBatch =
  | { readonly batch: Batch; readonly lines: LineStarts; readonly wrong?: undefined }
  | { readonly wrong: 'too_long' | 'damaged_file'; readonly batch?: undefined };

/** The offsets of lines, in order. */
export class LineStarts {
  readonly starts: number[] = [];
  /** The size of whole lines, bytes. */
  bytes = 0;

  /** Records the lines in a piece of data at an offset. */
  see(bytes: Uint8Array, offset: number): void {
    let from = 0;
    while (from < bytes.length) {
      this.starts.push(offset + from);
      const newline = bytes.indexOf(NEWLINE, from);
      if (newline < 0) return;
      this.bytes += newline + 1 - from;
      from = newline + 1;
    }
  }
}

/** @throws InputError, and as the file system does; the signal's reason when it aborts */
export async function* partBatches(
  converter: Converter,
  input: LogInput,
  part: PlannedPart,
  signal?: AbortSignal,
): AsyncGenerator<PartBatch> {
  // The content of the rows is not needed, so all of them may be written to the same memory.
  const memory = new ArrayBuffer(ROWS_BYTES);
  let batches = 0;
  const sweep = () => {
    if (++batches % SWEEP_BATCHES === 0) Bun.gc(true);
  };
  if (part.to !== null) {
    for (const made of rangeBatches(converter, input, { ...part, to: part.to }, memory)) {
      signal?.throwIfAborted();
      yield made;
      sweep();
    }
    return;
  }
  for await (const chunk of readChunks(input, { signal })) {
    if (chunk.tooLong) yield { wrong: 'too_long' };
    else if (chunk.damaged) yield { wrong: 'damaged_file' };
    else {
      const lines = new LineStarts();
      lines.see(chunk.bytes, chunk.offset);
      yield { batch: converter.convert([chunk.bytes], memory), lines };
      sweep();
    }
  }
}

function* rangeBatches(
  converter: Converter,
  { path, bytes }: LogInput,
  { from, to }: { readonly from: number; readonly to: number },
  memory: ArrayBuffer,
): Generator<PartBatch> {
  const fd = fs.openSync(path, 'r');
  const reader = new RangeReader();
  try {
    for (let at = from; at < to; at += STEP_BYTES) {
      const lines = new LineStarts();
      const range = { fd, from: at, to: Math.min(to, at + STEP_BYTES), size: bytes! };
      const seen = function* () {
        for (const piece of reader.pieces(range)) {
          lines.see(piece, reader.at);
          yield piece;
        }
      };
      yield { batch: converter.convert(seen(), memory), lines };
      if (reader.tooLong) yield { wrong: 'too_long' };
    }
  } finally {
    fs.closeSync(fd);
  }
}
