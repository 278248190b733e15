import { Chain } from './chain.ts';

/**
 * Runs many long timeouts on one timer. A request sets several timeouts of seconds and more, and cancels nearly all of
 * them: a native timer for each would cost more than it is worth.
 */

/** The distance between ticks, milliseconds: no timeout fires early, or later than by this much. */
const TICK_MS = 50;

export interface WheelDeps {
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Calls the action repeatedly until the returned function is called. */
  readonly every: (ms: number, action: () => void) => () => void;
  /** Called with errors thrown by an action, which must not prevent the other actions. */
  readonly thrown: (error: unknown) => void;
}

/** Setting and cancelling a timeout take constant time. While none is set, no timer runs. */
export class TimerWheel {
  readonly #deps: WheelDeps;
  /** The timeouts due at each tick, by the number of the tick. */
  readonly #ticks = new Map<number, Chain<() => void>>();
  #waits = 0;
  /** The last tick that was processed. */
  #passed = 0;
  #stop: (() => void) | undefined;

  constructor(deps: WheelDeps) {
    this.#deps = deps;
  }

  /** Runs `action` once, at the first tick `ms` or more from now. @returns a function that cancels it */
  after(ms: number, action: () => void): () => void {
    const nowMs = this.#deps.monotonic();
    if (!this.#stop) this.#start(nowMs);
    const tick = Math.max(this.#passed + 1, Math.ceil((nowMs + ms) / TICK_MS));
    let due = this.#ticks.get(tick);
    if (!due) this.#ticks.set(tick, (due = new Chain()));
    const link = due.add(action);
    this.#waits += 1;
    return () => {
      if (!due.remove(link)) return;
      this.#waits -= 1;
      if (due.isEmpty) this.#ticks.delete(tick);
    };
  }

  #start(nowMs: number): void {
    this.#passed = Math.floor(nowMs / TICK_MS);
    this.#stop = this.#deps.every(TICK_MS, () => this.#turn());
  }

  #turn(): void {
    // It stops one tick after the last timeout is gone, so that sequential requests do not restart it.
    if (this.#waits === 0) {
      this.#stop?.();
      this.#stop = undefined;
      return;
    }
    const now = Math.floor(this.#deps.monotonic() / TICK_MS);
    while (this.#passed < now) {
      this.#passed += 1;
      const due = this.#ticks.get(this.#passed);
      if (due) this.#fire(due);
    }
  }

  #fire(due: Chain<() => void>): void {
    this.#ticks.delete(this.#passed);
    for (let link = due.shift(); link; link = due.shift()) {
      this.#waits -= 1;
      try {
        link.item();
      } catch (error) {
        this.#deps.thrown(error);
      }
    }
  }
}
