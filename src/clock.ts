/** Time, passed in wherever a decision or a wait depends on it, so that tests own it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch: for records and dates. */
  now(): number;
  /** Monotonic milliseconds: for latencies, deadlines and cooldowns. */
  monotonic(): number;
  /** Runs `action` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    // setTimeout fires at once beyond 2^31-1 ms.
    const timer = setTimeout(action, Math.min(Math.max(0, ms), 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits `ms`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, () => {
    signal?.removeEventListener('abort', onAbort);
    resolve();
  });
  const onAbort = () => {
    cancel();
    reject(signal!.reason);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}
