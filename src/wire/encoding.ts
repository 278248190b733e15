/**
 * Content encodings of HTTP bodies. `node:zlib` is computation rather than IO, so it belongs to this layer.
 *
 * Data that expands a thousandfold is decompressed in pieces, each in one of the engine's threads, and only as far as
 * it is consumed: a few kilobytes may expand to gigabytes.
 */
import * as zlib from 'node:zlib';
import { ZstdFrames } from './zstd-frames.ts';

/** The size of a decompressed piece, bytes. */
const PIECE = 64 * 1024;

const PULLED = { chunkSize: PIECE, readableHighWaterMark: PIECE } as const;
const FLUSHED = { ...PULLED, flush: zlib.constants.Z_SYNC_FLUSH } as const;

/**
 * The largest window of a zstd frame, as a power of two: RFC 9659 allows 8 MB. A frame declares it, and it is
 * allocated.
 */
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
 * Whether `deflate` data begins with a zlib header, as RFC 9110 demands. Some servers send raw deflate data, whose
 * encoders never produce such a first byte.
 */
function isZlib(first: number): boolean {
  return (first & 0x0f) === 8 && first >> 4 <= 7;
}

export type Encoding = keyof typeof STREAM;

/**
 * The encoding in a `content-encoding` header; `identity` if there is none, `undefined` if it is unknown or there are
 * several.
 */
export function encodingOf(header: string | null | undefined): Encoding | 'identity' | undefined {
  if (!header) return 'identity';
  const name = header.trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  return Object.hasOwn(STREAM, name) ? (name as Encoding) : undefined;
}

/** Thrown when the decompressed body is larger than allowed. */
export class InflatedTooLarge extends Error {}

/**
 * Decompresses a whole body.
 * @param maxBytes the largest result
 * @param took called with the size of each piece; an error that it throws ends the decompression
 * @returns the pieces
 * @throws InflatedTooLarge above the limit; the library's error when the data is damaged or truncated
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

/** The first bytes of a body, up to a limit, even if it is truncated or damaged. */
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
    // Everything before the error has been delivered.
  } finally {
    inflater.close();
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}

/** Decompresses a body incrementally: chunks are written, and pieces of at most 64 KiB are read one by one. */
export class Inflater {
  readonly #encoding: Encoding;
  #stream: zlib.Gunzip | undefined;
  /** Only needed for zstd, whose decoder accepts truncated data. */
  readonly #frames: ZstdFrames | undefined;
  #ended = false;
  #closed = false;
  #failure: Error | undefined;
  /** Whether everything written is decompressed, although perhaps not read. */
  #idle = true;
  #wake: () => void = () => undefined;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
    this.#frames = encoding === 'zstd' ? new ZstdFrames() : undefined;
  }

  /** Whether the end was reached. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Writes the next chunk. The previous one must have been read completely. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#idle = false;
    this.#frames?.add(bytes);
    this.#opened(bytes[0]!).write(bytes, () => this.#ended || this.#rest());
  }

  /** Marks the end of the data: what was buffered can be read. */
  end(): void {
    this.#ended = true;
    this.#idle = false;
    this.#opened(0).end();
  }

  /**
   * The next piece; `undefined` when everything written has been read. @throws when the data is damaged or truncated
   */
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
