import * as fs from 'node:fs';
import { fileReason } from '../../logs/names.ts';
import { ExportError } from '../errors.ts';
import { OutputClosed } from './sink.ts';

/** Smaller pieces are buffered up to this size, bytes. */
const BATCH_BYTES = 1024 ** 2;
/** The retry interval for a full pipe. */
const FULL_PIPE_MS = 5;

/** Writes bytes to an open file or pipe, in large pieces, and counts them. */
export class ByteSink {
  readonly #fd: number;
  readonly #name: string;
  readonly #file: boolean;
  readonly #hasher: Bun.CryptoHasher | undefined;
  #batch: Buffer | undefined;
  #waiting = 0;
  bytes = 0;

  /** @param name for messages */
  constructor(fd: number, name: string, hash: boolean) {
    this.#fd = fd;
    this.#name = name;
    this.#file = fs.fstatSync(fd).isFile();
    this.#hasher = hash ? new Bun.CryptoHasher('sha256') : undefined;
  }

  /** Accepts bytes; their memory may be reused when the promise resolves. @throws OutputClosed, ExportError */
  async write(data: Uint8Array): Promise<void> {
    if (this.#waiting + data.length > BATCH_BYTES) await this.#flush();
    if (data.length >= BATCH_BYTES) return this.#writeAll(data);
    this.#batch ??= Buffer.allocUnsafe(BATCH_BYTES);
    this.#batch.set(data, this.#waiting);
    this.#waiting += data.length;
  }

  /** Writes buffered bytes. @returns the hash of all bytes, in hex, if one was requested */
  async end(): Promise<string | undefined> {
    await this.#flush();
    this.#batch = undefined;
    return this.#hasher?.digest('hex');
  }

  async #flush(): Promise<void> {
    const data = this.#batch?.subarray(0, this.#waiting);
    this.#waiting = 0;
    if (data) await this.#writeAll(data);
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    this.#hasher?.update(data);
    for (let written = 0; written < data.length;) {
      const bytes = await this.#attempt(data.subarray(written));
      written += bytes;
      this.bytes += bytes;
    }
  }

  async #attempt(data: Uint8Array): Promise<number> {
    try {
      // A pending write in another thread could reach another file that reuses the descriptor of a closed one.
      // A pipe may be slow, so it is waited for asynchronously.
      return this.#file ? fs.writeSync(this.#fd, data) : await writeFd(this.#fd, data);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed('Cannot write: the reader has left', { cause: error });
      if (code !== 'EAGAIN') throw writeFailure(this.#name, error);
      await Bun.sleep(FULL_PIPE_MS);
      return 0;
    }
  }
}

/** A write error in words; an error that already has a message is kept. */
export function writeFailure(name: string, cause: unknown): ExportError | OutputClosed {
  if (cause instanceof ExportError || cause instanceof OutputClosed) return cause;
  const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  const reason = full ? 'the disk is full' : fileReason(cause);
  return new ExportError('failed', `Cannot write ${name}: ${reason}`, { cause });
}

function writeFd(fd: number, data: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  fs.write(fd, data, 0, data.length, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  return promise;
}
