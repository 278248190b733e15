import { ProxyError } from '../errors.ts';

/** After how long a client may try again, milliseconds: memory is given back with every answer that ends. */
const RETRY_AFTER_MS = 1_000;

/** Short bodies that are on their way all together, bytes: they are counted when they are there. */
const ON_THE_WAY = 16 * 1024 * 1024;

/** Half of it is for those up to this length: a few that are longer and do not come must not make all others slow. */
const SHORTEST = 64 * 1024;

/**
 * The memory that request bodies take: a flood of large ones is refused while it comes, and whoever sends it is refused
 * before the others are. It is taken as bytes arrive, not as they are announced.
 */
export class Buffered {
  readonly #maxBytes: number;
  readonly #maxShare: number;
  /** By owner, who holds something. */
  readonly #shares = new Map<string, number>();
  #bytes = 0;
  #onTheWay = 0;

  /**
   * @param maxBytes for all together
   * @param maxShare for one owner
   */
  constructor(maxBytes: number, maxShare = maxBytes) {
    this.#maxBytes = maxBytes;
    this.#maxShare = maxShare;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Whether a short body may be read at once, which costs least, and be counted afterwards; `arrived` follows.
   * @param bytes as announced
   */
  expects(bytes: number): boolean {
    const room = bytes <= SHORTEST ? ON_THE_WAY : ON_THE_WAY / 2;
    if (this.#onTheWay + bytes > room) return false;
    this.#onTheWay += bytes;
    return true;
  }

  /** A short body is there, or does not come. */
  arrived(bytes: number): void {
    this.#onTheWay -= bytes;
  }

  /**
   * @param owner whose share it counts for; of nobody's when it is `undefined`
   * @throws ProxyError `unavailable` when there is no room for so many more, `over_share` when the owner has its share
   */
  take(owner: string | undefined, bytes: number): void {
    // A sum with what is no size would be none either, and refuse nothing any more.
    if (!Number.isFinite(bytes) || bytes < 0)
      throw new ProxyError('internal', `Cannot count the memory of a request: ${bytes} bytes`);
    if (this.#bytes + bytes > this.#maxBytes) {
      const message = 'Cannot accept the request: too many large requests at once (limits.max_buffered)';
      throw new ProxyError('unavailable', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    if (owner !== undefined) this.#share(owner, bytes);
    this.#bytes += bytes;
  }

  #share(owner: string, bytes: number): void {
    const share = (this.#shares.get(owner) ?? 0) + bytes;
    if (share > this.#maxShare) {
      const state = 'this client holds its share of the memory (limits.max_buffered_share)';
      const message = `Cannot accept the request: ${state}; send fewer large requests at once`;
      throw new ProxyError('over_share', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#shares.set(owner, share);
  }

  /** Gives back what was taken. */
  free(owner: string | undefined, bytes: number): void {
    this.#bytes -= bytes;
    if (owner === undefined) return;
    const share = (this.#shares.get(owner) ?? 0) - bytes;
    if (share > 0) this.#shares.set(owner, share);
    else this.#shares.delete(owner);
  }
}
