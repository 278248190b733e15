/** Searches for the same bytes repeatedly, at increasing positions, and reads no byte twice. */
export class ByteSearch {
  readonly #block: Buffer;
  readonly #bytes: Buffer;
  /** The position of the last match; there is none between `#asked` and it. */
  #found = -1;
  #searchedFrom = 0;

  constructor(block: Buffer, bytes: Buffer) {
    this.#block = block;
    this.#bytes = bytes;
  }

  /** The next match at or after a position, which must never decrease; the length of the block if there is none. */
  from(place: number): number {
    if (place > this.#found || place < this.#searchedFrom) {
      const found = this.#block.indexOf(this.#bytes, place);
      this.#found = found < 0 ? this.#block.length : found;
      this.#searchedFrom = place;
    }
    return this.#found;
  }
}
