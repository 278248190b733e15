import type { CooldownPolicy } from '../../src/pipeline/targets/cooldown.ts';

/** A cooldown as callers see it. */
export interface Held {
  sinceMs: number;
  imposedMs: number;
  untilMs: number;
  toldMs: number;
  times: number;
  trial: boolean;
}

/** Where a call began: its outcome counts only in the same era. */
export interface Place {
  readonly era: number;
  readonly trial: boolean;
}

/** A cooldown as documented. */
export class CooldownModel {
  era = 0;
  /** Kept after it has ended too: failures in a row are still counted. */
  #last: Held | undefined;
  #trial: { place: Place; endsMs: number } | undefined;
  readonly #policy: CooldownPolicy;
  readonly #jitter: number;

  constructor(policy: CooldownPolicy, random: number) {
    this.#policy = policy;
    this.#jitter = 0.8 + 0.4 * random;
  }

  held(nowMs: number): Held | undefined {
    return this.#last && (this.#last.trial || nowMs < this.#last.untilMs) ? this.#last : undefined;
  }

  trying(nowMs: number): boolean {
    return this.#trial !== undefined && nowMs < this.#trial.endsMs;
  }

  readyAt(nowMs: number, again: boolean): number {
    const held = this.held(nowMs);
    if (!held) return 0;
    if (this.trying(nowMs)) {
      const { endsMs } = this.#trial!;
      // A pause that needs no trial ends by itself.
      return held.trial ? endsMs : Math.min(endsMs, held.untilMs);
    }
    return later(again && !held.trial ? held.toldMs : held.untilMs, nowMs);
  }

  lastResortAt(nowMs: number, alone: boolean): number {
    const held = this.held(nowMs);
    if (!held) return 0;
    if (!alone) return later(held.toldMs, nowMs);
    const pauseMs = Math.min(held.untilMs, held.imposedMs + 1_000);
    const otherMs = this.trying(nowMs) ? this.#trial!.endsMs : 0;
    return later(Math.max(held.toldMs, pauseMs, otherMs), nowMs);
  }

  begin(nowMs: number): Place {
    const trial = this.held(nowMs) !== undefined && !this.trying(nowMs);
    const place = { era: this.era, trial };
    if (trial) this.#trial = { place, endsMs: nowMs + this.#policy.max_cooldown };
    return place;
  }

  counts({ era }: Place): boolean {
    return era === this.era;
  }

  succeed(place: Place): void {
    if (this.#last && this.counts(place)) this.lift();
  }

  release(place: Place): void {
    if (place === this.#trial?.place) this.#trial = undefined;
  }

  trip(place: Place, ownMs: number, nowMs: number, after?: Held): void {
    if (!this.counts(place)) return;
    if (this.#last?.trial && !place.trial) return;
    const { cooldown, max_cooldown } = this.#policy;
    let ms = ownMs > 0 ? ownMs : cooldown;
    for (let n = 0; n < ((this.#last ?? after)?.times ?? 0) && ms < max_cooldown && ms > 0; n += 1) ms *= 2;
    const jittered = Math.min(max_cooldown, Math.min(ms, max_cooldown) * this.#jitter);
    const isTrial = place === this.#trial?.place;
    const lastedMs = isTrial ? nowMs - (this.#trial!.endsMs - max_cooldown) : 0;
    const untilMs = nowMs + Math.max(jittered - lastedMs, Math.min(cooldown, jittered));
    this.#impose({ untilMs, toldMs: 0, trial: true }, nowMs, after);
  }

  pause(requestedMs: number | undefined, ruleMs: number, nowMs: number): void {
    const { max_retry_after } = this.#policy;
    const ms = Math.min(requestedMs ?? ruleMs, max_retry_after);
    if (ms <= 0) return;
    const held = this.held(nowMs);
    const told = requestedMs === undefined ? 0 : nowMs + ms;
    this.#impose(
      {
        untilMs: Math.max(nowMs + ms, held?.untilMs ?? 0),
        toldMs: Math.max(told, held?.toldMs ?? 0),
        trial: held?.trial === true || (requestedMs !== undefined && requestedMs > max_retry_after),
      },
      nowMs,
    );
  }

  revive(): void {
    if (this.#last) this.#last = { ...this.#last, untilMs: 0, toldMs: 0 };
  }

  postpone(untilMs: number): void {
    const held = this.#last;
    if (!held?.trial) return;
    this.#last = {
      ...held,
      untilMs: Math.max(held.untilMs, Math.min(untilMs, held.imposedMs + 30_000)),
    };
  }

  lift(): void {
    this.#last = undefined;
    this.#begin();
  }

  #impose(held: Pick<Held, 'untilMs' | 'toldMs' | 'trial'>, nowMs: number, after?: Held): void {
    const { times, sinceMs } = this.#last ?? after ?? { times: 0, sinceMs: nowMs };
    this.#last = { ...held, times: times + 1, sinceMs, imposedMs: nowMs };
    this.#begin();
  }

  #begin(): void {
    this.era += 1;
    this.#trial = undefined;
  }
}

/** A time in the past means now. */
function later(ms: number, nowMs: number): number {
  return ms > nowMs ? ms : 0;
}
