import { ProxyError } from '../../errors.ts';

const RETRY_AFTER_MS = 1_000;

/** The streams of stored events that are read, a bounded number at once: each looks at the store again and again. */
export class Followers {
  /** By whose they are. */
  readonly #counts = new Map<string, number>();
  #all = 0;
  #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** From now on so many at once; those that are read go on. */
  set most(most: number) {
    this.#most = most;
  }

  /**
   * Counts one in. One client may have half of all.
   * @param owner its key, or where it comes from; `undefined` where neither is known
   * @returns counts it out, however often it is called
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
