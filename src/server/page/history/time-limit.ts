/** How long a search may take: the thread does one thing at a time, and others wait for it. */

class TimeIsUp extends Error {}

/** Set to 1 by another thread when nobody waits for what is searched now. */
let left: Int32Array | undefined;

/** From now on things are searched for somebody who may leave. @param flag 1 as soon as that is so */
export function searchFor(flag: Int32Array): void {
  left = flag;
}

/** Whether nobody waits any more. */
export function isLeft(): boolean {
  return left !== undefined && Atomics.load(left, 0) === 1;
}

/** A signal that aborts itself when it is asked after its time, for readers that ask it between two blocks. */
export function timeLimit(ms: number): {
  readonly signal: AbortSignal;
  readonly isOver: (error: unknown) => boolean;
} {
  const controller = new AbortController();
  const untilMs = performance.now() + ms;
  const { signal } = controller;
  // Timers do not run while a thread reads synchronously.
  signal.throwIfAborted = () => {
    if (performance.now() > untilMs || isLeft())
      controller.abort(new TimeIsUp('Cannot go on: it takes too long'));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return { signal, isOver: (error) => error instanceof TimeIsUp };
}
