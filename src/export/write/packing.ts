/** How rows become bytes: as they are, compressed, or as Parquet, which is compressed within. */
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Column } from '../render/format.ts';
import type { ByteSink } from './byte-sink.ts';
import { ParquetPacking } from './parquet.ts';
import type { Packing } from './sink.ts';

export interface PackingOptions {
  readonly compress?: 'gz' | 'zst';
  readonly parquet: boolean;
  /** The columns of a Parquet file; `undefined` when rows are no table. */
  readonly columns: readonly Column[] | undefined;
}

export function packingFor(bytes: ByteSink, { compress, parquet, columns }: PackingOptions): Packing {
  if (parquet) return new ParquetPacking(bytes, columns!, compress);
  if (compress) return new Compressed(bytes, compress);
  return { write: (lines) => bytes.write(lines), end: async () => {} };
}

/** Handed to zlib at once, and taken from it. */
const CHUNK_BYTES = 128 * 1024;
/** The checksum makes a cut file known as one. */
const ZSTD = { chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** One frame: readers such as Python's zstandard stop behind the first. */
class Compressed implements Packing {
  readonly #bytes: ByteSink;
  readonly #stream: ReturnType<typeof createGzip> | ReturnType<typeof createZstdCompress>;
  /** Deflate packs in another way when its input comes in other pieces, so all that it is handed are of one size. */
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
