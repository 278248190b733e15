import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly action: () => void;
}

/** A clock that only moves when told to. Timers run inside `advance()`, in the order in which they are due. */
export class FakeClock implements Clock {
  readonly #startMs: number;
  readonly #timers = new Set<Timer>();
  #elapsedMs = 0;

  /** @param startMs wall clock time at the start, in milliseconds since the epoch */
  constructor(startMs = Date.parse('2026-03-04T05:06:07.000Z')) {
    this.#startMs = startMs;
  }

  /** The number of pending timers. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, ms), action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Advances time by `ms`; a timer set by a timer also runs if it is due within that time. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (let timer = this.#due(untilMs); timer; timer = this.#due(untilMs)) {
      this.#timers.delete(timer);
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs);
      timer.action();
    }
    this.#elapsedMs = untilMs;
  }

  /** The earliest timer up to `untilMs`; among equals, the one that was set first. */
  #due(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (!first || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}

/**
 * A clock on which time passes this many times as fast, for waits of seconds beside real sockets. Timeouts pass as fast:
 * those that must not be reached need to be long.
 */
export function fastClock(factor: number): Clock {
  const startMs = systemClock.now();
  const elapsedMs = (since: number) => (systemClock.monotonic() - since) * factor;
  const began = systemClock.monotonic();
  return {
    now: () => startMs + elapsedMs(began),
    monotonic: () => elapsedMs(0),
    after: (ms, action) => systemClock.after(ms / factor, action),
  };
}
