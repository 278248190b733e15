import type { LineRange } from '../../logs/ranges.ts';
import type { Batch } from './batch.ts';
import type { MemoryPool } from './memory.ts';
import type { Rendered, RenderJob } from './render-rows.ts';

/** Converts chunks of lines: in threads, or in this one. */
export interface Converters {
  /** How many chunks are worth handing out before the first is taken back. */
  readonly window: number;
  /** The pool that memory for chunks is taken from. */
  readonly memory: MemoryPool;
  /** Takes the memory behind the bytes. */
  convert(bytes: Uint8Array<ArrayBuffer>): Promise<Batch>;
  /** Converts lines that are read where they are converted; left out where nothing is won by that. */
  convertRange?(range: LineRange): Promise<RangeBatch>;
  /** Takes back the memory behind the text of a batch. */
  release(batch: Batch): void;
  /** Takes the memory of the examples. */
  render(job: RenderJob): Promise<Rendered>;
  /** Ends the threads. @returns kept when their memory is free again */
  close(): Promise<void>;
}

export interface RangeBatch {
  readonly batch: Batch;
  /** Behind its lines begins one that is too long to be held. */
  readonly tooLong: boolean;
}
