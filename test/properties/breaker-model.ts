import type { BreakerPolicy } from '../../src/pipeline/targets/breaker.ts';
import type { Held, Place } from './cooldown-model.ts';
import { CooldownModel } from './cooldown-model.ts';

export const WINDOW_MS = 12_000;
/** The window moves in steps of a twelfth of its length. */
const SLOT_MS = WINDOW_MS / 12;

/** The breaker as documented: it counts while it is closed, and is on cooldown while it is open. */
export class Model {
  readonly cooldown: CooldownModel;
  readonly #policy: BreakerPolicy;
  #calls: { atMs: number; failed: boolean }[] = [];
  /** The cooldown that it was open for, from the beginning of an answer until one is complete. */
  #probation: Held | undefined;

  constructor(policy: BreakerPolicy, random: number) {
    this.#policy = policy;
    this.cooldown = new CooldownModel(policy, random);
  }

  state(nowMs: number): 'closed' | 'open' | 'half_open' {
    if (!this.cooldown.held(nowMs)) return 'closed';
    return this.cooldown.trying(nowMs) ? 'half_open' : 'open';
  }

  begin(nowMs: number): Place {
    return this.cooldown.begin(nowMs);
  }

  /** @returns the place at which the rest of the call counts */
  opened(place: Place, nowMs: number): Place {
    const held = this.cooldown.held(nowMs);
    if (!this.cooldown.counts(place) || !held) return place;
    this.#close();
    this.#probation = held;
    return this.begin(nowMs);
  }

  success(place: Place, nowMs: number): void {
    if (!this.cooldown.counts(place)) return;
    if (this.cooldown.held(nowMs)) this.#close();
    else {
      this.#calls.push({ atMs: nowMs, failed: false });
      this.#probation = undefined;
    }
  }

  failure(place: Place, nowMs: number): void {
    if (!this.cooldown.counts(place)) return;
    if (!this.cooldown.held(nowMs)) {
      this.#calls.push({ atMs: nowMs, failed: true });
      if (!this.#probation && !this.#inARow() && !this.#tooLargeAShare(nowMs)) return;
      this.#calls = [];
    }
    this.cooldown.trip(place, 0, nowMs, this.#probation);
    this.#probation = undefined;
  }

  neutral(place: Place): void {
    this.cooldown.release(place);
  }

  open(nowMs: number): void {
    if (!this.cooldown.held(nowMs)) this.cooldown.trip(this.begin(nowMs), 0, nowMs);
  }

  #close(): void {
    this.cooldown.lift();
    this.#calls = [];
    this.#probation = undefined;
  }

  #inARow(): boolean {
    const last = this.#calls.slice(-this.#policy.failures);
    return last.length === this.#policy.failures && last.every(({ failed }) => failed);
  }

  #tooLargeAShare(nowMs: number): boolean {
    const slot = (ms: number) => Math.floor(ms / SLOT_MS);
    const recent = this.#calls.filter(({ atMs }) => slot(atMs) > slot(nowMs) - WINDOW_MS / SLOT_MS);
    const failed = recent.filter((call) => call.failed).length;
    return recent.length >= this.#policy.min_calls && failed / recent.length >= this.#policy.failure_rate;
  }
}
