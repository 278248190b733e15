import type { ProxyError } from '../errors.ts';

/** Why calls are held back. Times are on the monotonic clock, milliseconds. */
export interface Hold {
  /** The last failure, without secrets. */
  readonly error: ProxyError;
  /** When the first of the failures in a row happened, and the last. */
  readonly sinceMs: number;
  readonly imposedMs: number;
  /** From when on it may be tried. */
  readonly untilMs: number;
  /** Until when the provider itself asked not to be called; 0 where it did not. */
  readonly toldMs: number;
  /** How often in a row. */
  readonly times: number;
  /** Whether a single call must succeed before others follow; else all may come when the time is over. */
  readonly trial: boolean;
}

export interface CooldownPolicy {
  /** The first cooldown; each failed trial doubles it. */
  readonly cooldown: number;
  readonly max_cooldown: number;
  /** How long a provider's own Retry-After is believed, milliseconds. */
  readonly max_retry_after: number;
}

/** A call's place; its outcome counts only when nothing has changed since it began. */
export interface CooldownTicket {
  readonly generation: number;
  /** Whether this call tries what is held back. */
  readonly trial: boolean;
}

/** Told of what holds calls back from now on; nothing when it is lifted. */
export type OnHold = (now: Hold | undefined, before: Hold | undefined) => void;

/** As a last resort something that is held back is tried again this long after its last failure. */
export const LAST_RESORT_MS = 1_000;

/** More than that no cooldown grows: an infinite factor would make no number of a cooldown of 0. */
const MAX_DOUBLINGS = 30;

/** How long a probe that gets no answer may put off a trial by a caller's request. */
const MAX_POSTPONED_MS = 30_000;

/**
 * Holds calls back from something that failed, and lets one call at a time try it when the time is over. A trial
 * that succeeds lifts the hold; one that fails doubles the time from its begin, up to `max_cooldown`; one that ends without a
 * verdict leaves the next call to try. A trial without an outcome makes room for another after `max_cooldown`.
 */
export class Cooldown {
  readonly #policy: CooldownPolicy;
  readonly #random: () => number;
  readonly #onHold: OnHold | undefined;
  /** What calls get while nothing is held back: most of them. */
  #open: CooldownTicket = { generation: 0, trial: false };
  #hold: Hold | undefined;
  /** The trial that is still out, the last one where others have taken too long, and when it began. */
  #trial: { readonly ticket: CooldownTicket; readonly beganMs: number } | undefined;

  /** @param random uniform in [0, 1), so that many proxies do not try at the same moment */
  constructor(policy: CooldownPolicy, random: () => number, onHold?: OnHold) {
    this.#policy = policy;
    this.#random = random;
    this.#onHold = onHold;
  }

  /** What holds calls back; where a trial is wanted, also when its time is over. */
  hold(nowMs: number): Hold | undefined {
    const hold = this.#hold;
    return hold && (hold.trial || hold.untilMs > nowMs) ? hold : undefined;
  }

  /** Whether a call is trying it now. */
  trying(nowMs: number): boolean {
    return this.#trialEndsMs > nowMs;
  }

  /**
   * When a call may pass: 0 for now.
   * @param again the request that was just refused asks once more after its own backoff: without a trial to
   * make, only a time that the provider named holds it back
   */
  readyAt(nowMs: number, again = false): number {
    const hold = this.hold(nowMs);
    if (!hold) return 0;
    // A pause that needs no trial ends by itself, whatever becomes of the call that went before its end.
    if (this.trying(nowMs)) return hold.trial ? this.#trialEndsMs : Math.min(hold.untilMs, this.#trialEndsMs);
    const untilMs = again && !hold.trial ? hold.toldMs : hold.untilMs;
    return untilMs > nowMs ? untilMs : 0;
  }

  /**
   * The same when there is nothing better to ask. A time that the provider named is kept.
   * @param alone one call at a time, and not at once after the last failure
   */
  lastResortAt(nowMs: number, alone: boolean): number {
    const hold = this.hold(nowMs);
    if (!hold) return 0;
    const freeMs = alone ? Math.min(hold.untilMs, hold.imposedMs + LAST_RESORT_MS) : 0;
    const trialMs = alone && this.trying(nowMs) ? this.#trialEndsMs : 0;
    const atMs = Math.max(hold.toldMs, freeMs, trialMs);
    return atMs > nowMs ? atMs : 0;
  }

