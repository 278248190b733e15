import type { ProxyError } from '../../errors.ts';
import type { CooldownPolicy, CooldownTicket, Hold, OnHold } from './cooldown.ts';
import type { Caller } from './failing-callers.ts';
import { Cooldown } from './cooldown.ts';
import { FailingCallers } from './failing-callers.ts';
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
 * reopens it for longer. A third outcome, neither success nor failure, is for calls whose end is no evidence. If all
 * failures were one caller's, it opens for this caller only, until a call of another one fails as well.
 */
export class Breaker {
  readonly cooldown: Cooldown;
  readonly #policy: BreakerPolicy;
  readonly #counts: RollingCounts;
  readonly #failing: FailingCallers;
  #failures = 0;
  /** The state that was lifted when an answer began, until an answer is complete. */
  #probation: Hold | undefined;

  /** @param random uniform in [0, 1) */
  constructor(policy: BreakerPolicy, random: () => number, onHold?: OnHold) {
    this.#policy = policy;
    this.cooldown = new Cooldown(policy, random, onHold);
    this.#counts = new RollingCounts(policy);
    this.#failing = new FailingCallers(policy.window);
  }

  state(nowMs: number): 'closed' | 'open' | 'half_open' {
    if (!this.cooldown.hold(nowMs)) return 'closed';
    return this.cooldown.trying(nowMs) ? 'half_open' : 'open';
  }

  /** Takes a ticket. After a cooldown this is the trial. */
  begin(nowMs: number, caller?: Caller): CooldownTicket {
    return this.cooldown.begin(nowMs, caller);
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

  success(ticket: CooldownTicket, nowMs: number, caller: Caller = null): void {
    // The outcome of a call from before the last transition is no evidence about the present, and that of another
    // caller none about the requests of the one on hold.
    if (!this.cooldown.counts(ticket) || ticket.besideMs !== undefined) return;
    if (this.cooldown.hold(nowMs)) {
      this.cooldown.lift();
      return this.#forget();
    }
    this.#failures = 0;
    if (this.#onProbation(caller)) this.#probation = undefined;
    this.#failing.answered(caller);
    this.#counts.add(nowMs, false);
  }

  failure(ticket: CooldownTicket, error: ProxyError, nowMs: number, caller: Caller = null): void {
    if (ticket.besideMs !== undefined) return this.cooldown.widen(ticket);
    if (!this.cooldown.counts(ticket)) return;
    if (this.cooldown.hold(nowMs)) return this.cooldown.trip(ticket, error, nowMs);
    this.#failures += 1;
    this.#counts.add(nowMs, true);
    this.#failing.failed(caller, nowMs);
    const after = this.#onProbation(caller) ? this.#probation : undefined;
    if (!after && this.#failures < this.#policy.failures && !this.#tooMany(nowMs)) return;
    const only = after ? after.only : this.#failing.only(nowMs);
    this.cooldown.trip(ticket, error, nowMs, { after, only });
    this.#forget();
  }

  /** Opens at once, on evidence from outside the calls. If it is already open, nothing changes. */
  open(error: ProxyError, nowMs: number): void {
    const hold = this.cooldown.hold(nowMs);
    if (hold?.only !== undefined) this.cooldown.lift();
    if (!hold || hold.only !== undefined) this.cooldown.trip(this.cooldown.begin(nowMs), error, nowMs);
  }

  /** The call ended without evidence, for example because the client disconnected. */
  neutral(ticket: CooldownTicket): void {
    this.cooldown.release(ticket);
  }

  #onProbation(caller: Caller): boolean {
    const only = this.#probation?.only;
    return only === undefined || only === caller;
  }

  #tooMany(nowMs: number): boolean {
    const { calls, failures } = this.#counts.sum(nowMs);
    return calls >= this.#policy.min_calls && failures >= calls * this.#policy.failure_rate;
  }

  #forget(): void {
    this.#failures = 0;
    this.#probation = undefined;
    this.#failing.clear();
    this.#counts.clear();
  }
}
