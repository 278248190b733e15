/** Reads inputs as chunks of whole lines, in memory that can be transferred to another thread. */
import { readBlocks } from './blocks.ts';
import type { BlockOptions } from './source.ts';
import { DamagedInput } from './unpacked.ts';
import type { LogInput } from './input.ts';
import { MAX_LINE_BYTES } from './reader.ts';

const NEWLINE = 10;
/** Large enough that transferring a chunk is cheap beside processing it, small enough to keep two dozen in flight. */
const CHUNK_BYTES = 2 * 1024 ** 2;

/** Some lines of one input, with their line ends. Only the last chunk of an input may lack the last one. */
export interface Chunk {
  readonly input: LogInput;
  /** The receiver of the chunk owns the memory behind `bytes`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset of the chunk in the decompressed input. */
  readonly offset: number;
  /** Set instead of bytes: a line that is too long to be kept was here. */
  readonly tooLong?: true;
  /** Set instead of bytes: the compressed data is damaged from here on. */
  readonly damaged?: true;
}

export interface ChunkOptions extends BlockOptions {
  /** The longest line to keep; {@link MAX_LINE_BYTES} by default. */
  readonly maxLineBytes?: number;
  /** Memory for a chunk of at least this size; freshly allocated by default. */
  readonly memory?: (bytes: number) => ArrayBuffer;
}

/**
 * Reads one input in chunks.
 * @throws InputError when it cannot be read; the signal's reason when it aborts
 */
export async function* readChunks(input: LogInput, options: ChunkOptions = {}): AsyncGenerator<Chunk> {
  const cutter = new ChunkCutter(options);
  try {
    for await (const block of readBlocks(input, options)) {
      for (const piece of cutter.push(block)) yield { input, ...piece };
    }
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    // The line that was cut off belongs to the damaged part.
    for (const piece of cutter.whole()) yield { input, ...piece };
    yield { input, bytes: NONE, offset: cutter.offset, damaged: true };
    return;
  }
  for (const piece of cutter.end()) yield { input, ...piece };
}

type Piece = Omit<Chunk, 'input'>;

const NONE = new Uint8Array(0);

/** Collects blocks and splits them after line ends. */
class ChunkCutter {
  readonly #maxLineBytes: number;
  readonly #memory: (bytes: number) => ArrayBuffer;
  #held: Uint8Array<ArrayBuffer> = NONE;
  #length = 0;
  /** Whether the collected bytes contain a line end. */
  #cuttable = false;
  /** Whether the position is within a line that is too long. */
  #skipping = false;
  offset = 0;

  constructor({ maxLineBytes = MAX_LINE_BYTES, memory = (bytes) => new ArrayBuffer(bytes) }: ChunkOptions) {
    this.#maxLineBytes = maxLineBytes;
    this.#memory = memory;
  }

  *push(block: Buffer): Generator<Piece> {
    let rest: Uint8Array = block;
    if (this.#skipping) {
      const end = block.indexOf(NEWLINE);
      this.offset += end < 0 ? block.length : end + 1;
      if (end < 0) return;
      this.#skipping = false;
      yield { bytes: NONE, offset: this.offset, tooLong: true };
      rest = block.subarray(end + 1);
    }
    this.#hold(rest);
    if (this.#length < CHUNK_BYTES) return;
    yield* this.whole();
    if (this.#length <= this.#maxLineBytes) return;
    this.#skipping = true;
    this.offset += this.#length;
    this.#length = 0;
  }

  /** The whole lines collected so far. */
  *whole(): Generator<Piece> {
    if (!this.#cuttable) return;
    yield this.#cut(this.#held.subarray(0, this.#length).lastIndexOf(NEWLINE) + 1);
  }

  /** Everything that is left, including the last line. */
  *end(): Generator<Piece> {
    if (this.#skipping) yield { bytes: NONE, offset: this.offset, tooLong: true };
    else if (this.#length > 0) yield this.#cut(this.#length);
  }

  #hold(block: Uint8Array): void {
    const needed = this.#length + block.length;
    if (needed > this.#held.length) {
      const wanted = Math.max(needed, 2 * this.#held.length, CHUNK_BYTES + block.length);
      const larger = new Uint8Array(this.#memory(wanted));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(block, this.#length);
    this.#length = needed;
    this.#cuttable ||= block.includes(NEWLINE);
  }

  #cut(end: number): Piece {
    const { offset } = this;
    const bytes = this.#held.subarray(0, end);
    const rest = this.#held.slice(end, this.#length);
    this.offset += end;
    this.#held = NONE;
    this.#length = 0;
    this.#cuttable = false;
    if (rest.length > 0) this.#hold(rest);
    return { bytes, offset };
  }
}
