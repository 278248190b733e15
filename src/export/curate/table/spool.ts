import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileReason } from '../../../logs/names.ts';
import { ExportError } from '../../errors.ts';

/**
 * Bytes that wait in a file until it is known which of them are wanted. The file has no name from the start, so that
 * nothing is left behind, however the process ends.
 */
export class Spool {
  readonly #fd: number;
  readonly #path: string;
  #borrowed = false;
  #length = 0;

  /** Bytes that wait in a file which is open already. */
  static over(fd: number, name: string): Spool {
    return new Spool(name, fd);
  }

  /**
   * @param beside the file or directory that is made, on whose disk the bytes wait; `-` for the system's own place
   * @throws ExportError when it cannot be made
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
    // Windows keeps the names of open files.
    if (process.platform !== 'win32') fs.unlinkSync(this.#path);
  }

  get length(): number {
    return this.#length;
  }

  /** @returns where the bytes begin; @throws ExportError when the disk is full */
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

  /** Fills the memory from a place. */
  read(into: Uint8Array, at: number): void {
    for (let got = 0; got < into.length;) {
      const bytes = fs.readSync(this.#fd, into, got, into.length - got, at + got);
      if (bytes === 0) throw new ExportError('failed', `Cannot read back ${this.#path}: it was cut`);
      got += bytes;
    }
  }

  /** The file is the spool's from now on: it is closed with it. */
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

/** The nearest directory above that is there already. */
function existing(directory: string): string {
  if (fs.existsSync(directory)) return directory;
  const above = dirname(directory);
  return above === directory ? tmpdir() : existing(above);
}
