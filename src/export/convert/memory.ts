/** Memory that is reused. */

/** Memory for one very long line is not kept. */
const MOST_BYTES = 8 * 1024 ** 2;
/** The number of pieces that are kept: as many as are in use at once with a few threads. */
const MOST_PIECES = 32;

/**
 * Memory that is reused. Fresh memory for each chunk would wait for the garbage collector, which does not see how large
 * it is, and touching a page for the first time costs more than processing its bytes.
 */
export class MemoryPool {
  readonly #free: ArrayBuffer[] = [];

  /** At least this many bytes, with arbitrary content. */
  take(bytes: number): ArrayBuffer {
    const index = this.#free.findIndex((memory) => memory.byteLength >= bytes);
    return index < 0 ? new ArrayBuffer(bytes) : this.#free.splice(index, 1)[0]!;
  }

  /** Takes back memory that is no longer read. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength <= MOST_BYTES && this.#free.length < MOST_PIECES) this.#free.push(memory);
  }
}

/** Memory for the rows of a range, which are rarely longer than their lines. */
export const ROWS_BYTES = 4 * 1024 ** 2;

/** A piece as it is identified to the thread that writes to it; the memory is only sent the first time. */
export interface PieceName {
  readonly piece: number;
  readonly memory?: SharedArrayBuffer;
}

/**
 * Pieces of memory that this thread shares with another. Messages identify them by number: memory that is sent with a
 * message counts as new garbage of its size each time, and a collection costs more than converting a range.
 */
export class SharedPieces {
  readonly #bytes: number;
  readonly #pieces: SharedArrayBuffer[] = [];
  readonly #free: number[] = [];

  /** @param bytes of each piece */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): PieceName {
    const piece = this.#free.pop();
    if (piece !== undefined) return { piece };
    const memory = new SharedArrayBuffer(this.#bytes);
    return { piece: this.#pieces.push(memory) - 1, memory };
  }

  /** The bytes that were written to a piece, valid until it is given back. */
  read(piece: number, length: number): Uint8Array {
    return new Uint8Array(this.#pieces[piece]!, 0, length);
  }

  give(piece: number): void {
    this.#free.push(piece);
  }
}
