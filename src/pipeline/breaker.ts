import type { ProxyError } from '../errors.ts';
import type { CooldownPolicy, CooldownTicket, Hold, OnHold } from './cooldown.ts';
import { Cooldown } from './cooldown.ts';
import { RollingCounts } from './rolling.ts';

export interface BreakerPolicy extends CooldownPolicy {
  /** The number of consecutive failures that opens it. */
  readonly failures: number;
  /** The share of failed calls in the window that opens it, from 0 to 1. */
  readonly failure_rate: number;
  /** The number of calls in the window from which the share counts. */
  readonly min_calls: number;
  /** The length of the window, milliseconds. */
  readonly window: number;
}

/**
 * A circuit breaker. When closed, it counts failures: consecutive ones, and their share in a rolling window. When open,
 * it is a {@link Cooldown}. A trial whose answer has begun closes it, but until an answer is complete the next failure
 * reopens it for longer. A third outcome, neither success nor failure, is for calls whose end is no evidence.
 */
export class Breaker {
  readonly cooldown: Cooldown;
  readonly #policy: BreakerPolicy;
  readonly #counts: RollingCounts;
  #failures = 0;
  /** The state that was lifted when an answer began, until an answer is complete. */
  #probation: Hold | undefined;

  /** @param random uniform in [0, 1) */
  constructor(policy: BreakerPolicy, random: () => number, onHold?: OnHold) {
    this.#policy = policy;
    this.cooldown = new Cooldown(policy, random, onHold);
    this.#counts = new RollingCounts(policy);
  }

  state(nowMs: number): 'closed' | 'open' | 'half_open' {
    if (!this.cooldown.hold(nowMs)) return 'closed';
    return this.cooldown.trying(nowMs) ? 'half_open' : 'open';
  }

  /** Takes a ticket. After a cooldown this is the trial. */
  begin(nowMs: number): CooldownTicket {
    return this.cooldown.begin(nowMs);
  }

  /** The call's answer has begun. @returns the ticket for the rest of the call */
  opened(ticket: CooldownTicket, nowMs: number): CooldownTicket {
    const hold = this.cooldown.hold(nowMs);
    const rest = this.cooldown.opened(ticket, nowMs);
    if (rest === ticket) return ticket;
    this.#forget();
    this.#probation = hold;
    return rest;
  }

  success(ticket: CooldownTicket, nowMs: number): void {
    // The outcome of a call from before the last transition is no evidence about the present.
    if (!this.cooldown.counts(ticket)) return;
    if (this.cooldown.hold(nowMs)) {
      this.cooldown.lift();
      return this.#forget();
    }
    this.#failures = 0;
    this.#probation = undefined;
    this.#counts.add(nowMs, false);
  }

  failure(ticket: CooldownTicket, error: ProxyError, nowMs: number): void {
    if (!this.cooldown.counts(ticket)) return;
    if (this.cooldown.hold(nowMs)) return this.cooldown.trip(ticket, error, nowMs);
    this.#failures += 1;
    this.#counts.add(nowMs, true);
    const enough = this.#probation ?? (this.#failures >= this.#policy.failures || this.#tooMany(nowMs));
    if (!enough) return;
    this.cooldown.trip(ticket, error, nowMs, this.#probation);
    this.#forget();
  }

  /** Opens at once, on evidence from outside the calls. If it is already open, nothing changes. */
  open(error: ProxyError, nowMs: number): void {
    if (!this.cooldown.hold(nowMs)) this.cooldown.trip(this.cooldown.begin(nowMs), error, nowMs);
  }

  /** The call ended without evidence, for example because the client disconnected. */
  neutral(ticket: CooldownTicket): void {
    this.cooldown.release(ticket);
  }

  #tooMany(nowMs: number): boolean {
    const { calls, failures } = this.#counts.sum(nowMs);
    return calls >= this.#policy.min_calls && failures >= calls * this.#policy.failure_rate;
  }

  #forget(): void {
    this.#failures = 0;
    this.#probation = undefined;
    this.#counts.clear();
  }
}
