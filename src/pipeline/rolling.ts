interface Bucket {
  slot: number;
  calls: number;
  failures: number;
}

const BUCKETS = 12;

/** Calls and failures over the last `windowMs`. Memory is fixed. */
export class RollingCounts {
  readonly #slotMs: number;
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ slot: -1, calls: 0, failures: 0 }));

  constructor(windowMs: number) {
    this.#slotMs = windowMs / BUCKETS;
  }

  add(nowMs: number, failed: boolean): void {
    const slot = Math.floor(nowMs / this.#slotMs);
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
    const oldest = Math.floor(nowMs / this.#slotMs) - BUCKETS;
    let calls = 0;
    let failures = 0;
    for (const bucket of this.#buckets) {
      if (bucket.slot <= oldest) continue;
      calls += bucket.calls;
      failures += bucket.failures;
    }
    return { calls, failures };
  }

  clear(): void {
    for (const bucket of this.#buckets) bucket.calls = bucket.failures = 0;
  }
}
