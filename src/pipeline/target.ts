import type { Fault, ProxyError } from '../errors.ts';
import type { Price } from '../config/schema.ts';
import type { BaseProvider } from '../providers/base.ts';
import type { BreakerPolicy, BreakerTicket } from './breaker.ts';
import type { HealthPolicy } from './health.ts';
import { Breaker } from './breaker.ts';
import { ProviderState } from './provider-state.ts';

/** A call's place at a target; settled exactly once. */
export interface Ticket {
  readonly breaker: BreakerTicket;
  settled: boolean;
}

/** A provider and one of its models: what a request is sent to, and what is known about it. */
export class Target {
  /** "provider/model" */
  readonly id: string;
  readonly model: string;
  readonly price: Price | undefined;
  readonly state: ProviderState;
  readonly breaker: Breaker;
  provider: BaseProvider;
  /** Rests until then, on the monotonic clock, and for this reason; `told` when the provider named the time. */
  cooldown: { fault: Fault; untilMs: number; told: boolean } | undefined;

  constructor(
    provider: BaseProvider,
    model: string,
    price: Price | undefined,
    state: ProviderState,
    breaker: Breaker,
  ) {
    this.id = `${provider.name}/${model}`;
    this.provider = provider;
    this.model = model;
    this.price = price;
    this.state = state;
    this.breaker = breaker;
  }

  /**
   * When it may be asked, on the monotonic clock: 0 for now, `Infinity` while a breaker's trial is out.
   * @param again the request that was just refused here asks once more after its own backoff: only a rest
   * that the provider itself asked for holds it back
   */
  readyAt(nowMs: number, again = false): number {
    const rests =
      this.cooldown !== undefined && this.cooldown.untilMs > nowMs && (this.cooldown.told || !again);
    const cooling = rests ? this.cooldown!.untilMs : 0;
    return Math.max(cooling, this.breaker.readyAt(nowMs), this.state.readyAt(nowMs));
  }

  begin(): Ticket {
    this.state.begin();
    return { breaker: this.breaker.begin(), settled: false };
  }

  /** The call was answered in full. */
  succeed(ticket: Ticket, nowMs: number, latencyMs: number): void {
    if (!this.#settle(ticket)) return;
    this.breaker.success(ticket.breaker);
    this.state.health.success(nowMs, latencyMs);
    // An answer that began before the provider went down or asked for rest says nothing against either.
    if (this.state.down && this.state.down.untilMs <= nowMs) this.state.down = undefined;
  }

  /** The call failed; what that says about the target follows from the rules table. */
  fail(ticket: Ticket, error: ProxyError, nowMs: number, epochMs: number): void {
    if (!this.#settle(ticket)) return;
    const { health, cooldownMs } = error.rule;
    const untilMs = nowMs + (error.retryAfterMs ?? cooldownMs);
    if (health === 'failure') {
      this.breaker.failure(ticket.breaker, nowMs);
      this.state.health.failure(nowMs);
      if (error.retryAfterMs !== undefined) this.#rest(error, untilMs);
    } else {
      this.breaker.neutral(ticket.breaker, nowMs);
    }
    if (health === 'busy' || health === 'missing') this.#rest(error, untilMs);
    if (health === 'down') {
      this.state.health.failure(nowMs);
      this.state.down = { fault: error.fault, message: error.message, untilMs };
    }
    if (health !== 'none') {
      this.state.health.lastError = { fault: error.fault, message: error.message, atMs: epochMs };
    }
  }

  /** The call ended without a word about the target: the client left. */
  abandon(ticket: Ticket, nowMs: number): void {
    if (this.#settle(ticket)) this.breaker.neutral(ticket.breaker, nowMs);
  }

  /** Rests at least until then: a later word never shortens an earlier one. */
  #rest({ fault, retryAfterMs }: ProxyError, untilMs: number): void {
    if (this.cooldown && this.cooldown.untilMs >= untilMs) return;
    this.cooldown = { fault, untilMs, told: retryAfterMs !== undefined };
  }

  #settle(ticket: Ticket): boolean {
    if (ticket.settled) return false;
    ticket.settled = true;
    this.state.end();
    return true;
  }
}

/** Targets kept at most: globs let clients name any model, and a name is no reason to grow. */
const MAX_TARGETS = 2_000;

export interface PoolPolicy {
  readonly breaker: BreakerPolicy;
  readonly health: HealthPolicy;
}

/** All targets and provider states, made when first asked for. */
export class TargetPool {
  readonly #policy: PoolPolicy;
  readonly #random: () => number;
  readonly #targets = new Map<string, Target>();
  readonly #states = new Map<string, ProviderState>();

  constructor(policy: PoolPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  state(provider: BaseProvider): ProviderState {
    let state = this.#states.get(provider.name);
    if (!state) {
      state = new ProviderState(provider.name, provider.settings, this.#policy.health);
      this.#states.set(provider.name, state);
    }
    return state;
  }

  target(provider: BaseProvider, model: string, price: Price | undefined): Target {
    const id = `${provider.name}/${model}`;
    let target = this.#targets.get(id);
    if (target) return target;
    if (this.#targets.size >= MAX_TARGETS) this.#evict();
    target = new Target(
      provider,
      model,
      price,
      this.state(provider),
      new Breaker(this.#policy.breaker, this.#random),
    );
    this.#targets.set(id, target);
    return target;
  }

  /** The targets of a provider that were asked so far. */
  targets(provider: string): Target[] {
    return [...this.#targets.values()].filter((target) => target.provider.name === provider);
  }

  /** Forgets the oldest target with nothing worth remembering, or else the oldest. */
  #evict(): void {
    for (const [id, target] of this.#targets) {
      if (target.breaker.state !== 'closed' || target.cooldown) continue;
      this.#targets.delete(id);
      return;
    }
    const oldest = this.#targets.keys().next().value;
    if (oldest !== undefined) this.#targets.delete(oldest);
  }
}
