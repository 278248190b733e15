import type { Clock } from '../clock.ts';

/**
 * Calls `bark` when nothing was heard for a while. Hearing something costs one reading of the clock: the timer
 * is not moved but looks again when it fires.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #bark: () => void;
  #limitMs: number;
  #heardMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, limitMs: number, bark: () => void) {
    this.#clock = clock;
    this.#bark = bark;
    this.#limitMs = limitMs;
    this.#heardMs = clock.monotonic();
    this.#arm(limitMs);
  }

  /** Something was heard. */
  touch(): void {
    this.#heardMs = this.#clock.monotonic();
  }

  /** Starts over with another limit. */
  reset(limitMs: number): void {
    this.stop();
    this.#limitMs = limitMs;
    this.touch();
    this.#arm(limitMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const restMs = this.#heardMs + this.#limitMs - this.#clock.monotonic();
      if (restMs > 0) this.#arm(restMs);
      else this.#bark();
    });
  }
}
