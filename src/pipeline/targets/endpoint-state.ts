import type { ProxyError } from '../../errors.ts';
import type { CooldownPolicy, CooldownTicket, OnHold } from './cooldown.ts';
import type { Caller } from './failing-callers.ts';
import { Cooldown } from './cooldown.ts';

/** The number of different consecutive requests that must be refused before the endpoint is put on hold. */
export const SEVERAL = 3;

/**
 * One endpoint of a target. A refusal that mentions neither the key nor the model may concern the request alone, so it
 * only counts once several different consecutive requests have been refused. If all of them were one caller's, the
 * endpoint is on hold for this caller only, until that many of others are refused as well.
 */
export class EndpointState {
  readonly cooldown: Cooldown;
  /** The requests that were refused since the last success, by fingerprint, and their callers. */
  readonly #refused = new Map<string, Caller>();

  constructor(policy: CooldownPolicy, random: () => number, onHold?: OnHold) {
    this.cooldown = new Cooldown(policy, random, onHold);
  }

  succeed(ticket: CooldownTicket): void {
    this.#refused.clear();
    this.cooldown.succeed(ticket);
  }

  /** @param request.fingerprint the same when a request is repeated, different for different requests */
  refuse(
    ticket: CooldownTicket,
    error: ProxyError,
    nowMs: number,
    { fingerprint, caller = null }: { readonly fingerprint: string; readonly caller?: Caller | undefined },
  ): void {
    this.#refused.set(fingerprint, caller);
    // A refused trial confirms the suspicion.
    if (!ticket.trial && this.#refused.size < SEVERAL) return this.cooldown.release(ticket);
    if (ticket.besideMs === undefined) this.cooldown.trip(ticket, error, nowMs, { only: this.#only() });
    else this.cooldown.widen(ticket);
    this.#refused.clear();
  }

  #only(): string | undefined {
    const [caller, ...others] = new Set(this.#refused.values());
    return others.length === 0 ? (caller ?? undefined) : undefined;
  }
}
