/** How rows are encoded: as text, compressed, or as Parquet, which is compressed internally. */
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Column } from '../render/format.ts';
import type { ByteSink } from './byte-sink.ts';
import { ParquetPacking } from './parquet.ts';
import type { Packing } from './sink.ts';

export interface PackingOptions {
  readonly compress?: 'gz' | 'zst';
  readonly parquet: boolean;
  /** The columns of a Parquet file; `undefined` when rows are not a table. */
  readonly columns: readonly Column[] | undefined;
}

export function packingFor(bytes: ByteSink, { compress, parquet, columns }: PackingOptions): Packing {
  if (parquet) return new ParquetPacking(bytes, columns!, compress);
  if (compress) return new Compressed(bytes, compress);
  return { write: (lines) => bytes.write(lines), end: async () => {} };
}

/** The size of the chunks passed to zlib, and read from it. */
const CHUNK_BYTES = 128 * 1024;
/** The checksum reveals a truncated file. */
const ZSTD = { chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** A single frame: readers such as Python's zstandard stop after the first. */
class Compressed implements Packing {
  readonly #bytes: ByteSink;
  readonly #stream: ReturnType<typeof createGzip> | ReturnType<typeof createZstdCompress>;
  /** The output of deflate depends on how its input is divided, so all chunks have one size. */
  readonly #piece = Buffer.allocUnsafe(CHUNK_BYTES);
  #waiting = 0;
  #packed: Buffer[] = [];
  #error: Error | undefined;

  constructor(bytes: ByteSink, compress: 'gz' | 'zst') {
    this.#bytes = bytes;
    this.#stream = compress === 'gz' ? createGzip({ chunkSize: CHUNK_BYTES }) : createZstdCompress(ZSTD);
    this.#stream.on('data', (data: Buffer) => this.#packed.push(data));
    this.#stream.on('error', (error) => (this.#error = error));
  }

  async write(lines: Uint8Array): Promise<void> {
    for (let from = 0; from < lines.length;) {
      const part = lines.subarray(from, from + CHUNK_BYTES - this.#waiting);
      this.#piece.set(part, this.#waiting);
      this.#waiting += part.length;
      from += part.length;
      if (this.#waiting === CHUNK_BYTES) await this.#pack();
    }
  }

  async end(): Promise<void> {
    await this.#pack();
    const ended = Promise.withResolvers<void>();
    this.#stream.once('close', ended.resolve);
    this.#stream.end();
    await ended.promise;
    await this.#pass();
  }

  async #pack(): Promise<void> {
    const piece = this.#piece.subarray(0, this.#waiting);
    this.#waiting = 0;
    await new Promise<void>((resolve) => void this.#stream.write(piece, () => resolve()));
    await this.#pass();
  }

  async #pass(): Promise<void> {
    if (this.#error) throw this.#error;
    const packed = this.#packed;
    this.#packed = [];
    for (const data of packed) await this.#bytes.write(data);
  }
}
