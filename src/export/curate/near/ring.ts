/** Records of equal length by number, in pieces that are allocated on demand. A new record replaces the oldest. */

const PIECE_BITS = 12;
const PIECE = 1 << PIECE_BITS;

export class RecordRing {
  readonly #words: number;
  readonly #capacity: number;
  readonly #pieces: Int32Array[] = [];
  #length = 0;
  #bytes = 0;

  /**
   * @param words per record, of 32 bits
   * @param capacity the number of records kept, the last ones
   */
  constructor(words: number, capacity: number) {
    this.#words = words;
    this.#capacity = capacity;
  }

  /** The number of records so far, including dropped ones. */
  get length(): number {
    return this.#length;
  }

  /** The number of the oldest record kept, which is the count of dropped ones. */
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

  /** The piece that contains a kept record. */
  pieceOf(record: number): Int32Array {
    return this.#pieces[(record % this.#capacity) >>> PIECE_BITS]!;
  }

  /** The offset of a record within its piece. */
  offsetOf(record: number): number {
    return ((record % this.#capacity) & (PIECE - 1)) * this.#words;
  }
}
