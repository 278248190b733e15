import type { ProxyError } from '../errors.ts';
import type { CooldownPolicy, CooldownTicket, OnHold } from './cooldown.ts';
import { Cooldown } from './cooldown.ts';

/** The number of different consecutive requests that must be refused before the endpoint is put on hold. */
export const SEVERAL = 3;

/**
 * One endpoint of a target. A refusal that mentions neither the key nor the model may concern the request alone, so it
 * only counts once several different consecutive requests have been refused.
 */
export class EndpointState {
  readonly cooldown: Cooldown;
  /** Fingerprints of the requests that were refused since the last success. */
  readonly #refused = new Set<string>();

  constructor(policy: CooldownPolicy, random: () => number, onHold?: OnHold) {
    this.cooldown = new Cooldown(policy, random, onHold);
  }

  succeed(ticket: CooldownTicket): void {
    this.#refused.clear();
    this.cooldown.succeed(ticket);
  }

  /** @param fingerprint the same when a request is repeated, different for different requests */
  refuse(ticket: CooldownTicket, error: ProxyError, nowMs: number, fingerprint: string): void {
    this.#refused.add(fingerprint);
    // A refused trial confirms the suspicion.
    if (!ticket.trial && this.#refused.size < SEVERAL) return this.cooldown.release(ticket);
    this.cooldown.trip(ticket, error, nowMs);
    this.#refused.clear();
  }
}
