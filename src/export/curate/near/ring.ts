/** Records of one length by number, in pieces that are made when they are needed. A new one takes the oldest's place. */

const PIECE_BITS = 12;
const PIECE = 1 << PIECE_BITS;

export class RecordRing {
  readonly #words: number;
  readonly #capacity: number;
  readonly #pieces: Int32Array[] = [];
  #length = 0;
  #bytes = 0;

  /**
   * @param words in a record, of 32 bits
   * @param capacity records that are kept, the last ones
   */
  constructor(words: number, capacity: number) {
    this.#words = words;
    this.#capacity = capacity;
  }

  /** Records so far, with the forgotten ones. */
  get length(): number {
    return this.#length;
  }

  /** The number of the oldest that is kept, which is how many are forgotten. */
  get oldest(): number {
    return Math.max(0, this.#length - this.#capacity);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes room for one more. @returns its number */
  push(): number {
    const place = this.#length % this.#capacity;
    if (place >>> PIECE_BITS === this.#pieces.length) {
      const piece = new Int32Array(Math.min(PIECE, this.#capacity - place) * this.#words);
      this.#pieces.push(piece);
      this.#bytes += piece.byteLength;
    }
    return this.#length++;
  }

  /** The piece that holds a record which is kept. */
  pieceOf(record: number): Int32Array {
    return this.#pieces[(record % this.#capacity) >>> PIECE_BITS]!;
  }

  /** The offset at which a record begins in its piece. */
  offsetOf(record: number): number {
    return ((record % this.#capacity) & (PIECE - 1)) * this.#words;
  }
}
