import type { Fault } from '../../faults.ts';
import type { Caller } from './failing-callers.ts';
import { FailingCallers } from './failing-callers.ts';
import { RollingCounts } from './rolling.ts';
import { Samples } from './samples.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthPolicy {
  /** The length of the window for the success rate, milliseconds. */
  readonly window: number;
  readonly min_calls: number;
  readonly degraded_below: number;
  readonly unhealthy_below: number;
}

export interface LastError {
  readonly fault: Fault;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** Outcomes of calls over a rolling window, and the latencies of the last answers. Uses fixed memory. */
export class HealthWindow {
  readonly #policy: HealthPolicy;
  readonly #counts: RollingCounts;
  readonly #failing: FailingCallers;
  readonly latencies = new Samples();
  lastError: LastError | undefined;

  constructor(policy: HealthPolicy) {
    this.#policy = policy;
    this.#counts = new RollingCounts(policy);
    this.#failing = new FailingCallers(policy.window);
  }

  success(nowMs: number, latencyMs: number, caller: Caller = null): void {
    this.#counts.add(nowMs, false);
    this.#failing.answered(caller);
    this.latencies.add(latencyMs);
  }

  failure(nowMs: number, error: LastError, caller: Caller = null): void {
    this.#counts.add(nowMs, true);
    this.#failing.failed(caller, nowMs);
    this.lastError = error;
  }

  /** The number of calls and the share of successes in the window; the rate is `null` without calls. */
  rate(nowMs: number): { calls: number; success: number | null } {
    const { calls, failures } = this.#counts.sum(nowMs);
    return { calls, success: calls === 0 ? null : (calls - failures) / calls };
  }

  /**
   * The health by the success rate alone. Too few calls are no evidence, and one caller's failures alone none that
   * nobody can be answered.
   */
  state(nowMs: number): HealthState {
    const { calls, success } = this.rate(nowMs);
    if (success === null || calls < this.#policy.min_calls) return 'healthy';
    if (success < this.#policy.unhealthy_below && this.#failing.only(nowMs) === undefined) return 'unhealthy';
    return success < this.#policy.degraded_below ? 'degraded' : 'healthy';
  }
}
