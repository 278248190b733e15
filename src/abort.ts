import { Chain } from './chain.ts';

/**
 * Whether and why an operation is aborted: the function of an AbortController without native objects and events. A
 * request creates several of them, and nearly all requests complete normally.
 */
export class Abort {
  #aborted = false;
  #reason: unknown;
  #listeners: Chain<() => void> | undefined;
  #native: AbortController | undefined;

  /** Aborts together with the signal. @param reasonOf creates the reason; without it, the signal's reason is used */
  static following(signal: AbortSignal, reasonOf: () => unknown = () => signal.reason): Abort {
    const abort = new Abort();
    if (signal.aborted) abort.abort(reasonOf());
    else signal.addEventListener('abort', () => abort.abort(reasonOf()));
    return abort;
  }

  /** Whether it is aborted. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** The reason for the abort. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Aborts the operation. Later calls have no effect. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#native?.abort(reason);
    const listeners = this.#listeners;
    for (let link = listeners?.shift(); link; link = listeners?.shift()) link.item();
  }

  /** @throws the reason if it is aborted */
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /**
   * Calls the listener once on abort, at once if it is already aborted. @returns a function that removes the listener
   */
  onAbort(listener: () => void): () => void {
    if (this.#aborted) {
      listener();
      return () => undefined;
    }
    const listeners = (this.#listeners ??= new Chain());
    const link = listeners.add(listener);
    return () => void listeners.remove(link);
  }

  /** The same as an AbortSignal, for APIs such as fetch; created on demand. */
  get signal(): AbortSignal {
    if (!this.#native) {
      this.#native = new AbortController();
      if (this.#aborted) this.#native.abort(this.#reason);
    }
    return this.#native.signal;
  }
}
