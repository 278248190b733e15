import type { RoomLimits } from '../../src/limits/limits.ts';

/** A call in the model. */
export interface ModelCall {
  readonly held: number;
}

/**
 * A capacity as documented, in exact numbers: what is spent is refilled evenly, what calls may use is reserved while
 * they run, and the sum of both never exceeds the limit of a minute.
 */
export class RoomModel {
  readonly #requests: number | undefined;
  readonly #tokens: number | undefined;
  readonly #connections: number;
  #calls = 0;
  #spentRequests = 0;
  #spentTokens = 0;
  #held = 0;

  constructor({ rateLimit: { requests, tokens } = {}, maxConnections }: RoomLimits) {
    this.#requests = requests;
    this.#tokens = tokens;
    this.#connections = maxConnections ?? Infinity;
  }

  pass(ms: number): void {
    this.#spentRequests = Math.max(0, this.#spentRequests - (ms * (this.#requests ?? 0)) / 60_000);
    this.#spentTokens = Math.max(0, this.#spentTokens - (ms * (this.#tokens ?? 0)) / 60_000);
  }

  /** How much a call exceeds the remaining capacity; 0 or less if it fits. */
  lack(tokens: number): number {
    const { requests, tokens: most } = { requests: this.#requests, tokens: this.#tokens };
    return Math.max(
      this.#calls + 1 - this.#connections,
      requests === undefined ? -Infinity : this.#spentRequests + 1 - requests,
      most === undefined ? -Infinity : this.#spentTokens + this.#held + Math.min(tokens, most) - most,
    );
  }

  begin(tokens: number): ModelCall {
    const held = Math.min(tokens, this.#tokens ?? 0);
    this.#calls += 1;
    this.#spentRequests += 1;
    this.#held += held;
    return { held };
  }

  end({ held }: ModelCall, used: number | undefined): void {
    this.#calls -= 1;
    this.#held -= held;
    // At most ten minutes' worth of overuse counts.
    this.#spentTokens = Math.min((this.#tokens ?? 0) * 11, this.#spentTokens + (used ?? held));
  }

  /** For a call that was never made. */
  cancel(call: ModelCall): void {
    this.#spentRequests = Math.max(0, this.#spentRequests - 1);
    this.end(call, 0);
  }
}
