/** Reads single lines of an input again, by their offsets. */
import * as fs from 'node:fs';
import type { LogInput } from '../../logs/input.ts';
import { packingOf } from '../../logs/unpacked.ts';
import { readChunks } from '../../logs/chunks.ts';
import { ExportError } from '../errors.ts';

const NEWLINE = 10;
/** The size of one read: it usually contains the next line as well. */
const WINDOW_BYTES = 1024 ** 2;

/**
 * The lines at some offsets, with their line ends, in order. Each is valid until the next one is requested.
 * @param offsets ascending, without duplicates, in the decompressed input
 * @throws ExportError when there is no line at an offset; InputError, and as the file system does
 */
export async function* fetchLines(
  input: LogInput,
  offsets: readonly number[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (offsets.length === 0) return;
  if (input.object === undefined && !isPacked(input.path)) yield* linesOfFile(input, offsets, signal);
  else yield* linesOfChunks(input, offsets, signal);
}

function isPacked(path: string): boolean {
  const fd = fs.openSync(path, 'r');
  try {
    const start = Buffer.alloc(4);
    return packingOf(start.subarray(0, fs.readSync(fd, start, 0, start.length, 0))) !== undefined;
  } finally {
    fs.closeSync(fd);
  }
}

function* linesOfFile(
  { name, path, bytes }: LogInput,
  offsets: readonly number[],
  signal?: AbortSignal,
): Generator<Uint8Array> {
  const window = new FileWindow(path, bytes!);
  try {
    for (const offset of offsets) {
      signal?.throwIfAborted();
      const line = window.lineAt(offset);
      if (line.length === 0) throw missing(name, offset);
      yield line;
    }
  } finally {
    window.close();
  }
}

/** A part of a file in memory. */
class FileWindow {
  readonly #fd: number;
  readonly #size: number;
  #memory = Buffer.alloc(WINDOW_BYTES);
  #from = 0;
  #to = 0;

  constructor(path: string, size: number) {
    this.#fd = fs.openSync(path, 'r');
    this.#size = size;
  }

  /** The line at an offset, up to the end of the file if it is not terminated; nothing after it. */
  lineAt(offset: number): Uint8Array {
    if (offset < this.#from || offset >= this.#to) this.#read(offset, WINDOW_BYTES);
    let end = this.#endFrom(offset);
    for (let wanted = WINDOW_BYTES; end < 0 && this.#to < this.#size; wanted *= 2) {
      this.#read(offset, wanted);
      end = this.#endFrom(offset);
    }
    const length = this.#to - this.#from;
    return this.#memory.subarray(Math.min(length, offset - this.#from), end < 0 ? length : end + 1);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #endFrom(offset: number): number {
    return this.#memory.subarray(0, this.#to - this.#from).indexOf(NEWLINE, offset - this.#from);
  }

  /** Reads this many bytes from a position, or fewer at the end. */
  #read(at: number, wanted: number): void {
    if (wanted > this.#memory.length) this.#memory = Buffer.alloc(wanted);
    const end = Math.min(at + wanted, this.#size);
    [this.#from, this.#to] = [at, at];
    while (this.#to < end) {
      const got = fs.readSync(this.#fd, this.#memory, this.#to - at, end - this.#to, this.#to);
      if (got === 0) break;
      this.#to += got;
    }
  }
}

/** An input that can only be read from its start is read up to the last line. */
async function* linesOfChunks(
  input: LogInput,
  offsets: readonly number[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let next = 0;
  for await (const { bytes, offset } of readChunks(input, { signal })) {
    for (; next < offsets.length && offsets[next]! < offset + bytes.length; next++) {
      const from = offsets[next]! - offset;
      if (from < 0) throw missing(input.name, offsets[next]!);
      const end = bytes.indexOf(NEWLINE, from);
      yield bytes.subarray(from, end < 0 ? bytes.length : end + 1);
    }
    if (next === offsets.length) return;
  }
  throw missing(input.name, offsets[next]!);
}

function missing(name: string, offset: number): ExportError {
  return new ExportError('failed', `Cannot read ${name}: no line begins at byte ${offset}`);
}
