/**
 * Content encodings of HTTP bodies. `node:zlib` is computation, not IO: it belongs beside the other formats.
 */
import * as zlib from 'node:zlib';

type Inflate = (
  bytes: Uint8Array,
  options: { maxOutputLength: number },
  done: (error: Error | null, inflated: Buffer) => void,
) => void;

const WHOLE = {
  gzip: zlib.gunzip,
  'x-gzip': zlib.gunzip,
  deflate: zlib.inflate,
  br: zlib.brotliDecompress,
  zstd: zlib.zstdDecompress,
} as const satisfies Record<string, Inflate>;

const STREAM = {
  gzip: () => zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH }),
  'x-gzip': () => zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH }),
  deflate: () => zlib.createInflate({ flush: zlib.constants.Z_SYNC_FLUSH }),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
} as const;

export type Encoding = keyof typeof WHOLE;

/** The encoding a `content-encoding` header names; `identity` when there is none, `undefined` when unknown. */
export function encodingOf(header: string | null | undefined): Encoding | 'identity' | undefined {
  if (!header) return 'identity';
  const name = header.trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  return Object.hasOwn(WHOLE, name) ? (name as Encoding) : undefined;
}

/** The body is larger than allowed once decompressed. */
export class InflatedTooLarge extends Error {}

/**
 * Decompresses a whole body, in a thread of the engine's.
 * @param maxBytes bound on the result
 * @throws InflatedTooLarge beyond the bound; the library's own error when the data is broken
 */
export function inflate(
  bytes: Uint8Array,
  encoding: Encoding,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const whole: Inflate = WHOLE[encoding];
  whole(bytes, { maxOutputLength: Math.max(1, maxBytes) }, (cause, inflated) => {
    if (!cause)
      resolve(new Uint8Array(inflated.buffer as ArrayBuffer, inflated.byteOffset, inflated.byteLength));
    else if ((cause as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') reject(cause);
    else reject(new InflatedTooLarge(`Cannot decompress the body: larger than ${maxBytes} bytes`, { cause }));
  });
  return promise;
}

/** Decompresses a body chunk by chunk, as far as the chunks so far allow. */
export class Inflater {
  readonly #stream: zlib.Gunzip;
  readonly #out: Uint8Array[] = [];
  readonly #over: Promise<void>;
  #failure: Error | undefined;

  constructor(encoding: Encoding) {
    this.#stream = STREAM[encoding]() as zlib.Gunzip;
    this.#stream.on('data', (bytes: Uint8Array) => this.#out.push(bytes));
    this.#stream.on('error', (error) => (this.#failure = error));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.on('close', () => resolve());
    this.#over = promise;
  }

  /** What the chunk made readable. @throws when the data is broken */
  async push(bytes: Uint8Array): Promise<Uint8Array[]> {
    const { promise: written, resolve } = Promise.withResolvers<void>();
    this.#stream.write(bytes, () => resolve());
    // A stream that fails or is closed calls nobody back.
    await Promise.race([written, this.#over]);
    if (this.#failure) throw this.#failure;
    return this.#out.splice(0);
  }

  /** What the end makes readable. @throws when the data ends too early */
  async end(): Promise<Uint8Array[]> {
    this.#stream.end();
    await this.#over;
    if (this.#failure) throw this.#failure;
    return this.#out.splice(0);
  }

  close(): void {
    this.#stream.destroy();
  }
}
