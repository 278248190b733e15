/** Memory for one very long line is not kept. */
const MOST_BYTES = 8 * 1024 ** 2;
/** Pieces that are kept: as many as are in use at once with a few threads. */
const MOST_PIECES = 32;

/**
 * Memory that is used again. What is made anew for each chunk would wait for the collector of garbage, which does not
 * see how large it is, and every page that is touched for the first time costs more than its bytes.
 */
export class MemoryPool {
  readonly #free: ArrayBuffer[] = [];

  /** At least so many bytes; what they hold is anything. */
  take(bytes: number): ArrayBuffer {
    const index = this.#free.findIndex((memory) => memory.byteLength >= bytes);
    return index < 0 ? new ArrayBuffer(bytes) : this.#free.splice(index, 1)[0]!;
  }

  /** Takes memory back that nobody reads any more. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength <= MOST_BYTES && this.#free.length < MOST_PIECES) this.#free.push(memory);
  }
}
