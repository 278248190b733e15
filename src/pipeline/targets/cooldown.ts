import type { ProxyError } from '../../errors.ts';
import type { Caller } from './failing-callers.ts';

/** Why calls are on hold. Times are on the monotonic clock, milliseconds. */
export interface Hold {
  /** The last failure, without secrets. */
  readonly error: ProxyError;
  /** When the first and the last of the consecutive failures occurred. */
  readonly sinceMs: number;
  readonly imposedMs: number;
  /** From when it may be tried. */
  readonly untilMs: number;
  /** Until when the provider itself asked not to be called; 0 if it did not. */
  readonly toldMs: number;
  /** The number of consecutive failures. */
  readonly times: number;
  /** Whether a single call must succeed before others follow; otherwise all may resume when the time is over. */
  readonly trial: boolean;
  /** The caller whose calls alone are on hold, because nobody else's have failed; `undefined` for all callers. */
  readonly only?: string | undefined;
}

export interface CooldownPolicy {
  /** The first cooldown; each failed trial doubles it. */
  readonly cooldown: number;
  readonly max_cooldown: number;
  /** The longest Retry-After of a provider that is respected, milliseconds. */
  readonly max_retry_after: number;
}

/** A call's ticket; its outcome counts only if nothing has changed since it began. */
export interface CooldownTicket {
  readonly generation: number;
  /** Whether this call is a trial. */
  readonly trial: boolean;
  /** When the hold began that is in effect, but does not concern this call. */
  readonly besideMs?: number;
}

/** Called with the hold that is now in effect; with nothing when it is lifted. */
export type OnHold = (now: Hold | undefined, before: Hold | undefined) => void;

/** As a last resort, something on hold is tried again this long after its last failure. */
export const LAST_RESORT_MS = 1_000;

/** The upper bound of the exponential factor: an infinite one would turn a cooldown of 0 into NaN. */
const MAX_DOUBLINGS = 30;

/** How long an unanswered probe may postpone a trial by a caller's request. */
const MAX_POSTPONED_MS = 30_000;

/**
 * Puts something that failed on hold, and lets one call at a time try it when the time is over. A successful trial
 * lifts the hold; a failed one doubles the time, counted from the trial's beginning, up to `max_cooldown`; one that
 * ends without evidence leaves the trial to the next call. A trial without an outcome makes room for another after
 * `max_cooldown`.
 */
export class Cooldown {
  readonly #policy: CooldownPolicy;
  readonly #random: () => number;
  readonly #onHold: OnHold | undefined;
  /** The ticket of calls while nothing is on hold, which is the usual case. */
  #open: CooldownTicket = { generation: 0, trial: false };
  #hold: Hold | undefined;
  /** The pending trial, the latest one if others have taken too long, and when it began. */
  #trial: { readonly ticket: CooldownTicket; readonly beganMs: number } | undefined;

  /** @param random uniform in [0, 1), so that many proxies do not try at the same moment */
  constructor(policy: CooldownPolicy, random: () => number, onHold?: OnHold) {
    this.#policy = policy;
    this.#random = random;
    this.#onHold = onHold;
  }

  /**
   * The hold in effect; if a trial is needed, also after its time is over.
   * @param caller the caller whom it must concern; by default anyone
   */
  hold(nowMs: number, caller?: Caller): Hold | undefined {
    const hold = this.#hold;
    return hold && (hold.trial || hold.untilMs > nowMs) && concerns(hold, caller) ? hold : undefined;
  }

  /** Whether a call is trying it now. */
  trying(nowMs: number): boolean {
    return this.#trialEndsMs > nowMs;
  }

  /**
   * When a call may be made: 0 for now.
   * @param again the request that was just refused retries after its own backoff: without a trial to make, only a time
   *   that the provider named keeps it back
   */
  readyAt(nowMs: number, again = false, caller?: Caller): number {
    const hold = this.hold(nowMs, caller);
    if (!hold) return 0;
    // A pause that needs no trial ends by itself, whatever happens to calls made before its end.
    if (this.trying(nowMs)) return hold.trial ? this.#trialEndsMs : Math.min(hold.untilMs, this.#trialEndsMs);
    const untilMs = again && !hold.trial ? hold.toldMs : hold.untilMs;
    return untilMs > nowMs ? untilMs : 0;
  }

