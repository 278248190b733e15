const NEWLINE = 10;

/** An upper bound for the head of a line and everything before its request, bytes. */
const MOST_BYTES = 1024 ** 2;

/** Splits blocks into lines and keeps only the beginning of each: enough to read its head. */
export class LineBeginnings {
  #pieces: Buffer[] = [];
  #length = 0;

  /** The beginnings of the lines that end in this block. They are valid until it is reused. */
  *push(block: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      const line = this.#take(block.subarray(start, end));
      if (line.length > 0) yield line;
      start = end + 1;
    }
    this.#keep(block.subarray(start));
  }

  /** The beginning of the last line, if no newline ended it. */
  end(): Buffer | undefined {
    const line = this.#take(Buffer.alloc(0));
    return line.length > 0 ? line : undefined;
  }

  #take(rest: Buffer): Buffer {
    const more = rest.subarray(0, MOST_BYTES - this.#length);
    if (this.#length === 0) return more;
    const line = Buffer.concat([...this.#pieces, more]);
    this.#pieces = [];
    this.#length = 0;
    return line;
  }

  #keep(piece: Buffer): void {
    const more = piece.subarray(0, MOST_BYTES - this.#length);
    if (more.length === 0) return;
    // The reader reuses the block.
    this.#pieces.push(Buffer.from(more));
    this.#length += more.length;
  }
}
