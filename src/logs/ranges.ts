/** Parts of a file, each read by whoever works on it: nothing is handed from thread to thread but numbers. */
import * as fs from 'node:fs';
import { packingOf } from './blocks.ts';
import type { LogInput } from './input.ts';
import { MAX_LINE_BYTES } from './reader.ts';

const NEWLINE = 10;
/** Big enough that handing out a range costs nothing beside the work on it. */
const RANGE_BYTES = 4 * 1024 ** 2;
/** How far the end of a line is looked for at first. */
const TAIL_BYTES = 64 * 1024;

/** The lines that begin in a part of an open file. The number of a file is good in every thread. */
export interface LineRange {
  readonly fd: number;
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** Where the file ends; what is written meanwhile is not read. */
  readonly size: number;
}

/** A file that can be read in parts. */
export interface RangedFile {
  readonly size: number;
  readonly ranges: Iterable<LineRange>;
  close(): void;
}

/** Opens a file of plain lines; `undefined` for what must be read from its start: pipes, and compressed files. */
export function rangedFile({ path, bytes }: LogInput): RangedFile | undefined {
  if (path === '-' || bytes === undefined || !fs.existsSync(path)) return undefined;
  const fd = fs.openSync(path, 'r');
  const { size } = fs.fstatSync(fd);
  const start = Buffer.alloc(4);
  const length = fs.readSync(fd, start, 0, start.length, 0);
  if (size === 0 || packingOf(start.subarray(0, length)) !== undefined) {
    fs.closeSync(fd);
    return undefined;
  }
  return { size, ranges: rangesOf(fd, size), close: () => fs.closeSync(fd) };
}

function* rangesOf(fd: number, size: number): Generator<LineRange> {
  for (let from = 0; from < size; from += RANGE_BYTES)
    yield { fd, from, to: Math.min(size, from + RANGE_BYTES), size };
}

/** Some whole lines. */
export interface RangeLines {
  /** Valid until the next range is read. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Behind them begins a line that is too long to be held. */
  readonly tooLong: boolean;
}

/** Reads ranges into memory that it keeps. */
export class RangeReader {
  #memory = Buffer.from(new ArrayBuffer(RANGE_BYTES + TAIL_BYTES + 1));

  /** The lines that begin in the range; the last one ends where it ends. @throws Error of the file system */
  read({ fd, from, to, size }: LineRange): RangeLines {
    // Whether a line begins at `from` the byte before it tells.
    const first = Math.max(0, from - 1);
    let length = this.#fill(fd, first, 0, to - first);
    const start = from === 0 ? 0 : this.#memory.subarray(0, length).indexOf(NEWLINE) + 1;
    if (from > 0 && (start === 0 || first + start >= to)) return { bytes: this.#lines(0, 0), tooLong: false };
    let end = this.#endFrom(to - 1 - first, length);
    for (let more = TAIL_BYTES; end < 0 && first + length < size; more *= 2) {
      const before = length;
      length += this.#fill(fd, first + length, length, Math.min(more, size - first - length));
      if (length === before) break;
      end = this.#endFrom(before, length);
      if (end < 0 && length - start > MAX_LINE_BYTES)
        return {
          bytes: this.#lines(start, this.#memory.lastIndexOf(NEWLINE, to - 1 - first) + 1),
          tooLong: true,
        };
    }
    return { bytes: this.#lines(start, end < 0 ? length : end), tooLong: false };
  }

  #endFrom(from: number, length: number): number {
    const at = this.#memory.subarray(0, length).indexOf(NEWLINE, from);
    return at < 0 ? -1 : at + 1;
  }

  #lines(from: number, to: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, from, Math.max(0, to - from));
  }

  #fill(fd: number, at: number, into: number, wanted: number): number {
    if (into + wanted > this.#memory.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(into + wanted, 2 * this.#memory.length)));
      this.#memory.copy(larger, 0, 0, into);
      this.#memory = larger;
    }
    let got = 0;
    while (got < wanted) {
      const bytes = fs.readSync(fd, this.#memory, into + got, wanted - got, at + got);
      if (bytes === 0) break;
      got += bytes;
    }
    return got;
  }
}
