import type { Clock } from '../../src/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly action: () => void;
}

/** A clock that moves only when told to. Timers run inside `advance()`, in the order they are due. */
export class FakeClock implements Clock {
  readonly #startMs: number;
  readonly #timers = new Set<Timer>();
  #elapsedMs = 0;

  /** @param startMs wall clock at the start, milliseconds since the epoch */
  constructor(startMs = Date.parse('2026-03-04T05:06:07.000Z')) {
    this.#startMs = startMs;
  }

  /** How many timers wait: zero when nothing is planned. */
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

  /** Moves time on by `ms`; a timer set by a timer runs too when it falls due within it. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (let timer = this.#due(untilMs); timer; timer = this.#due(untilMs)) {
      this.#timers.delete(timer);
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs);
      timer.action();
    }
    this.#elapsedMs = untilMs;
  }

  /** The earliest timer up to `untilMs`; of equals, the one set first. */
  #due(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (!first || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}
