/** Ranges of a file that each thread reads by itself: only numbers are passed between threads. */
import * as fs from 'node:fs';
import { packingOf } from './unpacked.ts';
import type { LogInput } from './input.ts';
import { MAX_LINE_BYTES } from './reader.ts';

const NEWLINE = 10;
/** Large enough that handing out a range is cheap beside processing it. */
const RANGE_BYTES = 4 * 1024 ** 2;
/** The size of one read. */
const PIECE_BYTES = 512 * 1024;
/** The size of one read while searching for a line end, in either direction. */
const TAIL_BYTES = 64 * 1024;

/** The lines that begin in a part of an open file. File descriptors are valid in every thread. */
export interface LineRange {
  readonly fd: number;
  readonly from: number;
  /** Just past the last byte. */
  readonly to: number;
  /** The size of the file; anything written meanwhile is ignored. */
  readonly size: number;
}

/** A file that can be read in ranges. */
export interface RangedFile {
  /** The end of the last whole line. */
  readonly wholeBytes: number;
  readonly ranges: Iterable<LineRange>;
  close(): void;
}

/** Opens a plain file; `undefined` for inputs that must be read from their start: pipes and compressed files. */
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
  const wholeBytes = wholeBytesOf(fd, size);
  return { wholeBytes, ranges: rangesOf(fd, size), close: () => fs.closeSync(fd) };
}

/** Searches backwards from the end of a file for the last line end. */
function wholeBytesOf(fd: number, size: number): number {
  const memory = Buffer.alloc(TAIL_BYTES);
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - TAIL_BYTES);
    const read = fs.readSync(fd, memory, 0, to - from, from);
    const newline = memory.subarray(0, read).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    to = from;
  }
  return 0;
}

function* rangesOf(fd: number, size: number): Generator<LineRange> {
  for (let from = 0; from < size; from += RANGE_BYTES)
    yield { fd, from, to: Math.min(size, from + RANGE_BYTES), size };
}

/** Reads ranges piece by piece into memory that is reused and small enough to stay in the cache of a core. */
export class RangeReader {
  #memory = Buffer.from(new ArrayBuffer(PIECE_BYTES));
  /** Whether a line that is too long to be kept begins after the lines of the last range. */
  tooLong = false;
  /** Where what was given last begins in the file. */
  at = 0;

  /**
   * The lines that begin in the range, several whole ones at a time; only the last line of a file may lack its end.
   * Each piece is valid until the next one is requested.
   * @throws Error of the file system
   */
  *pieces(range: LineRange): Generator<Uint8Array<ArrayBuffer>> {
    const { fd, to, size } = range;
    this.tooLong = false;
    let start = this.#start(range);
    for (let held = 0, done = start >= to; !done;) {
      const at = start + held;
      // Reads to the end of the range, and as much past it as its last line needs.
      const wanted = at < to ? Math.min(to - at, Math.max(PIECE_BYTES - held, TAIL_BYTES)) : TAIL_BYTES;
      const got = this.#fill(fd, at, held, Math.min(wanted, size - at));
      const length = held + got;
      const last = this.#end(Math.max(held, to - 1 - start), length);
      const ended = last >= 0 || got === 0 || start + length >= size;
      const cut = ended ? (last < 0 ? length : last + 1) : this.#lastEnd(held, length);
      this.at = start;
      if (cut > 0) yield new Uint8Array(this.#memory.buffer, 0, cut);
      this.#memory.copyWithin(0, cut, length);
      start += cut;
      held = length - cut;
      this.tooLong = !ended && held > MAX_LINE_BYTES;
      done = ended || this.tooLong;
    }
  }

  /** The offset of the first line; past the range if no line begins in it. */
  #start({ fd, from, to }: LineRange): number {
    if (from === 0) return 0;
    // The byte before `from` tells whether a line begins there.
    for (let at = from - 1; at < to - 1;) {
      const got = this.#fill(fd, at, 0, Math.min(TAIL_BYTES, to - 1 - at));
      const newline = this.#end(0, got);
      if (newline >= 0) return at + newline + 1;
      if (got === 0) break;
      at += got;
    }
    return to;
  }

  /** The next line end at or after an offset in memory; -1 if there is none. */
  #end(from: number, length: number): number {
    return from < length ? this.#memory.subarray(0, length).indexOf(NEWLINE, from) : -1;
  }

  /** The offset after the last line end in a part of the memory; 0 if there is none. */
  #lastEnd(from: number, to: number): number {
    const at = this.#memory.subarray(from, to).lastIndexOf(NEWLINE);
    return at < 0 ? 0 : from + at + 1;
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
