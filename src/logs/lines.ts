const NEWLINE = 10;
const RETURN = 13;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** A line as bytes, without its line end. `bytes` is valid until the next block is pushed. */
export interface LogLine {
  readonly bytes: Buffer;
  /** From 1. */
  readonly number: number;
  /** Whether a newline followed. The last line of a live file may lack it. */
  readonly terminated: boolean;
  /** Longer than allowed: `bytes` is empty. */
  readonly tooLong: boolean;
}

/** Cuts blocks into lines. LF ends a line, a CR before it is dropped, and so is a BOM at the start. */
export class LineSplitter {
  readonly #maxBytes: number;
  #number = 0;
  /** Begin of a line whose end has not come yet, in pieces. */
  #pieces: Buffer[] = [];
  #length = 0;

  /** @param maxBytes longest line to keep; a longer one is passed over without being held in memory */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this block. Blank lines are left out but counted. */
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

  /** Lines begun so far. */
  get lines(): number {
    return this.#number;
  }

  /** The last line, when no newline ended it. */
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
    // The block is reused by whoever reads, so what outlives it is copied.
    if (this.#length <= this.#maxBytes) this.#pieces.push(Buffer.from(piece));
    else this.#pieces = [];
  }

  #forget(): void {
    this.#pieces = [];
    this.#length = 0;
  }
}

/** The bytes without the mark that some programs begin a file with. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === BOM[0] && bytes.subarray(0, BOM.length).equals(BOM)
    ? bytes.subarray(BOM.length)
    : bytes;
}
