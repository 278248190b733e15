import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileReason } from '../../../logs/names.ts';
import { ExportError } from '../../errors.ts';

/**
 * Bytes stored in a file until it is known which of them are needed. The file is unlinked from the start, so that
 * nothing is left behind, however the process ends.
 */
export class Spool {
  readonly #fd: number;
  readonly #path: string;
  #borrowed = false;
  #length = 0;

  /** Bytes in a file that is already open. */
  static over(fd: number, name: string): Spool {
    return new Spool(name, fd);
  }

  /**
   * @param beside the output file or directory, on whose disk the file is created; `-` for the system's temporary
   * directory
   * @throws ExportError when it cannot be created
   */
  constructor(beside: string, fd?: number) {
    if (fd !== undefined) {
      this.#path = beside;
      this.#fd = fd;
      this.#borrowed = true;
      return;
    }
    const directory = beside === '-' ? tmpdir() : existing(dirname(join(beside, '.')));
    this.#path = join(directory, `.llmproxy-export.${process.pid}.${(made += 1)}.tmp`);
    try {
      this.#fd = fs.openSync(this.#path, 'wx+', 0o600);
    } catch (cause) {
      throw new ExportError('failed', `Cannot write to ${directory}: ${fileReason(cause)}`, { cause });
    }
    // Windows keeps the names of open files in use.
    if (process.platform !== 'win32') fs.unlinkSync(this.#path);
  }

  get length(): number {
    return this.#length;
  }

  /** @returns the offset of the bytes; @throws ExportError when the disk is full */
  append(data: Uint8Array): number {
    const at = this.#length;
    try {
      for (let written = 0; written < data.length;)
        written += fs.writeSync(this.#fd, data, written, data.length - written, at + written);
    } catch (cause) {
      const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
      const reason = full ? 'the disk is full' : fileReason(cause);
      const place = dirname(this.#path);
      throw new ExportError('failed', `Cannot write to ${place}: ${reason}`, { cause });
    }
    this.#length += data.length;
    return at;
  }

  /** Fills the memory from an offset. */
  read(into: Uint8Array, at: number): void {
    for (let got = 0; got < into.length;) {
      const bytes = fs.readSync(this.#fd, into, got, into.length - got, at + got);
      if (bytes === 0) throw new ExportError('failed', `Cannot read back ${this.#path}: it was cut`);
      got += bytes;
    }
  }

  /** Takes ownership of the file: it is closed with the spool. */
  own(): void {
    this.#borrowed = false;
  }

  close(): void {
    if (this.#borrowed) return;
    fs.closeSync(this.#fd);
    if (process.platform === 'win32') fs.rmSync(this.#path, { force: true });
  }
}

let made = 0;

/** The nearest existing parent directory. */
function existing(directory: string): string {
  if (fs.existsSync(directory)) return directory;
  const above = dirname(directory);
  return above === directory ? tmpdir() : existing(above);
}
