import type { ProxyError } from '../errors.ts';
import type { CooldownPolicy, CooldownTicket, OnHold } from './cooldown.ts';
import { Cooldown } from './cooldown.ts';

/** Different requests in a row that must be refused before the endpoint is held back. */
export const SEVERAL = 3;

/**
 * One endpoint of a target. A refusal that names neither the key nor the model may be about the request alone, so
 * it counts only once several different requests in a row have met one.
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

  /** @param fingerprint the same for a request that is sent again, different for different requests */
  refuse(ticket: CooldownTicket, error: ProxyError, nowMs: number, fingerprint: string): void {
    this.#refused.add(fingerprint);
    // A trial that is refused has confirmed what was suspected.
    if (!ticket.trial && this.#refused.size < SEVERAL) return this.cooldown.release(ticket);
    this.cooldown.trip(ticket, error, nowMs);
    this.#refused.clear();
  }
}
