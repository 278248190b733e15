type Bytes = Uint8Array<ArrayBuffer>;

/** The size of a piece: about two hundred events of a stream, which take a few milliseconds. */
const PIECE = 32 * 1024;

/**
 * Splits large chunks: a provider on a fast connection sends megabytes at once, and processing them in one go would
 * block the event loop.
 */
export class Pieces {
  #rest: Bytes | undefined;

  /** The first piece of a chunk; the others follow by `next`. */
  first(bytes: Bytes): Bytes {
    if (bytes.length <= PIECE) {
      this.#rest = undefined;
      return bytes;
    }
    this.#rest = bytes.subarray(PIECE);
    return bytes.subarray(0, PIECE);
  }

  /** The next piece of the last chunk; `undefined` when there is none. */
  next(): Bytes | undefined {
    return this.#rest && this.first(this.#rest);
  }
}
