/** A time limit for searches: the thread does one thing at a time, and others wait for it. */

class TimeIsUp extends Error {}

/** Set to 1 by another thread when the result of the current search is no longer needed. */
let left: Int32Array | undefined;

/** Sets the flag of the current search. @param flag 1 as soon as the result is no longer needed */
export function searchFor(flag: Int32Array): void {
  left = flag;
}

/** Whether the result is no longer needed. */
export function isLeft(): boolean {
  return left !== undefined && Atomics.load(left, 0) === 1;
}

/** A signal that aborts when it is checked after the time limit, for readers that check it between two blocks. */
export function timeLimit(ms: number): {
  readonly signal: AbortSignal;
  readonly isOver: (error: unknown) => boolean;
} {
  const controller = new AbortController();
  const untilMs = performance.now() + ms;
  const { signal } = controller;
  // Timers do not fire while a thread reads synchronously.
  signal.throwIfAborted = () => {
    if (performance.now() > untilMs || isLeft())
      controller.abort(new TimeIsUp('Cannot complete the search: it takes too long'));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return { signal, isOver: (error) => error instanceof TimeIsUp };
}
