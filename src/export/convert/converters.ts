import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { MemoryPool } from './memory.ts';
import type { Rendered, RenderJob } from './render-rows.ts';

/** Converts chunks of lines: in threads, or in this one. */
export interface Converters {
  /** How many chunks should be handed out before the first is taken back. */
  readonly window: number;
  /** The pool from which memory for chunks is taken. */
  readonly memory: MemoryPool;
  /** Takes ownership of the memory behind the bytes. */
  convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch>;
  /** Converts lines that are read where they are converted; omitted if that gains nothing. */
  convertRange?(range: LineRange): Promise<RangeBatch>;
  /** Takes back the memory behind the text of a batch. */
  release(batch: Batch): void;
  /** Takes ownership of the memory of the examples. */
  render(job: RenderJob): Promise<Rendered>;
  /** Ends the threads. @returns a promise that resolves when their memory is free again */
  close(): Promise<void>;
}

export interface RangeBatch {
  readonly batch: Batch;
  /** Whether a line that is too long to be kept begins after its lines. */
  readonly tooLong: boolean;
}
