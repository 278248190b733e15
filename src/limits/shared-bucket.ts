import type { SharedMemory } from './shared-memory.ts';

const MINUTE_US = 60_000_000;

/**
 * `RateBucket` for several processes, as one number: the moment at which the bucket will be full again, which each
 * request puts off. What a process took stays spent when it dies.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class SharedBucket {
  readonly #memory: SharedMemory;
  readonly #place: number;
  /** What one request puts the moment off, microseconds. */
  readonly #stepUs: number;
  readonly #offsetMs: number;

  /** @param offsetMs what is added to this process's clock for the one that all share */
  constructor(memory: SharedMemory, name: string, perMinute: number, offsetMs: number) {
    this.#memory = memory;
    this.#place = memory.place(name);
    this.#stepUs = Math.max(1, Math.floor(MINUTE_US / perMinute));
    this.#offsetMs = offsetMs;
  }

  /** When one request may go, on the clock of `nowMs`: 0 for now. */
  readyAt(nowMs: number): number {
    const nowUs = this.#shared(nowMs);
    const waitUs = this.#emptyUs(this.#memory.time(this.#place), nowUs) + this.#stepUs - MINUTE_US;
    return waitUs <= 0 ? 0 : nowMs + waitUs / 1_000;
  }

  /** Takes one. @returns false where there is none left */
  take(nowMs: number): boolean {
    const nowUs = this.#shared(nowMs);
    for (;;) {
      const fullUs = this.#memory.time(this.#place);
      const emptyUs = this.#emptyUs(fullUs, nowUs) + this.#stepUs;
      if (emptyUs > MINUTE_US) return false;
      if (this.#memory.setTime(this.#place, fullUs, nowUs + emptyUs)) return true;
    }
  }

  /** How much is spent, as the time that it takes to come back. */
  #emptyUs(fullUs: number, nowUs: number): number {
    const emptyUs = Math.max(0, fullUs - nowUs);
    // Nobody can spend more than a minute: that moment is by another clock, of a process that began before the
    // machine slept.
    return emptyUs > MINUTE_US + CLOCKS_DIFFER_US ? 0 : emptyUs;
  }

  #shared(nowMs: number): number {
    return Math.round((nowMs + this.#offsetMs) * 1_000);
  }
}

/** By how much the clocks of two processes may differ. */
const CLOCKS_DIFFER_US = 1_000_000;
