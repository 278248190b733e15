import type { Fault, ProxyError } from '../errors.ts';
import type { HealthPolicy } from './health.ts';
import { HealthWindow } from './health.ts';
import { RateBucket } from './rate.ts';

/** Looking again this often is cheaper than a queue, and no slower than a provider's own answer. */
const FULL_POLL_MS = 25;

/** Without a free endpoint to probe, one request tries a key again after this time; it doubles each time. */
const TRIAL_MS = 5 * 60_000;
const MAX_TRIAL_MS = 60 * 60_000;

export interface ProviderLimits {
  /** Requests per minute. */
  readonly rateLimit: number | undefined;
  readonly maxConnections: number | undefined;
  readonly keys: number;
}

/** A key that the provider refuses: nothing is sent with it. */
export interface Down {
  readonly fault: Fault;
  readonly message: string;
  /** When a request may try it again, on the monotonic clock; `Infinity` where a probe will tell. */
  untilMs: number;
  /** How often in a row. */
  readonly times: number;
}

/** What all models of one provider share: keys, connections, its rate limit, and its health as a whole. */
export class ProviderState {
  readonly name: string;
  readonly health: HealthWindow;
  #maxConnections = Infinity;
  #bucket: RateBucket | undefined;
  #perMinute: number | undefined;
  #downs: (Down | undefined)[] = [];
  #turn = 0;
  inFlight = 0;
  /** When it is probed: never, while something is down, or always. A probe can bring a key back. */
  probed: 'never' | 'recovery' | 'always' = 'never';
  /** Why the last probes found nobody: nothing is sent until one succeeds. */
  unreachable: string | undefined;
  /** When the next probe is due, milliseconds since the epoch. */
  nextProbeMs: number | undefined;

  constructor(name: string, limits: ProviderLimits, policy: HealthPolicy) {
    this.name = name;
    this.health = new HealthWindow(policy);
    this.configure(limits);
  }

  /** Takes over the limits of a new configuration. Keys get a new chance; calls in flight stay counted. */
  configure({ rateLimit, maxConnections, keys }: ProviderLimits): void {
    this.#maxConnections = maxConnections ?? Infinity;
    if (rateLimit !== this.#perMinute) {
      this.#bucket = rateLimit === undefined ? undefined : new RateBucket(rateLimit);
    }
    this.#perMinute = rateLimit;
    this.#downs = Array.from({ length: keys }, () => undefined);
    this.unreachable = undefined;
  }

  get keys(): number {
    return this.#downs.length;
  }

  /** One a key; another list after each configuration. */
  get downs(): readonly (Down | undefined)[] {
    return this.#downs;
  }

  /** When a request may go to this provider, whatever the key, on the monotonic clock: 0 for now. */
  readyAt(nowMs: number): number {
    if (this.unreachable !== undefined) return Infinity;
    if (this.inFlight >= this.#maxConnections) return nowMs + FULL_POLL_MS;
    return this.#bucket?.readyAt(nowMs) ?? 0;
  }

  keyReadyAt(key: number): number {
    return this.#downs[key]?.untilMs ?? 0;
  }

  /** The keys in the order of their turns. */
  *turns(): Generator<number> {
    for (let n = 0; n < this.keys; n += 1) yield (this.#turn + n) % this.keys;
  }

  begin(key: number, nowMs: number): void {
    this.inFlight += 1;
    this.#turn = (key + 1) % this.keys;
    this.#bucket?.take();
    const down = this.#downs[key];
    // One request alone tries a key again.
    if (down && down.untilMs <= nowMs) down.untilMs = nowMs + TRIAL_MS;
  }

  end(): void {
    this.inFlight -= 1;
  }

  /** The provider refused the key. */
  refuse(key: number, { fault, message }: ProxyError, nowMs: number): void {
    if (key >= this.keys) return;
    const times = (this.#downs[key]?.times ?? 0) + 1;
    const restMs = this.probed !== 'never' ? Infinity : Math.min(MAX_TRIAL_MS, TRIAL_MS * 2 ** (times - 1));
    this.#downs[key] = { fault, message, untilMs: nowMs + restMs, times };
  }

  /** The provider took the key, or a probe with it was answered. */
  accept(key: number): void {
    if (this.#downs[key]) this.#downs[key] = undefined;
  }

  /** A probe with the key was answered: requests may try it, but what it was refused for is not forgotten yet. */
  revive(key: number): void {
    const down = this.#downs[key];
    if (down) down.untilMs = 0;
  }
}
