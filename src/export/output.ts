/** Where rows go: a file that appears whole or not at all, or a pipe. */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../logs/files.ts';
import { fileReason } from '../logs/names.ts';
import { ExportError } from './error.ts';

const STDOUT_FD = 1;
/** Rows wait in memory until they are this many bytes. */
const BATCH_BYTES = 1024 ** 2;
/** Memory kept for them; a long row may need more for a while. */
const BUFFER_BYTES = 4 * BATCH_BYTES;
/** A UTF-16 code unit takes at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3;
/** How soon a full pipe is tried again. */
const FULL_PIPE_MS = 5;

/** The reader of our output has left, as `head` does: no error, but nothing more to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Takes rows in memory; `drain` writes them out. */
export class Output {
  readonly #target: Target;
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #length = 0;
  #bytes = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(row: string): void {
    const needed = this.#length + row.length * BYTES_PER_UNIT;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    // Encoding in place costs half of joining strings first.
    this.#length += this.#buffer.write(row, this.#length);
  }

  /** Writes what waits once it is worth it. @throws OutputClosed, ExportError */
  async drain(): Promise<void> {
    if (this.#length >= BATCH_BYTES) await this.#flush();
  }

  /** Writes the rest and makes the file appear. @throws OutputClosed, ExportError */
  async finish(): Promise<void> {
    await this.#flush();
    try {
      await this.#target.finish();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#target.discard();
  }

  async #flush(): Promise<void> {
    const data = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    for (let written = 0; written < data.length;) {
      const bytes = await this.#write(data.subarray(written));
      written += bytes;
      this.#bytes += bytes;
    }
  }

  async #write(data: Buffer): Promise<number> {
    try {
      return await writeFd(this.#target.fd, data);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed('Cannot write: the reader has left', { cause: error });
      if (code !== 'EAGAIN') throw this.#failure(error);
      await Bun.sleep(FULL_PIPE_MS);
      return 0;
    }
  }

  #failure(cause: unknown): ExportError {
    if (cause instanceof ExportError) return cause;
    const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
    const reason = full ? 'the disk is full' : fileReason(cause);
    return new ExportError('failed', `Cannot write ${this.#target.name}: ${reason}`, { cause });
  }
}

interface Target {
  readonly name: string;
  readonly fd: number;
  finish(): Promise<void>;
  discard(): void;
}

/**
 * Opens the output: `-` is standard output. A regular file is written beside its name and renamed at the end;
 * a device or pipe is written as it is.
 * @param force whether a file that exists is replaced
 * @throws ExportError when it exists, or cannot be made
 */
export function openOutput(path: string, force: boolean): Output {
  if (path === '-')
    return new Output({ name: 'standard output', fd: STDOUT_FD, finish: async () => {}, discard: () => {} });
  try {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new ExportError('failed', `Cannot write ${path}: it is a directory`);
    if (found && !found.isFile()) return new Output(stream(path));
    if (found && !force) throw exists(path);
    // A link goes on pointing where it does.
    return new Output(
      temporary(path, { path: found ? fs.realpathSync(path) : path, force, mode: found?.mode }),
    );
  } catch (cause) {
    if (cause instanceof ExportError) throw cause;
    throw new ExportError('failed', `Cannot write ${path}: ${fileReason(cause)}`, { cause });
  }
}

function exists(path: string): ExportError {
  return new ExportError('failed', `Cannot write ${path}: it exists already, give --force to replace it`);
}

function stream(name: string): Target {
  const fd = fs.openSync(name, 'w');
  const close = closer(fd);
  return { name, fd, finish: async () => close(), discard: close };
}

interface Destination {
  readonly path: string;
  readonly force: boolean;
  /** Of the file that is replaced: a private one stays private. */
  readonly mode: number | undefined;
}

function temporary(name: string, { path, force, mode = 0o666 }: Destination): Target {
  const directory = dirname(path);
  fs.mkdirSync(directory, { recursive: true });
  // In the same directory, because a rename across file systems is no single step.
  const draft = join(directory, `.${basename(path)}.${process.pid}.tmp`);
  const fd = fs.openSync(draft, 'w', mode & 0o777);
  const close = closer(fd);
  return {
    name,
    fd,
    async finish() {
      fs.fsyncSync(fd);
      close();
      // Somebody else may have made it meanwhile.
      if (!force && fs.existsSync(path)) throw exists(name);
      fs.renameSync(draft, path);
      await syncDirectory(directory);
    },
    discard() {
      close();
      fs.rmSync(draft, { force: true });
    },
  };
}

/** Closes the file, once. */
function closer(fd: number): () => void {
  let open = true;
  return () => {
    if (open) fs.closeSync(fd);
    open = false;
  };
}

function writeFd(fd: number, data: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  fs.write(fd, data, 0, data.length, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  return promise;
}
