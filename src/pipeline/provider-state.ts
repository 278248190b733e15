import type { Fault } from '../errors.ts';
import type { HealthPolicy } from './health.ts';
import { HealthWindow } from './health.ts';
import { RateBucket } from './rate.ts';

/** Looking again this often is cheaper than a queue, and no slower than a provider's own answer. */
const FULL_POLL_MS = 25;

export interface ProviderLimits {
  /** Requests per minute. */
  readonly rateLimit: number | undefined;
  readonly maxConnections: number | undefined;
}

/** What all models of one provider share: connections, its rate limit, and being down as a whole. */
export class ProviderState {
  readonly name: string;
  readonly health: HealthWindow;
  readonly #maxConnections: number;
  readonly #bucket: RateBucket | undefined;
  inFlight = 0;
  /** Why nothing is sent to it, and until when on the monotonic clock. */
  down: { fault: Fault; message: string; untilMs: number } | undefined;
  /** When the next probe is due, milliseconds since the epoch. */
  nextProbeMs: number | undefined;

  constructor(name: string, limits: ProviderLimits, policy: HealthPolicy) {
    this.name = name;
    this.health = new HealthWindow(policy);
    this.#maxConnections = limits.maxConnections ?? Infinity;
    this.#bucket = limits.rateLimit === undefined ? undefined : new RateBucket(limits.rateLimit);
  }

  /** When a request may go to this provider, on the monotonic clock: 0 for now. */
  readyAt(nowMs: number): number {
    if (this.down && this.down.untilMs > nowMs) return this.down.untilMs;
    if (this.inFlight >= this.#maxConnections) return nowMs + FULL_POLL_MS;
    return this.#bucket?.readyAt(nowMs) ?? 0;
  }

  begin(): void {
    this.inFlight += 1;
    this.#bucket?.take();
  }

  end(): void {
    this.inFlight -= 1;
  }
}
