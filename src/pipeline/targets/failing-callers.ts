/** The name of a caller's key; `null` if callers cannot be told apart. */
export type Caller = string | null;

/** Beyond this number it does not matter who else fails. */
const MOST = 16;

/**
 * The callers whose last call failed. If there is only one, its requests may be at fault: a prompt that makes a server
 * fail must not take the server from the others.
 */
export class FailingCallers {
  readonly #windowMs: number;
  readonly #failedMs = new Map<Caller, number>();

  /** @param windowMs how long a failure counts */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  failed(caller: Caller, nowMs: number): void {
    if (this.#failedMs.size < MOST || this.#failedMs.has(caller)) this.#failedMs.set(caller, nowMs);
  }

  answered(caller: Caller): void {
    this.#failedMs.delete(caller);
  }

  clear(): void {
    this.#failedMs.clear();
  }

  /** The only one; `undefined` if there are several, or nobody knows. */
  only(nowMs: number): string | undefined {
    for (const [caller, failedMs] of this.#failedMs)
      if (failedMs <= nowMs - this.#windowMs) this.#failedMs.delete(caller);
    if (this.#failedMs.size !== 1) return undefined;
    const [caller] = this.#failedMs.keys();
    return caller ?? undefined;
  }
}
