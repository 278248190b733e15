/** Files of slices: other processes read single slices by seeking. An index at the end contains their positions. */
import * as fs from 'node:fs';
import { fileReason } from '../../../logs/names.ts';
import { isObject, parseJson } from '../../../wire/json.ts';
import { ExportError } from '../../errors.ts';
import { writeFailure } from '../../write/byte-sink.ts';
import { openStagingFile } from '../../write/staging-file.ts';

/** The last bytes of a complete file; before them is the length of the index, 4 bytes. */
const MAGIC = Buffer.from('LLMPROXY');
const TAIL_BYTES = MAGIC.length + 4;

type Index = Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;

/** Writes slices in pieces, in any order. The file appears when it is complete. */
export class SliceWriter {
  readonly #path: string;
  readonly #file: ReturnType<typeof openStagingFile>;
  readonly #index: Record<string, [number, number][]> = {};
  #length = 0;

  /** @throws ExportError */
  constructor(path: string) {
    this.#path = path;
    this.#file = guarded(path, () => openStagingFile(path, true));
  }

  /** @throws ExportError */
  write(slice: string, bytes: Uint8Array): void {
    const from = this.#length;
    this.#append(bytes);
    (this.#index[slice] ??= []).push([from, this.#length]);
  }

  /** @throws ExportError */
  async finish(): Promise<void> {
    const index = Buffer.from(JSON.stringify(this.#index));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(index.length);
    this.#append(Buffer.concat([index, length, MAGIC]));
    await this.#file.keep().catch((cause: unknown) => {
      throw writeFailure(this.#path, cause);
    });
  }

  discard(): void {
    this.#file.discard();
  }

  #append(bytes: Uint8Array): void {
    guarded(this.#path, () => {
      for (let written = 0; written < bytes.length;)
        written += fs.writeSync(this.#file.fd, bytes, written, bytes.length - written);
    });
    this.#length += bytes.length;
  }
}

function guarded<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

/** Reads slices of a complete file. */
export class SliceReader {
  readonly #path: string;
  readonly #fd: number;
  readonly #index: Index;

  /** @param advice for the error if there is no such file @throws ExportError */
  constructor(path: string, advice: string) {
    this.#path = path;
    try {
      this.#fd = fs.openSync(path, 'r');
    } catch (cause) {
      throw new ExportError('failed', `Cannot read ${path}: ${fileReason(cause)}; ${advice}`, { cause });
    }
    try {
      this.#index = this.#readIndex();
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /** The pieces of a slice as written, none if there is no such slice. @throws ExportError */
  *pieces(slice: string): Generator<Uint8Array> {
    for (const [from, to] of this.#index[slice] ?? []) yield this.#read(from, to - from);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #readIndex(): Index {
    const { size } = fs.fstatSync(this.#fd);
    const tail = this.#read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
    if (tail.length < TAIL_BYTES || !tail.subarray(4).equals(MAGIC)) throw this.#damaged();
    const length = tail.readUInt32LE(0);
    if (length > size - TAIL_BYTES) throw this.#damaged();
    const index = parseJson(this.#read(size - TAIL_BYTES - length, length).toString('utf8'));
    if (!isObject(index)) throw this.#damaged();
    return index as Index;
  }

  #read(from: number, length: number): Buffer<ArrayBuffer> {
    const bytes = Buffer.from(new ArrayBuffer(length));
    for (let got = 0; got < length;) {
      const more = fs.readSync(this.#fd, bytes, got, length - got, from + got);
      if (more === 0) throw this.#damaged();
      got += more;
    }
    return bytes;
  }

  #damaged(): ExportError {
    return new ExportError('failed', `Cannot read ${this.#path}: it was not written by a stage, or was cut`);
  }
}
