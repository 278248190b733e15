/** Decompresses an input, as far as it can be read. */
import type { LogInput } from './input.ts';
import type { BlockOptions } from './source.ts';
import type { Bytes } from './replay.ts';
import { Recording } from './replay.ts';
import { Source } from './source.ts';

/** Blocks of compressed data are not reused, so they are smaller than others. */
const PACKED_BYTES = 256 * 1024;
/** The size of pieces where damage is expected: all bytes before it count. */
const SMALL_PIECE_BYTES = 1;

export type Packing = 'gzip' | 'zstd';

/** @see RFC 1952 section 2.3, RFC 8878 section 3.1 (0x184D2A50 to 5F begin a frame to skip) */
export function packingOf(start: Buffer): Packing | undefined {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return 'gzip';
  const magic = start.length >= 4 ? start.readUInt32LE(0) : 0;
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : undefined;
}

/**
 * Thrown when compressed data ends early or is damaged. Everything readable was delivered before, except what the damaged
 * piece of a long pipe contains.
 */
export class DamagedInput extends Error {
  override readonly name = 'DamagedInput';
}

/**
 * Decompresses an input. The decompressor drops what it has made of the piece in which it finds damage, so that the input
 * is then read once more, with small pieces there. A pipe is therefore kept, as far as it is short enough.
 * @throws DamagedInput
 */
export async function* unpacked(
  source: Source,
  start: Buffer,
  { input, options, packing }: { input: LogInput; options: BlockOptions; packing: Packing },
): AsyncGenerator<Buffer> {
  const progress: Progress = { read: start.length, before: 0, delivered: 0 };
  const recording = isPipe(input) ? new Recording(source, start) : undefined;
  try {
    yield* decompressed(recording ?? source, start, packing, progress);
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    const { signal } = options;
    const again = recording ? () => recording.replay() : () => new Source(input, signal ? { signal } : {});
    const first = again();
    if (!first) throw error;
    const at = yield* upToDamage(first, packing, progress);
    if (at === undefined || !(await isPadded(() => again()!, packing, at))) throw error;
  }
}

/** Whether an input cannot be opened a second time: standard input, and pipes with names. */
function isPipe({ bytes, object }: LogInput): boolean {
  return bytes === undefined && !object;
}

/** How far decompression has come. */
interface Progress {
  /** The compressed bytes read so far, and before the latest piece. */
  read: number;
  before: number;
  /** The decompressed bytes delivered so far. */
  delivered: number;
}

async function* decompressed(
  source: Pick<Bytes, 'read'>,
  start: Buffer,
  packing: Packing,
  progress: Progress,
  pieceAt = (_position: number) => PACKED_BYTES,
): AsyncGenerator<Buffer> {
  let failure: unknown;
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: (controller) => controller.enqueue(Buffer.from(start)),
      async pull(controller) {
        const buffer = Buffer.allocUnsafe(pieceAt(progress.read));
        try {
          const bytes = await source.read(buffer);
          progress.before = progress.read;
          progress.read += bytes;
          if (bytes === 0) controller.close();
          else controller.enqueue(buffer.subarray(0, bytes));
        } catch (error) {
          failure = error;
          throw error;
        }
      },
    },
    { highWaterMark: 0 },
  );
  try {
    // node:zlib treats a truncated zstd file as complete, and drops the data before the cut in a gzip file.
    for await (const block of packed.pipeThrough(new DecompressionStream(packing))) {
      progress.delivered += block.length;
      yield Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    }
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw new DamagedInput(`${packing}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * What can be read of a damaged file beyond what was delivered before.
 * @returns the number of bytes in which the damage shows, if nothing but zeros follows
 */
async function* upToDamage(
  source: Bytes,
  packing: Packing,
  { before, delivered }: Progress,
): AsyncGenerator<Buffer, number | undefined> {
  const progress: Progress = { read: 0, before: 0, delivered: 0 };
  try {
    const start = await source.peek();
    progress.read = start.length;
    const pieceAt = (position: number) =>
      position < before ? Math.min(PACKED_BYTES, before - position) : SMALL_PIECE_BYTES;
    for await (const block of decompressed(source, start, packing, progress, pieceAt)) {
      const fresh = progress.delivered - delivered;
      if (fresh > 0) yield block.subarray(Math.max(0, block.length - fresh));
    }
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    return (await restIsZero(source)) ? progress.read : undefined;
  } finally {
    source.close();
  }
  return undefined;
}

/**
 * Whether a file is complete except for zeros after its end, as tapes, tar and space that was allocated in advance leave
 * them. gzip ignores them as well. The decompressor needs one or two bytes to tell that no further member follows.
 * @param at the number of bytes in which the decompressor found something wrong
 */
async function isPadded(again: () => Bytes, packing: Packing, at: number): Promise<boolean> {
  for (const end of [at - 2, at - 1]) {
    const source = again();
    try {
      const start = await source.peek();
      const progress: Progress = { read: start.length, before: 0, delivered: 0 };
      const pieceAt = (position: number) => Math.max(0, Math.min(PACKED_BYTES, end - position));
      for await (const _ of decompressed(source, start, packing, progress, pieceAt));
      return await restIsZero(source);
    } catch (error) {
      if (!(error instanceof DamagedInput)) throw error;
    } finally {
      source.close();
    }
  }
  return false;
}

async function restIsZero(source: Pick<Bytes, 'read'>): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(PACKED_BYTES);
  for (let bytes = await source.read(buffer); bytes > 0; bytes = await source.read(buffer))
    if (buffer.subarray(0, bytes).some((byte) => byte !== 0)) return false;
  return true;
}
