/** How long a search may take: the thread does one thing at a time, and others wait for it. */

class TimeIsUp extends Error {}

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
    if (performance.now() > untilMs) controller.abort(new TimeIsUp('Cannot go on: it takes too long'));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return { signal, isOver: (error) => error instanceof TimeIsUp };
}
