const NEWLINE = 10;
const RETURN = 13;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** A line as bytes, without its line end. `bytes` is valid until the next block is pushed. */
export interface LogLine {
  readonly bytes: Buffer;
  /** The line number, from 1. */
  readonly number: number;
  /** Whether a newline followed. The last line of a file that is being written may lack it. */
  readonly terminated: boolean;
  /** Whether the line is longer than allowed; `bytes` is empty then. */
  readonly tooLong: boolean;
}

/** Splits blocks into lines. LF ends a line; a CR before it and a BOM at the start are dropped. */
export class LineSplitter {
  readonly #maxBytes: number;
  #number = 0;
  /** The pieces of a line whose end has not arrived yet. */
  #pieces: Buffer[] = [];
  #length = 0;

  /** @param maxBytes the longest line to keep; a longer one is skipped without being held in memory */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this block. Blank lines are skipped, but counted. */
  push(block: Buffer): LogLine[] {
    const lines: LogLine[] = [];
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      this.#take(lines, block.subarray(start, end), true);
      start = end + 1;
    }
    if (start < block.length) this.#keep(block.subarray(start));
    return lines;
  }

  /** The number of lines begun so far. */
  get lines(): number {
    return this.#number;
  }

  /** The last line, if no newline ended it. */
  end(): LogLine[] {
    const lines: LogLine[] = [];
    if (this.#length > 0) this.#take(lines, Buffer.alloc(0), false);
    return lines;
  }

  #take(lines: LogLine[], rest: Buffer, terminated: boolean): void {
    this.#number += 1;
    const tooLong = this.#length + rest.length > this.#maxBytes;
    let bytes = tooLong || this.#length === 0 ? rest : Buffer.concat([...this.#pieces, rest]);
    if (this.#length > 0) this.#forget();
    if (tooLong) bytes = bytes.subarray(0, 0);
    if (bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
    if (this.#number === 1) bytes = withoutBom(bytes);
    if (bytes.length > 0 || tooLong) lines.push({ bytes, number: this.#number, terminated, tooLong });
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    // The reader reuses the block, so anything that outlives it must be copied.
    if (this.#length <= this.#maxBytes) this.#pieces.push(Buffer.from(piece));
    else this.#pieces = [];
  }

  #forget(): void {
    this.#pieces = [];
    this.#length = 0;
  }
}

/** The bytes without a leading byte order mark. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === BOM[0] && bytes.subarray(0, BOM.length).equals(BOM)
    ? bytes.subarray(BOM.length)
    : bytes;
}
