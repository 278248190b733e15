const NEWLINE = 10;

/** The head of a line, and all that can stand before its request, is shorter than that, bytes. */
const MOST_BYTES = 1024 ** 2;

/** Cuts blocks into lines, and keeps of each no more than its beginning: enough to read its head. */
export class LineBeginnings {
  #pieces: Buffer[] = [];
  #length = 0;

  /** Those of the lines that end in this block. They are valid until it is used again. */
  *push(block: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      const line = this.#take(block.subarray(start, end));
      if (line.length > 0) yield line;
      start = end + 1;
    }
    this.#keep(block.subarray(start));
  }

  /** That of the last line, when no newline ended it. */
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
    // The block is used again by whoever reads.
    this.#pieces.push(Buffer.from(more));
    this.#length += more.length;
  }
}
