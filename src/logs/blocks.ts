/** Reads an input as blocks of decompressed bytes, in constant memory. */
import type { LogInput } from './input.ts';
import type { BlockOptions } from './source.ts';
import { Source } from './source.ts';
import { packingOf, unpacked } from './unpacked.ts';

/** Measured best on a page-cached file; 64 KiB and 16 MiB are both a quarter slower. */
const BLOCK_BYTES = 1024 ** 2;

/**
 * Reads an input up to the size it had when it was opened. gzip and zstd are detected by their first bytes.
 * A block is valid until the next one is requested.
 * @throws InputError when the input cannot be opened or read; DamagedInput for damaged compressed data; the
 * signal's reason when it aborts
 */
export async function* readBlocks(input: LogInput, options: BlockOptions = {}): AsyncGenerator<Buffer> {
  const source = new Source(input, options);
  try {
    const start = await source.peek();
    const packing = packingOf(start);
    if (packing !== undefined) yield* unpacked(source, start, { input, options, packing });
    else {
      if (start.length > 0) yield start;
      const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
      for (let bytes = await source.read(buffer); bytes > 0; bytes = await source.read(buffer)) {
        yield buffer.subarray(0, bytes);
      }
    }
  } finally {
    source.close();
  }
}
