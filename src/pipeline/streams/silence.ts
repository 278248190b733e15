import type { Clock } from '../../clock.ts';

/** A timeout that restarts with each event. */
export class Silence {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Starts the timeout, milliseconds. */
  wait(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(ms, this.#expired);
  }

  /** Stops it. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