  begin(nowMs: number): CooldownTicket {
    if (!this.hold(nowMs) || this.trying(nowMs)) return this.#open;
    const ticket = { ...this.#open, trial: true };
    this.#trial = { ticket, beganMs: nowMs };
    return ticket;
  }

  /** The call's answer has begun, which is enough for a trial. @returns the ticket for the rest of the call */
  opened(ticket: CooldownTicket, nowMs: number): CooldownTicket {
    if (!this.#hold || !this.counts(ticket)) return ticket;
    this.lift();
    return this.begin(nowMs);
  }

  succeed(ticket: CooldownTicket): void {
    if (this.#hold && this.counts(ticket)) this.lift();
  }

  /** The call ended without a verdict: the next one may try. */
  release(ticket: CooldownTicket): void {
    if (ticket === this.#trial?.ticket) this.#trial = undefined;
  }

  /** Whether nothing has changed since the call began. */
  counts({ generation }: CooldownTicket): boolean {
    return generation === this.#open.generation;
  }

  /**
   * Starts a cooldown that a trial must end. One that is running is prolonged only by a trial.
   * @param after an earlier one that this one goes on from
   */
  trip(ticket: CooldownTicket, error: ProxyError, nowMs: number, after?: Hold): void {
    if (!this.counts(ticket) || (this.#hold?.trial && !ticket.trial)) return;
    const { cooldown, max_cooldown: max } = this.#policy;
    const { times, sinceMs } = this.#before(nowMs, after);
    const grownMs = Math.min(
      max,
      (error.rule.cooldownMs || cooldown) * 2 ** Math.min(times - 1, MAX_DOUBLINGS),
    );
    const ms = Math.min(max, grownMs * (0.8 + 0.4 * this.#random()));
    // A trial that was long in failing has held calls back meanwhile.
    const beganMs = this.#trial?.ticket === ticket ? this.#trial.beganMs : nowMs;
    const untilMs = Math.max(nowMs + Math.min(cooldown, ms), beganMs + ms);
    this.#turnTo({ error: error.brief(), sinceMs, imposedMs: nowMs, untilMs, toldMs: 0, times, trial: true });
  }

  /**
   * Starts a cooldown without blame, for as long as the provider asks or else the rule says. A later word never
   * shortens an earlier one. A longer time than `max_retry_after` is tried after that by one call.
   */
  pause(error: ProxyError, nowMs: number): void {
    const { rule, retryAfterMs } = error;
    const ms = Math.min(retryAfterMs ?? rule.cooldownMs, this.#policy.max_retry_after);
    if (ms <= 0) return;
    const known = this.hold(nowMs);
    const { times, sinceMs } = this.#before(nowMs);
    this.#turnTo({
      error: error.brief(),
      sinceMs,
      imposedMs: nowMs,
      untilMs: Math.max(known?.untilMs ?? 0, nowMs + ms),
      toldMs: Math.max(known?.toldMs ?? 0, retryAfterMs === undefined ? 0 : nowMs + ms),
      times,
      trial: (known?.trial ?? false) || (retryAfterMs ?? 0) > this.#policy.max_retry_after,
    });
  }

  /** The next call may try it. */
  revive(): void {
    if (this.#hold) this.#hold = { ...this.#hold, untilMs: 0, toldMs: 0 };
  }

  /** A probe found that a trial would fail: it is put off, but not for long after the last one. */
  postpone(untilMs: number): void {
    const hold = this.#hold;
    if (!hold?.trial) return;
    const latestMs = Math.min(untilMs, hold.imposedMs + MAX_POSTPONED_MS);
    if (latestMs > hold.untilMs) this.#hold = { ...hold, untilMs: latestMs };
  }

  lift(): void {
    this.#turnTo(undefined);
  }

  get #trialEndsMs(): number {
    return this.#trial ? this.#trial.beganMs + this.#policy.max_cooldown : -Infinity;
  }

  #before(nowMs: number, after?: Hold): { times: number; sinceMs: number } {
    const known = this.#hold ?? after;
    return known ? { times: known.times + 1, sinceMs: known.sinceMs } : { times: 1, sinceMs: nowMs };
  }

  #turnTo(hold: Hold | undefined): void {
    const before = this.#hold;
    this.#hold = hold;
    this.#trial = undefined;
    this.#open = { generation: this.#open.generation + 1, trial: false };
    this.#onHold?.(hold, before);
  }
}
