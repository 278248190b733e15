import type { Abort } from './abort.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Time, passed in wherever a decision or a wait depends on it, so that tests own it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch: for records and dates. */
  now(): number;
  /** Monotonic milliseconds: for latencies, deadlines and cooldowns. */
  monotonic(): number;
  /** Runs `action` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, action: () => void): () => void;
}

/** Waits of this length and more share one timer, milliseconds: to them the wheel's 50 are little. */
const LONG_MS = 500;

const wheel = new TimerWheel({
  monotonic: () => performance.now(),
  every(ms, action) {
    const timer = setInterval(action, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  // As from a timer of its own.
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

/** Waits `ms`; rejects with the reason as soon as it is aborted. */
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
