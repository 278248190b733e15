import { ProxyError } from '../errors.ts';

/** When a client should retry, milliseconds: memory is released with every answer that ends. */
const RETRY_AFTER_MS = 1_000;

/** The total size of short bodies that are being received, bytes: they are counted once they have arrived. */
const ON_THE_WAY = 16 * 1024 * 1024;

/** Half of it is reserved for bodies up to this length: a few longer ones that stall must not slow all others. */
const SHORTEST = 64 * 1024;

/** Up to this number, owners that hold no memory are kept in the map. */
const MAX_IDLE = 1_000;

/**
 * The memory for request bodies: a flood of large ones is refused as it arrives, and its sender is refused before
 * others are. Memory is taken as bytes arrive, not as they are announced.
 */
export class Buffered {
  readonly #maxBytes: number;
  readonly #maxShare: number;
  /** By owner. */
  readonly #shares = new Map<string, number>();
  #bytes = 0;
  #onTheWay = 0;

  /**
   * @param maxBytes in total
   * @param maxShare for one owner
   */
  constructor(maxBytes: number, maxShare = maxBytes) {
    this.#maxBytes = maxBytes;
    this.#maxShare = maxShare;
  }

  /** The number of bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Whether a short body may be read at once, which costs least, and be counted afterwards; `arrived` must follow.
   * @param bytes as announced
   */
  expects(bytes: number): boolean {
    const room = bytes <= SHORTEST ? ON_THE_WAY : ON_THE_WAY / 2;
    if (this.#onTheWay + bytes > room) return false;
    this.#onTheWay += bytes;
    return true;
  }

  /** A short body has arrived, or failed. */
  arrived(bytes: number): void {
    this.#onTheWay -= bytes;
  }

  /**
   * @param owner whose share it counts for; `undefined` for nobody's
   * @throws ProxyError `unavailable` when there is no room for that many bytes, `over_share` when the owner has used
   * its share
   */
  take(owner: string | undefined, bytes: number): void {
    // Adding NaN would disable the limit for good.
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

  /** Releases memory. */
  free(owner: string | undefined, bytes: number): void {
    this.#bytes -= bytes;
    if (owner === undefined) return;
    const share = (this.#shares.get(owner) ?? 0) - bytes;
    // Removing an owner after each of its requests, and adding it again, costs more than keeping some that hold
    // nothing.
    if (share > 0 || this.#shares.size <= MAX_IDLE) this.#shares.set(owner, Math.max(0, share));
    else this.#shares.delete(owner);
  }
}
