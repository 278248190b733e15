/** Reads an input as blocks of decompressed bytes, in constant memory. */
import * as fs from 'node:fs';
import type { LogInput } from './input.ts';
import { fileReason } from './names.ts';
import { InputError } from './problem.ts';
import { S3Reader } from './s3.ts';

/** Measured best on a page-cached file; 64 KiB and 16 MiB are both a quarter slower. */
const BLOCK_BYTES = 1024 ** 2;
/** Blocks of compressed data are not reused, so they are smaller. */
const PACKED_BYTES = 256 * 1024;
/** The size of pieces where damage is expected: all bytes before it count. */
const SMALL_PIECE_BYTES = 1;
const STDIN_FD = 0;
/** The interval at which an idle pipe is polled, milliseconds. */
const EMPTY_PIPE_MS = 10;

export interface BlockOptions {
  readonly signal?: AbortSignal;
  /** Called with the raw bytes read from the file, before decompression. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Thrown when compressed data ends early or is damaged. Everything readable was delivered before, except what the damaged
 * piece of a pipe contains.
 */
export class DamagedInput extends Error {
  override readonly name = 'DamagedInput';
}

/**
 * Reads an input up to the size it had when it was opened. gzip and zstd are detected by their first bytes.
 * A block is valid until the next one is requested.
 * @throws InputError when the input cannot be opened or read; DamagedInput for damaged compressed data; the
 * signal's reason when it aborts
 */
export async function* readBlocks(input: LogInput, options: BlockOptions = {}): AsyncGenerator<Buffer> {
  const source = new Source(input, options);
  try {
    const start = await source.peek();
    const packing = packingOf(start);
    if (packing !== undefined) yield* unpacked(source, start, { input, options, packing });
    else {
      if (start.length > 0) yield start;
      const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
      for (let bytes = await source.read(buffer); bytes > 0; bytes = await source.read(buffer)) {
        yield buffer.subarray(0, bytes);
      }
    }
  } finally {
    source.close();
  }
}

export type Packing = 'gzip' | 'zstd';

/** @see RFC 1952 section 2.3, RFC 8878 section 3.1 (0x184D2A50 to 5F begin a frame to skip) */
export function packingOf(start: Buffer): Packing | undefined {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return 'gzip';
  const magic = start.length >= 4 ? start.readUInt32LE(0) : 0;
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : undefined;
}

/**
 * Decompresses an input. The decompressor drops what it has made of the piece in which it finds damage, so that a file
 * is then read once more, with small pieces there.
 */
async function* unpacked(
  source: Source,
  start: Buffer,
  { input, options, packing }: { input: LogInput; options: BlockOptions; packing: Packing },
): AsyncGenerator<Buffer> {
  const progress: Progress = { read: start.length, before: 0, delivered: 0 };
  try {
    yield* decompressed(source, start, packing, progress);
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    const { signal } = options;
    const again = input.path === '-' ? undefined : new Source(input, signal ? { signal } : {});
    if (again) yield* upToDamage(again, packing, progress);
    throw error;
  }
}

/** How far decompression has come. */
interface Progress {
  /** The compressed bytes read so far, and before the latest piece. */
  read: number;
  before: number;
  /** The decompressed bytes delivered so far. */
  delivered: number;
}

async function* decompressed(
  source: Source,
  start: Buffer,
  packing: Packing,
  progress: Progress,
  pieceAt = (_position: number) => PACKED_BYTES,
): AsyncGenerator<Buffer> {
  let failure: unknown;
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: (controller) => controller.enqueue(Buffer.from(start)),
      async pull(controller) {
        const buffer = Buffer.allocUnsafe(pieceAt(progress.read));
        try {
          const bytes = await source.read(buffer);
          progress.before = progress.read;
          progress.read += bytes;
          if (bytes === 0) controller.close();
          else controller.enqueue(buffer.subarray(0, bytes));
        } catch (error) {
          failure = error;
          throw error;
        }
      },
    },
    { highWaterMark: 0 },
  );
  try {
    // node:zlib treats a truncated zstd file as complete, and drops the data before the cut in a gzip file.
    for await (const block of packed.pipeThrough(new DecompressionStream(packing))) {
      progress.delivered += block.length;
      yield Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    }
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw new DamagedInput(`${packing}: ${(error as Error).message}`, { cause: error });
  }
}

