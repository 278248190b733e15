import type { Abort } from './abort.ts';
import { TimerWheel } from './timer-wheel.ts';

/** The source of time, passed to everything that decides or waits by it, so that tests control it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch: for records and dates. */
  now(): number;
  /** Monotonic milliseconds: for latencies, deadlines and cooldowns. */
  monotonic(): number;
  /** Runs `action` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, action: () => void): () => void;
}

/**
 * Waits of at least this length share one timer, milliseconds: the 50 ms resolution of the wheel is negligible for
 * them.
 */
const LONG_MS = 500;

const wheel = new TimerWheel({
  monotonic: () => performance.now(),
  every(ms, action) {
    const timer = setInterval(action, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  // Thrown outside the loop over the timeouts, like an error in a native timer.
  thrown: (error) =>
    queueMicrotask(() => {
      throw error;
    }),
});

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    if (ms >= LONG_MS) return wheel.after(ms, action);
    const timer = setTimeout(action, Math.max(0, ms));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits for `ms`; rejects with the reason as soon as the signal aborts. */
export function sleep(clock: Clock, ms: number, abort?: Abort): Promise<void> {
  if (abort?.aborted) return Promise.reject(abort.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, () => {
    forget?.();
    resolve();
  });
  const forget = abort?.onAbort(() => {
    cancel();
    reject(abort.reason);
  });
  return promise;
}
