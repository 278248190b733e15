/**
 * Whether and why a piece of work ends early: what an AbortController is, without native objects and events. A request
 * makes several of them, and nearly all requests come to their own end.
 */
export class Abort {
  #aborted = false;
  #reason: unknown;
  #listeners: Set<() => void> | undefined;
  #native: AbortController | undefined;

  /** Aborts when the signal does. @param reasonOf makes the reason; without it, it is the signal's */
  static following(signal: AbortSignal, reasonOf: () => unknown = () => signal.reason): Abort {
    const abort = new Abort();
    if (signal.aborted) abort.abort(reasonOf());
    else signal.addEventListener('abort', () => abort.abort(reasonOf()), { once: true });
    return abort;
  }

  /** Whether it was aborted. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** What it was aborted with. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Ends the work. Later calls do nothing. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#native?.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  /** @throws the reason, when it was aborted */
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Calls the listener once when it is aborted, at once when it is already. @returns how to take it away */
  onAbort(listener: () => void): () => void {
    if (this.#aborted) {
      listener();
      return () => undefined;
    }
    const listeners = (this.#listeners ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** The same for what takes a signal, such as fetch; made when it is asked for. */
  get signal(): AbortSignal {
    if (!this.#native) {
      this.#native = new AbortController();
      if (this.#aborted) this.#native.abort(this.#reason);
    }
    return this.#native.signal;
  }
}
