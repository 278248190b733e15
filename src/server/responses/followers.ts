import { ProxyError } from '../../errors.ts';

const RETRY_AFTER_MS = 1_000;

/** Streams of stored events, a limited number at once: each polls the store. */
export class Followers {
  /** By owner. */
  readonly #counts = new Map<string, number>();
  #all = 0;
  #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Sets the limit; existing streams continue. */
  set most(most: number) {
    this.#most = most;
  }

  /**
   * Counts a stream. One client may have half of all.
   * @param owner its key, or its address; `undefined` if neither is known
   * @returns a function that ends it, with no effect when called again
   * @throws ProxyError `unavailable` when there are too many, `over_share` when too many of them are this client's
   */
  take(owner: string | undefined): () => void {
    const more = { retryAfterMs: RETRY_AFTER_MS };
    if (this.#all >= this.#most)
      throw new ProxyError(
        'unavailable',
        'Cannot stream the response: too many streams of stored responses are open (responses.max_streams)',
        more,
      );
    const own = owner === undefined ? 0 : (this.#counts.get(owner) ?? 0);
    if (own >= Math.ceil(this.#most / 2))
      throw new ProxyError(
        'over_share',
        'Cannot stream the response: this client holds half of all streams of stored responses (responses.max_streams)',
        more,
      );
    this.#count(owner, 1);
    let counts = true;
    return () => {
      if (counts) this.#count(owner, -1);
      counts = false;
    };
  }

  #count(owner: string | undefined, change: 1 | -1): void {
    this.#all += change;
    if (owner === undefined) return;
    const left = (this.#counts.get(owner) ?? 0) + change;
    if (left > 0) this.#counts.set(owner, left);
    else this.#counts.delete(owner);
  }
}
