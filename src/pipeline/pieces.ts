type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes at once: some two hundred events of a stream, which take a few milliseconds. */
const PIECE = 32 * 1024;

/**
 * Gives what came at once in small pieces: a provider on a fast line sends megabytes in one chunk, and to read them in one go
 * would let nothing else happen.
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

  /** The next piece of the last chunk; `undefined` when it is given. */
  next(): Bytes | undefined {
    return this.#rest && this.first(this.#rest);
  }
}
