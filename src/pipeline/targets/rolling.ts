interface Bucket {
  slot: number;
  calls: number;
  failures: number;
}

const BUCKETS = 12;

/** Calls and failures in a rolling window, which restarts when its length changes. Uses fixed memory. */
export class RollingCounts {
  readonly #policy: { readonly window: number };
  #windowMs: number;
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ slot: -1, calls: 0, failures: 0 }));

  /** @param policy its `window` is the length of the window, milliseconds */
  constructor(policy: { readonly window: number }) {
    this.#policy = policy;
    this.#windowMs = policy.window;
  }

  add(nowMs: number, failed: boolean): void {
    const slot = this.#slot(nowMs);
    const bucket = this.#buckets[slot % BUCKETS]!;
    if (bucket.slot !== slot) {
      bucket.slot = slot;
      bucket.calls = 0;
      bucket.failures = 0;
    }
    bucket.calls += 1;
    if (failed) bucket.failures += 1;
  }

  sum(nowMs: number): { calls: number; failures: number } {
    const oldest = this.#slot(nowMs) - BUCKETS;
    let calls = 0;
    let failures = 0;
    for (const bucket of this.#buckets) {
      if (bucket.slot <= oldest) continue;
      calls += bucket.calls;
      failures += bucket.failures;
    }
    return { calls, failures };
  }

  #slot(nowMs: number): number {
    const { window } = this.#policy;
    if (window !== this.#windowMs) {
      this.clear();
      this.#windowMs = window;
    }
    return Math.floor((nowMs * BUCKETS) / window);
  }

  clear(): void {
    for (const bucket of this.#buckets) bucket.calls = bucket.failures = 0;
  }
}
