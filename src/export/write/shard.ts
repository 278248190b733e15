import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { ByteSink } from './byte-sink.ts';
import { once } from './staging-file.ts';
import { packingFor } from './packing.ts';
import type { OutputFile, Packing, SinkOptions } from './sink.ts';

/** One file of rows in a staging directory. */
export class Shard {
  readonly split: string;
  /** Its index among the files of its split. */
  readonly number: number;
  readonly #path: string;
  readonly #fd: number;
  readonly #bytes: ByteSink;
  #packing: Packing | undefined;
  readonly #close: () => void;
  #sha256: string | undefined;
  #rows = 0;
  /** The size of its rows before compression, bytes. */
  written = 0;

  /** @param staging the staging directory */
  constructor(staging: string, { split, number }: { split: string; number: number }, options: SinkOptions) {
    this.split = split;
    this.number = number;
    this.#path = join(staging, `${split}-${number}`);
    this.#fd = fs.openSync(this.#path, 'wx');
    this.#close = once(() => fs.closeSync(this.#fd));
    this.#bytes = new ByteSink(this.#fd, options.path, options.hash);
    this.#packing = packingFor(this.#bytes, options);
  }

  async write(lines: Uint8Array, rows: number): Promise<void> {
    this.#rows += rows;
    this.written += lines.length;
    await this.#packing!.write(lines);
  }

  /** Writes the rest and closes the file: the number of open files is limited. */
  async end(): Promise<void> {
    await this.#packing!.end();
    this.#packing = undefined;
    this.#sha256 = await this.#bytes.end();
    fs.fsyncSync(this.#fd);
    this.#close();
  }

  /** Gives the file its final name. @param name within the directory */
  name(name: string): OutputFile {
    const path = join(dirname(this.#path), name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.renameSync(this.#path, path);
    return {
      path: name,
      split: this.split,
      rows: this.#rows,
      bytes: this.#bytes.bytes,
      ...(this.#sha256 ? { sha256: this.#sha256 } : {}),
    };
  }

  discard(): void {
    this.#close();
  }
}
