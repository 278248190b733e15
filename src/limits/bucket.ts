/**
 * A bucket of requests that refills evenly: `perMinute` may be spent at once, then one every
 * `60 s / perMinute`.
 */
export class RateBucket {
  readonly #perMinute: number;
  #tokens: number;
  #filledAtMs = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
  }

  /** When one request may go, on the clock of `nowMs`: 0 for now. */
  readyAt(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 ? 0 : nowMs + ((1 - this.#tokens) * 60_000) / this.#perMinute;
  }

  take(): void {
    this.#tokens -= 1;
  }

  #fill(nowMs: number): void {
    const gained = ((nowMs - this.#filledAtMs) * this.#perMinute) / 60_000;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + Math.max(0, gained));
    this.#filledAtMs = nowMs;
  }
}
