/** How rows become bytes: as they are, compressed, or as Parquet. */
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Column } from '../formats/format.ts';
import type { ByteSink } from './bytes.ts';
import { ParquetPacking } from './parquet.ts';

export interface Packing {
  /** Takes whole lines; their memory may be used again afterwards. */
  write(lines: Uint8Array): Promise<void>;
  /** Writes the rest; the bytes are not closed. */
  end(): Promise<void>;
}

export interface PackingOptions {
  readonly compress?: 'gz' | 'zst';
  readonly parquet: boolean;
  readonly columns: readonly Column[] | undefined;
}

export function packingFor(bytes: ByteSink, { compress, parquet, columns }: PackingOptions): Packing {
  if (parquet) return new ParquetPacking(bytes, columns!);
  if (compress) return new Compressed(bytes, compress);
  return { write: (lines) => bytes.write(lines), end: async () => {} };
}

/** One frame: readers such as Python's zstandard stop behind the first. */
class Compressed implements Packing {
  readonly #bytes: ByteSink;
  readonly #stream: ReturnType<typeof createGzip> | ReturnType<typeof createZstdCompress>;
  #packed: Buffer[] = [];
  #error: Error | undefined;

  constructor(bytes: ByteSink, compress: 'gz' | 'zst') {
    this.#bytes = bytes;
    this.#stream = compress === 'gz' ? createGzip() : createZstdCompress(ZSTD);
    this.#stream.on('data', (data: Buffer) => this.#packed.push(data));
    this.#stream.on('error', (error) => (this.#error = error));
  }

  async write(lines: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => void this.#stream.write(lines, () => resolve()));
    await this.#pass();
  }

  async end(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#stream.once('end', resolve);
      this.#stream.once('error', reject);
    });
    this.#stream.end();
    await ended;
    await this.#pass();
  }

  async #pass(): Promise<void> {
    if (this.#error) throw this.#error;
    const packed = this.#packed;
    this.#packed = [];
    for (const data of packed) await this.#bytes.write(data);
  }
}

/** The checksum makes a cut file known as one. */
const ZSTD = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
