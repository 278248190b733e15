import { ProxyError } from '../errors.ts';

/** The memory that request bodies take, all together: a flood of large ones is refused before it is read. */
export class Buffered {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws ProxyError `unavailable` when there is no room for so many more */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      const message = 'Cannot accept the request: too many large requests at once (limits.max_buffered)';
      throw new ProxyError('unavailable', message, { retryAfterMs: 1_000 });
    }
    this.#bytes += bytes;
  }

  free(bytes: number): void {
    this.#bytes -= bytes;
  }
}
