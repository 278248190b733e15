/**
 * Many long waits on one timer. A request sets several limits of seconds and more and cancels nearly all of them: a native
 * timer for each would cost more than the limit is worth.
 */

/** How far apart the moments are at which waits come due, milliseconds: no wait ends early, or later than by this much. */
const TICK_MS = 50;

/** A wait. Its action is taken away when it is cancelled. */
interface Wait {
  action: () => void;
}

export interface WheelDeps {
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Calls the action again and again until the returned function is called. */
  readonly every: (ms: number, action: () => void) => () => void;
  /** Told what an action threw: it must not keep the others from coming due. */
  readonly thrown: (error: unknown) => void;
}

/** Setting and cancelling a wait take constant time. While nothing waits, no timer runs. */
export class TimerWheel {
  readonly #deps: WheelDeps;
  /** What comes due at each tick, by the tick's number. */
  readonly #ticks = new Map<number, Set<Wait>>();
  #waits = 0;
  /** The last tick that came due. */
  #passed = 0;
  #stop: (() => void) | undefined;

  constructor(deps: WheelDeps) {
    this.#deps = deps;
  }

  /** Runs `action` once, at the first tick `ms` or more from now. @returns how to cancel it */
  after(ms: number, action: () => void): () => void {
    const nowMs = this.#deps.monotonic();
    if (!this.#stop) this.#start(nowMs);
    const tick = Math.max(this.#passed + 1, Math.ceil((nowMs + ms) / TICK_MS));
    let due = this.#ticks.get(tick);
    if (!due) this.#ticks.set(tick, (due = new Set()));
    const wait: Wait = { action };
    due.add(wait);
    this.#waits += 1;
    return () => {
      if (!due.delete(wait)) return;
      this.#waits -= 1;
      if (due.size === 0) this.#ticks.delete(tick);
    };
  }

  #start(nowMs: number): void {
    this.#passed = Math.floor(nowMs / TICK_MS);
    this.#stop = this.#deps.every(TICK_MS, () => this.#turn());
  }

  #turn(): void {
    // It stops a tick after the last wait has gone, so that one request after another does not start it anew.
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

  #fire(due: Set<Wait>): void {
    this.#ticks.delete(this.#passed);
    for (const wait of due) {
      due.delete(wait);
      this.#waits -= 1;
      try {
        wait.action();
      } catch (error) {
        this.#deps.thrown(error);
      }
    }
  }
}