  /**
   * The same when there is no better choice. A time that the provider named is respected.
   * @param alone one call at a time, and not directly after the last failure
   */
  lastResortAt(nowMs: number, alone: boolean, caller?: Caller): number {
    const hold = this.hold(nowMs, caller);
    if (!hold) return 0;
    const freeMs = alone ? Math.min(hold.untilMs, hold.imposedMs + LAST_RESORT_MS) : 0;
    const trialMs = alone && this.trying(nowMs) ? this.#trialEndsMs : 0;
    const atMs = Math.max(hold.toldMs, freeMs, trialMs);
    return atMs > nowMs ? atMs : 0;
  }

  begin(nowMs: number, caller?: Caller): CooldownTicket {
    const hold = this.hold(nowMs);
    if (hold && !concerns(hold, caller)) return { ...this.#open, besideMs: hold.sinceMs };
    if (!hold || this.trying(nowMs)) return this.#open;
    const ticket = { ...this.#open, trial: true };
    this.#trial = { ticket, beganMs: nowMs };
    return ticket;
  }

  /** The call's answer has begun, which suffices for a trial. @returns the ticket for the rest of the call */
  opened(ticket: CooldownTicket, nowMs: number): CooldownTicket {
    if (!this.#hold || !this.counts(ticket) || ticket.besideMs !== undefined) return ticket;
    this.lift();
    return this.begin(nowMs);
  }

  succeed(ticket: CooldownTicket): void {
    if (this.#hold && this.counts(ticket) && ticket.besideMs === undefined) this.lift();
  }

  /** A call of another caller than the one on hold has failed as well: from now on it concerns everybody. */
  widen({ besideMs }: CooldownTicket): void {
    const hold = this.#hold;
    if (hold?.only === undefined || hold.sinceMs !== besideMs) return;
    this.#hold = { ...hold, only: undefined };
    this.#onHold?.(this.#hold, undefined);
  }

  /** The call ended without evidence: the next one may be the trial. */
  release(ticket: CooldownTicket): void {
    if (ticket === this.#trial?.ticket) this.#trial = undefined;
  }

  /** Whether nothing has changed since the call began. */
  counts({ generation }: CooldownTicket): boolean {
    return generation === this.#open.generation;
  }

  /**
   * Starts a cooldown that a trial must end. One in effect is only prolonged by a trial.
   * @param more.after the earlier cooldown that this one continues
   * @param more.only the caller whom alone it concerns
   */
  trip(
    ticket: CooldownTicket,
    error: ProxyError,
    nowMs: number,
    { after, only }: { readonly after?: Hold | undefined; readonly only?: string | undefined } = {},
  ): void {
    if (!this.counts(ticket) || (this.#hold?.trial && !ticket.trial)) return;
    const { cooldown, max_cooldown: max } = this.#policy;
    const { times, sinceMs } = this.#before(nowMs, after);
    const grownMs = Math.min(
      max,
      (error.rule.cooldownMs || cooldown) * 2 ** Math.min(times - 1, MAX_DOUBLINGS),
    );
    const ms = Math.min(max, grownMs * (0.8 + 0.4 * this.#random()));
    // A slow failing trial has kept calls back meanwhile.
    const beganMs = this.#trial?.ticket === ticket ? this.#trial.beganMs : nowMs;
    const untilMs = Math.max(nowMs + Math.min(cooldown, ms), beganMs + ms);
    this.#turnTo({
      error: error.brief(),
      sinceMs,
      imposedMs: nowMs,
      untilMs,
      toldMs: 0,
      times,
      trial: true,
      only: this.#hold ? this.#hold.only : only,
    });
  }

  /**
   * Starts a cooldown that is not a failure, for as long as the provider asks or otherwise the rule says. A later
   * statement never shortens an earlier one. If the time exceeds `max_retry_after`, one call tries it after that.
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

  /** The next call may be the trial. */
  revive(): void {
    if (this.#hold) this.#hold = { ...this.#hold, untilMs: 0, toldMs: 0 };
  }

  /** A probe found that a trial would fail: it is postponed, but not long after the last one. */
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

function concerns({ only }: Hold, caller: Caller | undefined): boolean {
  return only === undefined || caller === undefined || caller === only;
}
