import type { Clock } from '../clock.ts';

/** A limit on how long nothing may happen, which begins anew with each thing that does. */
export class Silence {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** From now on nothing may happen for so many milliseconds. */
  wait(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(ms, this.#expired);
  }

  /** Nobody waits. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
