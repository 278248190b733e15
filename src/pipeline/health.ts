import type { Fault } from '../errors.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthPolicy {
  /** How far back the success rate looks, milliseconds. */
  readonly window: number;
  readonly min_calls: number;
  readonly degraded_below: number;
  readonly unhealthy_below: number;
}

interface Bucket {
  slot: number;
  calls: number;
  failures: number;
}

export interface LastError {
  readonly fault: Fault;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

const BUCKETS = 12;
const SAMPLES = 256;

/** Outcomes of one provider's calls over a rolling window, and the latencies of its last answers. Memory is fixed. */
export class HealthWindow {
  readonly #policy: HealthPolicy;
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ slot: -1, calls: 0, failures: 0 }));
  readonly #latencies: number[] = [];
  #next = 0;
  lastError: LastError | undefined;

  constructor(policy: HealthPolicy) {
    this.#policy = policy;
  }

  success(nowMs: number, latencyMs: number): void {
    this.#bucket(nowMs).calls += 1;
    this.#latencies[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  failure(nowMs: number): void {
    const bucket = this.#bucket(nowMs);
    bucket.calls += 1;
    bucket.failures += 1;
  }

  /** Calls and share of successes in the window; the rate is `null` without calls. */
  rate(nowMs: number): { calls: number; success: number | null } {
    const oldest = this.#slot(nowMs) - BUCKETS;
    let calls = 0;
    let failures = 0;
    for (const bucket of this.#buckets) {
      if (bucket.slot <= oldest) continue;
      calls += bucket.calls;
      failures += bucket.failures;
    }
    return { calls, success: calls === 0 ? null : (calls - failures) / calls };
  }

  /** What the success rate alone says. Too few calls say nothing. */
  state(nowMs: number): HealthState {
    const { calls, success } = this.rate(nowMs);
    if (success === null || calls < this.#policy.min_calls) return 'healthy';
    if (success < this.#policy.unhealthy_below) return 'unhealthy';
    return success < this.#policy.degraded_below ? 'degraded' : 'healthy';
  }

  /** Latency of the last answers at a quantile between 0 and 1, milliseconds; `null` before the first. */
  quantile(q: number): number | null {
    if (this.#latencies.length === 0) return null;
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  }

  #slot(nowMs: number): number {
    return Math.floor(nowMs / (this.#policy.window / BUCKETS));
  }

  #bucket(nowMs: number): Bucket {
    const slot = this.#slot(nowMs);
    const bucket = this.#buckets[slot % BUCKETS]!;
    if (bucket.slot !== slot) {
      bucket.slot = slot;
      bucket.calls = 0;
      bucket.failures = 0;
    }
    return bucket;
  }
}
