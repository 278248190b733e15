import type { ProxyError } from '../../errors.ts';
import type { ReportedLimit } from '../../wire/rate-limits.ts';
import type { CooldownPolicy, CooldownTicket, OnHold } from './cooldown.ts';
import type { ProviderState } from './provider-state.ts';
import type { Call } from './target.ts';
import type { Sent } from './reported-limits.ts';
import { Cooldown, LAST_RESORT_MS } from './cooldown.ts';
import { ReportedLimits } from './reported-limits.ts';

/** A call's ticket for one of the provider's keys. */
export interface KeyTicket {
  /** The index of the key. */
  readonly key: number;
  /** The keys it was drawn from: after a reload its end says nothing about the new ones. */
  readonly keys: ProviderState['keys'];
  readonly refusal: CooldownTicket;
  readonly limit: CooldownTicket;
  readonly sent: Sent;
}

/** Why one key is on hold. */
interface HeldKey {
  /** Rejected, for all models. */
  readonly refusal: Cooldown;
  /** Rate limited, for this model. */
  readonly limit: Cooldown;
  /** Its limits as reported in responses. */
  readonly reported: ReportedLimits;
}

/**
 * The provider's keys as used by one of its models: a key that the provider rejects is on hold for all models, a rate
 * limit applies to this model only.
 */
export class TargetKeys {
  readonly #state: ProviderState;
  readonly #policy: CooldownPolicy;
  readonly #random: () => number;
  readonly #onLimit: ((key: number, keys: number) => OnHold) | undefined;
  #keys: ProviderState['keys'] = [];
  #held: readonly HeldKey[] = [];

  /** @param onLimit creates the listener of a key's limit, given the index of the key and the number of keys */
  constructor(
    state: ProviderState,
    policy: CooldownPolicy,
    random: () => number,
    onLimit?: (key: number, keys: number) => OnHold,
  ) {
    this.#state = state;
    this.#policy = policy;
    this.#random = random;
    this.#onLimit = onLimit;
  }

  /** When the first of them may be used, on the monotonic clock: 0 for now. @param again as in `Cooldown` */
  readyAt(call: Call, nowMs: number, again: boolean): number {
    return this.#first((key) => this.#readyAt(key, call, nowMs, again));
  }

  /**
   * @param alone as in `Cooldown`, but a second after the last of them was rejected: many keys are no reason to try
   * more often
   */
  lastResortAt(call: Call, nowMs: number, alone: boolean): number {
    const soonestMs = this.#first((key) => this.#lastResortAt(key, call, nowMs, alone));
    if (!alone || this.readyAt(call, nowMs, false) <= nowMs) return soonestMs;
    const refusedMs = this.#state.keys.map((cooldown) => cooldown.hold(nowMs)?.imposedMs ?? -Infinity);
    const pausedMs = Math.max(...refusedMs) + LAST_RESORT_MS;
    return pausedMs > nowMs ? Math.max(soonestMs, pausedMs) : soonestMs;
  }

  /**
   * Takes a ticket for the next key in turn that is ready, or is only paused by our own decision, or may be tried as a
   * last resort: a time that the provider named for a key is respected while another key may be used.
   */
  begin(call: Call, nowMs: number): KeyTicket {
    const key = this.#choose(call, nowMs);
    const { refusal, limit, reported } = this.#of(key);
    return {
      key,
      keys: this.#state.keys,
      refusal: refusal.begin(nowMs),
      limit: limit.begin(nowMs),
      sent: reported.send(nowMs),
    };
  }

  /** A response reported the limits of its key. */
  learn({ key, keys, sent }: KeyTicket, limits: readonly ReportedLimit[], nowMs: number): void {
    if (keys === this.#state.keys)
      this.#of(key).reported.learn(limits, sent, nowMs, this.#policy.max_retry_after);
  }

  succeed({ key, keys, refusal, limit }: KeyTicket): void {
    if (keys !== this.#state.keys) return;
    const { refusal: refusals, limit: limits } = this.#of(key);
    refusals.succeed(refusal);
    limits.succeed(limit);
  }

  fail(ticket: KeyTicket, error: ProxyError, nowMs: number): void {
    const { blames, health } = error.rule;
    if (blames !== 'key') return this.release(ticket);
    const { key, keys, refusal, limit } = ticket;
    if (keys !== this.#state.keys) return;
    const { refusal: refusals, limit: limits } = this.#of(key);
    limits.release(limit);
    if (health === 'down') return refusals.trip(refusal, error, nowMs);
    refusals.release(refusal);
    limits.pause(error, nowMs);
  }

  /** The call ended without evidence about the key. */
  release({ key, keys, refusal, limit }: KeyTicket): void {
    if (keys !== this.#state.keys) return;
    const { refusal: refusals, limit: limits } = this.#of(key);
    refusals.release(refusal);
    limits.release(limit);
  }

  /** The holds by key: rejections, then limits of this model. */
  *cooldowns(): Generator<HeldKey & { readonly key: number }> {
    for (const key of this.#state.keys.keys()) yield { key, ...this.#of(key) };
  }

  #of(key: number): HeldKey {
    const { keys } = this.#state;
    if (this.#keys !== keys) {
      this.#keys = keys;
      this.#held = keys.map((refusal, key) => ({
        refusal,
        limit: new Cooldown(this.#policy, this.#random, this.#onLimit?.(key, keys.length)),
        reported: new ReportedLimits(),
      }));
    }
    return this.#held[key]!;
  }

  #readyAt(key: number, call: Call, nowMs: number, again: boolean): number {
    const { refusal, limit, reported } = this.#of(key);
    return Math.max(refusal.readyAt(nowMs), limit.readyAt(nowMs, again), reported.readyAt(call, nowMs));
  }

  /** A time named by the provider is kept, as a limit or as a Retry-After. */
  #lastResortAt(key: number, call: Call, nowMs: number, alone: boolean): number {
    const { refusal, limit, reported } = this.#of(key);
    return Math.max(
      refusal.lastResortAt(nowMs, alone),
      limit.lastResortAt(nowMs, alone),
      reported.readyAt(call, nowMs),
    );
  }

  #first(at: (key: number) => number): number {
    const count = this.#state.keys.length;
    let soonest = Infinity;
    for (let key = 0; key < count; key += 1) soonest = Math.min(soonest, at(key));
    return soonest;
  }

  #choose(call: Call, nowMs: number): number {
    if (this.#state.keys.length === 1) return 0;
    const turns = [...this.#state.turns()];
    const at = (key: number) => this.#readyAt(key, call, nowMs, false);
    return (
      turns.find((key) => at(key) <= nowMs) ??
      turns.find((key) => this.#readyAt(key, call, nowMs, true) <= nowMs) ??
      turns.find((key) => this.#lastResortAt(key, call, nowMs, true) <= nowMs) ??
      turns.find((key) => this.#lastResortAt(key, call, nowMs, false) <= nowMs) ??
      turns.reduce((best, key) => (at(key) < at(best) ? key : best))
    );
  }
}