/** What can be read of a damaged file beyond what was delivered before. */
async function* upToDamage(
  source: Source,
  packing: Packing,
  { before, delivered }: Progress,
): AsyncGenerator<Buffer> {
  const progress: Progress = { read: 0, before: 0, delivered: 0 };
  try {
    const start = await source.peek();
    progress.read = start.length;
    const pieceAt = (position: number) =>
      position < before ? Math.min(PACKED_BYTES, before - position) : SMALL_PIECE_BYTES;
    for await (const block of decompressed(source, start, packing, progress, pieceAt)) {
      const fresh = progress.delivered - delivered;
      if (fresh > 0) yield block.subarray(Math.max(0, block.length - fresh));
    }
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
  } finally {
    source.close();
  }
}

/** Reads one input without blocking the event loop, so that Ctrl-C works while a pipe is silent. */
class Source {
  readonly #input: LogInput;
  readonly #options: BlockOptions;
  #fd: number | undefined;
  #remote: S3Reader | undefined;
  /** The bytes left to read. A file that is still being written ends where it ended when it was opened. */
  #left = Infinity;
  /** The latest read; once it settles, no other thread uses the file. */
  #taking: Promise<number> = Promise.resolve(0);

  constructor(input: LogInput, options: BlockOptions) {
    this.#input = input;
    this.#options = options;
  }

  /** The first bytes, enough to detect compression. */
  async peek(): Promise<Buffer> {
    if (this.#input.object) {
      this.#remote = new S3Reader(this.#input.object);
      return this.#start();
    }
    // Opening a named pipe blocks until it has a writer.
    this.#fd = this.#input.path === '-' ? STDIN_FD : await abortable(this.#open(), this.#options.signal);
    const info = fs.fstatSync(this.#fd);
    // Files in /proc and similar file systems report a size of 0.
    if (info.isFile() && info.size > 0) this.#left = info.size;
    return this.#start();
  }

  async #start(): Promise<Buffer> {
    const start = Buffer.allocUnsafe(4);
    let length = 0;
    for (let bytes = 1; bytes > 0 && length < start.length; length += bytes) {
      bytes = await this.read(start.subarray(length));
    }
    return start.subarray(0, length);
  }

  /** Fills the buffer with the data that is available. @returns 0 at the end */
  async read(buffer: Buffer): Promise<number> {
    const { signal, onBytes } = this.#options;
    const wanted = Math.min(buffer.length, this.#left);
    if (wanted === 0) return 0;
    signal?.throwIfAborted();
    const taking = this.#take(buffer, wanted);
    this.#taking = taking.catch(() => 0);
    const bytes = await abortable(taking, signal);
    this.#left -= bytes;
    onBytes?.(bytes);
    return bytes;
  }

  /** Closes the file once an abandoned read has ended: until then its descriptor could be reused for another file. */
  close(): void {
    const fd = this.#fd;
    if (fd !== undefined && fd !== STDIN_FD) void this.#taking.then(() => fs.closeSync(fd));
  }

  async #open(): Promise<number> {
    const { path } = this.#input;
    try {
      return await openFile(path);
    } catch (error) {
      // The proxy may have compressed the file since it was listed.
      const packed = (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${path}.zst` : undefined;
      if (packed !== undefined && fs.existsSync(packed)) return await openFile(packed);
      throw this.#failure(error);
    }
  }

  async #take(buffer: Buffer, wanted: number): Promise<number> {
    if (this.#remote) return this.#remote.read(buffer.subarray(0, wanted));
    for (;;) {
      try {
        return await readFile(this.#fd!, buffer, wanted);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF') return 0;
        if (code !== 'EAGAIN') throw this.#failure(error);
        await Bun.sleep(EMPTY_PIPE_MS);
        if (this.#options.signal?.aborted) return 0;
      }
    }
  }

  #failure(cause: unknown): InputError {
    return new InputError(`Cannot read ${this.#input.name}: ${fileReason(cause)}`, { cause });
  }
}

function openFile(path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  fs.open(path, 'r', (error, fd) => (error ? reject(error) : resolve(fd)));
  return promise;
}

function readFile(fd: number, buffer: Buffer, wanted: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  fs.read(fd, buffer, 0, wanted, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  return promise;
}

/** Resolves like the promise, or rejects as soon as the signal aborts. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
