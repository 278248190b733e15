/**
 * Content encodings of HTTP bodies. `node:zlib` is computation, not IO: it belongs beside the other formats.
 *
 * What decompresses a thousandfold is decompressed in pieces, each in a thread of the engine's, and only as far as
 * somebody takes them: a few kilobytes can stand for gigabytes.
 */
import * as zlib from 'node:zlib';
import { ZstdFrames } from './zstd-frames.ts';

/** Decompressed bytes that come at once. */
const PIECE = 64 * 1024;

const PULLED = { chunkSize: PIECE, readableHighWaterMark: PIECE } as const;
const FLUSHED = { ...PULLED, flush: zlib.constants.Z_SYNC_FLUSH } as const;

/** Largest window of a zstd frame, as a power of two: RFC 9659 allows 8 MB. A frame names it, and it is memory. */
const ZSTD_WINDOW_LOG = 23;

const STREAM = {
  gzip: () => zlib.createGunzip(FLUSHED),
  'x-gzip': () => zlib.createGunzip(FLUSHED),
  deflate: (first: number) => (isZlib(first) ? zlib.createInflate(FLUSHED) : zlib.createInflateRaw(FLUSHED)),
  br: () => zlib.createBrotliDecompress(PULLED),
  zstd: () =>
    zlib.createZstdDecompress({
      ...PULLED,
      params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
    }),
} as const satisfies Record<string, (first: number) => zlib.Zlib>;

/**
 * Whether `deflate` begins with the header of zlib, as RFC 9110 has it. Some send the bare format, none of whose
 * encoders makes such a first byte.
 */
function isZlib(first: number): boolean {
  return (first & 0x0f) === 8 && first >> 4 <= 7;
}

export type Encoding = keyof typeof STREAM;

/**
 * The encoding a `content-encoding` header names; `identity` when there is none, `undefined` when it is unknown, or
 * more than one.
 */
export function encodingOf(header: string | null | undefined): Encoding | 'identity' | undefined {
  if (!header) return 'identity';
  const name = header.trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  return Object.hasOwn(STREAM, name) ? (name as Encoding) : undefined;
}

/** The body is larger than allowed once decompressed. */
export class InflatedTooLarge extends Error {}

/**
 * Decompresses a whole body.
 * @param maxBytes bound on the result
 * @param took called with the size of each piece as it comes; what it throws ends the work
 * @returns the pieces
 * @throws InflatedTooLarge beyond the bound; the library's own error when the data is broken, or ends too early
 */
export async function inflate(
  bytes: Uint8Array,
  encoding: Encoding,
  maxBytes: number,
  took: (bytes: number) => void = () => undefined,
): Promise<Uint8Array[]> {
  const inflater = new Inflater(encoding);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    inflater.write(bytes);
    inflater.end();
    for (let piece = await inflater.read(); piece; piece = await inflater.read()) {
      length += piece.length;
      if (length > maxBytes) throw new InflatedTooLarge('Cannot decompress the body: it is too large');
      took(piece.length);
      pieces.push(piece);
    }
    return pieces;
  } finally {
    inflater.close();
  }
}

/** The beginning of a body, at most so many bytes: as far as it goes, also where it is cut or broken. */
export async function inflateBeginning(
  bytes: Uint8Array,
  encoding: Encoding,
  maxBytes: number,
): Promise<Uint8Array> {
  const inflater = new Inflater(encoding);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    inflater.write(bytes);
    while (length < maxBytes) {
      const piece = await inflater.read();
      if (!piece) break;
      length += piece.length;
      pieces.push(piece);
    }
  } catch {
    // What came before is all that there is.
  } finally {
    inflater.close();
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}

/** Decompresses a body as it comes: chunks go in, and pieces of at most 64 KiB are taken out one by one. */
export class Inflater {
  readonly #encoding: Encoding;
  #stream: zlib.Gunzip | undefined;
  /** Followed for zstd alone, whose decoder takes a cut body for a whole one. */
  readonly #frames: ZstdFrames | undefined;
  #ended = false;
  #closed = false;
  #failure: Error | undefined;
  /** Whether all that was written is decompressed, though perhaps not read. */
  #idle = true;
  #wake: () => void = () => undefined;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
    this.#frames = encoding === 'zstd' ? new ZstdFrames() : undefined;
  }

  /** Whether there is no more to come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next chunk. What the one before it holds must have been read. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#idle = false;
    this.#frames?.add(bytes);
    this.#opened(bytes[0]!).write(bytes, () => this.#ended || this.#rest());
  }

  /** There is no more: what was held back for its continuation can be read. */
  end(): void {
    this.#ended = true;
    this.#idle = false;
    this.#opened(0).end();
  }

  /** The next piece; `undefined` when all that was written is read. @throws when the data is broken, or ends too early */
  async read(): Promise<Uint8Array | undefined> {
    while (!this.#closed) {
      const piece = this.#stream?.read() as Uint8Array | null | undefined;
      if (piece) return piece;
      if (this.#failure) throw this.#failure;
      if (this.#idle) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (!this.#closed && this.#ended && this.#frames?.complete === false)
      throw new Error('Cannot decompress the body: its last frame is cut');
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#stream?.destroy();
    this.#rest();
  }

  #rest(): void {
    this.#idle = true;
    this.#wake();
  }

  #opened(first: number): zlib.Gunzip {
    if (this.#stream) return this.#stream;
    const stream = STREAM[this.#encoding](first) as zlib.Gunzip;
    this.#stream = stream;
    stream.on('readable', () => this.#wake());
    stream.on('end', () => this.#rest());
    stream.on('close', () => this.#rest());
    stream.on('error', (error: Error) => {
      this.#failure = error;
      this.#rest();
    });
    return stream;
  }
}
