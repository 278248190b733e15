import type { Clock } from '../../src/clock.ts';

interface Timer {
  readonly atMs: number;
  /** Of timers due at the same time, the one that was set first fires first. */
  readonly order: number;
  /** Removed when it has fired or is cancelled. */
  action: (() => void) | undefined;
}

/** Turns of the event loop without activity before time advances. */
const QUIET_TURNS = 2;

/** Cancelled timers are removed from the heap when they outnumber the others and there are this many. */
const SWEEP_FROM = 1_000;

/**
 * A clock that jumps from timer to timer. It advances only when the program has nothing left to do but wait for a
 * timer. Bun finishes a native read of a body within one turn of the event loop, so a program that has set no timer,
 * cancelled none and reported no activity (`stir`) for two turns is idle.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  readonly #quietTurns: number;
  #heap: Timer[] = [];
  #order = 0;
  #cancelled = 0;
  #nowMs = 0;
  #stirred = 0;
  /** Called with what a timer throws: time advances all the same. */
  onThrow: (error: unknown) => void = (error) => {
    throw error;
  };

  /**
   * Starts the clock.
   * @param startMs wall clock time at the start, in milliseconds since the epoch
   * @param quietTurns a larger number shows whether the default is large enough
   */
  constructor(startMs = Date.parse('2026-03-04T05:06:07.000Z'), quietTurns = QUIET_TURNS) {
    this.#startMs = startMs;
    this.#quietTurns = quietTurns;
  }

  /** The number of pending timers. */
  get timers(): number {
    return this.#heap.length - this.#cancelled;
  }

  now(): number {
    return this.#startMs + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(ms: number, action: () => void): () => void {
    this.#stirred += 1;
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: (this.#order += 1), action };
    this.#push(timer);
    return () => {
      this.#stirred += 1;
      if (!timer.action) return;
      timer.action = undefined;
      this.#cancelled += 1;
      if (this.#cancelled > SWEEP_FROM && this.#cancelled * 2 > this.#heap.length) this.#sweep();
    };
  }

  /** Waits on this clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Reports activity that sets no timer: a read, a request. */
  stir(): void {
    this.#stirred += 1;
  }

  /** Lets time pass until this time on the monotonic clock, including timers that are due then. */
  async runUntil(untilMs: number): Promise<void> {
    await this.#settle();
    for (let next = this.#pop(untilMs); next; next = this.#pop(untilMs)) {
      const { atMs, action } = next;
      next.action = undefined;
      this.#nowMs = Math.max(this.#nowMs, atMs);
      try {
        action?.();
      } catch (error) {
        this.onThrow(error);
      }
      await this.#settle();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < this.#quietTurns;) {
      const before = this.#stirred;
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#stirred === before ? quiet + 1 : 0;
    }
  }

  #sweep(): void {
    const kept = this.#heap.filter(({ action }) => action).sort(inOrder);
    // A sorted list is a heap.
    this.#heap = kept;
    this.#cancelled = 0;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (inOrder(heap[parent]!, timer) <= 0) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  /** The next timer that is due and not cancelled. */
  #pop(untilMs: number): Timer | undefined {
    for (let first = this.#heap[0]; first && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#dropFirst();
      if (first.action) return first;
      this.#cancelled -= 1;
    }
    return undefined;
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && inOrder(heap[child + 1]!, heap[child]!) < 0) child += 1;
      if (inOrder(last, heap[child]!) <= 0) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function inOrder(a: Timer, b: Timer): number {
  return a.atMs - b.atMs || a.order - b.order;
}
