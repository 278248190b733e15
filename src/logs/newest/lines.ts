/** Reads the lines of a plain log file backwards, block by block, loading only the beginnings of long lines. */
import * as fs from 'node:fs';

const NEWLINE = 10;
/** Measured best for a file in the page cache: the last lines are available within a millisecond. */
const BLOCK_BYTES = 1024 ** 2;
/** The number of bytes read past a block, so that the head of a line that begins near its end is complete. */
const OVERLAP_BYTES = 16 * 1024;

/** A line that begins in a block. */
export interface LineInBlock {
  /** Its offset in the memory of the block. */
  readonly from: number;
  /** The end of the part that is in memory, without the line end. */
  readonly to: number;
  /** Its offset in the file. */
  readonly at: number;
  /** The offset of its end in the file, without the line end. */
  readonly end: number;
  /** Whether a newline follows: the last line of a live file may lack it. */
  readonly terminated: boolean;
}

export interface BlockOfLines {
  /** Valid until the next block is requested. */
  readonly bytes: Buffer;
  /** The lines that begin in the block, in the order of the file. */
  readonly lines: readonly LineInBlock[];
}

/**
 * The blocks of an open file, last one first. Reads synchronously: meant for commands that do nothing else, and for
 * threads.
 * @param size the size of the file; anything written meanwhile is ignored
 * @throws Error of the file system
 */
export function* blocksBackwards(fd: number, size: number): Generator<BlockOfLines> {
  const memory = Buffer.allocUnsafe(1 + BLOCK_BYTES + OVERLAP_BYTES);
  // The beginning of the first line of the blocks returned so far: the line before it ends there.
  let next = size;
  let terminated = size > 0 && byteAt(fd, size - 1) === NEWLINE;
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - BLOCK_BYTES);
    // The byte before a block tells whether a line begins at its start.
    const start = Math.max(0, from - 1);
    const bytes = memory.subarray(0, fill(fd, memory, start, Math.min(size, to + OVERLAP_BYTES) - start));
    const lines: LineInBlock[] = [];
    const starts = startsIn(bytes, { from: from - start, to: to - start, isFirst: from === 0 });
    for (const [index, begin] of starts.entries()) {
      const isLast = index === starts.length - 1;
      const behind = isLast ? next : start + starts[index + 1]!;
      const ended = !isLast || next < size || terminated;
      const end = ended ? behind - 1 : behind;
      if (end > start + begin)
        lines.push({
          from: begin,
          to: Math.min(bytes.length, end - start),
          at: start + begin,
          end,
          terminated: ended,
        });
    }
    if (starts.length > 0) {
      next = start + starts[0]!;
      terminated = true;
    }
    if (lines.length > 0) yield { bytes, lines };
    to = from;
  }
}

/** The offsets in memory, between two positions, at which lines begin. */
function startsIn(bytes: Buffer, part: { from: number; to: number; isFirst: boolean }): number[] {
  const { from, to, isFirst } = part;
  const starts = isFirst && to > 0 ? [0] : [];
  // A line begins after each line end except the last one of the file, which is at the end of this part.
  const before = Math.max(0, from - 1);
  for (let at = bytes.indexOf(NEWLINE, before); at >= 0 && at + 1 < to; at = bytes.indexOf(NEWLINE, at + 1))
    starts.push(at + 1);
  return starts;
}

function byteAt(fd: number, at: number): number | undefined {
  const one = Buffer.alloc(1);
  return fs.readSync(fd, one, 0, 1, at) === 1 ? one[0] : undefined;
}

/** Reads as much as is available. */
export function fill(fd: number, into: Buffer, at: number, wanted: number): number {
  let got = 0;
  while (got < wanted) {
    const bytes = fs.readSync(fd, into, got, wanted - got, at + got);
    if (bytes === 0) break;
    got += bytes;
  }
  return got;
}

/** A part of the file in memory of its own. */
export function part(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  return bytes.subarray(0, fill(fd, bytes, from, bytes.length));
}
