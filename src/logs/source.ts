import * as fs from 'node:fs';
import type { LogInput } from './input.ts';
import { fileReason } from './names.ts';
import { InputError } from './problem.ts';
import { S3Reader } from './s3.ts';

const STDIN_FD = 0;
/** The interval at which an idle pipe is polled, milliseconds. */
const EMPTY_PIPE_MS = 10;

export interface BlockOptions {
  readonly signal?: AbortSignal;
  /** Called with the raw bytes read from the file, before decompression. */
  readonly onBytes?: (bytes: number) => void;
}

/** Reads one input without blocking the event loop, so that Ctrl-C works while a pipe is silent. */
export class Source {
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
