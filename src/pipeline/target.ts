import type { Fault } from '../errors.ts';
import type { BaseProvider } from '../providers/base.ts';
import type { Breaker, BreakerTicket } from './breaker.ts';
import type { HealthWindow } from './health.ts';
import type { ProviderState } from './provider-state.ts';
import { ProxyError } from '../errors.ts';
import { Samples } from './samples.ts';

/** A call's place at a target; settled exactly once. */
export interface Ticket {
  breaker: BreakerTicket;
  /** Which of the provider's keys it uses. */
  readonly key: number;
  /** The keys it was drawn from: of those that a reload replaced, its end says nothing about the present ones. */
  readonly keys: ProviderState['downs'];
  settled: boolean;
}

/** A time of rest, on the monotonic clock. */
export interface Rest {
  readonly fault: Fault;
  readonly message: string;
  readonly untilMs: number;
  /** Until when the provider itself asked for it; 0 when it did not. */
  readonly toldMs: number;
}

/** Why a target may not be asked now. */
export interface Blocked {
  readonly reason: string;
  /** On the monotonic clock; `Infinity` when nobody knows. */
  readonly untilMs: number;
}

/** A provider and one of its models: what a request is sent to, and what is known about it. */
export class Target {
  /** "provider/model" */
  readonly id: string;
  readonly model: string;
  readonly state: ProviderState;
  readonly breaker: Breaker;
  readonly health: HealthWindow;
  /** Milliseconds from sending to the first content of a stream. */
  readonly firstContent = new Samples();
  provider: BaseProvider;
  /** Said by the target itself: it cannot go on from a beginning of its answer. */
  refusesPrefill = false;
  #rest: Rest | undefined;
  /** By key. */
  readonly #keyRests: (Rest | undefined)[] = [];

  constructor(provider: BaseProvider, model: string, state: ProviderState, parts: Parts) {
    this.id = `${provider.name}/${model}`;
    this.provider = provider;
    this.model = model;
    this.state = state;
    this.breaker = parts.breaker;
    this.health = parts.health;
  }

  /**
   * When it may be asked, on the monotonic clock: 0 for now, `Infinity` while a breaker's trial is out.
   * @param again the request that was just refused here asks once more after its own backoff: only a rest
   * that the provider itself asked for holds it back
   */
  readyAt(nowMs: number, again = false): number {
    const rest = restingUntil(this.#rest, nowMs, again);
    return Math.max(rest, this.breaker.readyAt(nowMs), this.state.readyAt(nowMs), this.#keyAt(nowMs, again));
  }

  /** The same for a last resort: rests that nobody asked for, and the breaker, are passed over. */
  lastResortAt(nowMs: number): number {
    return Math.max(
      restingUntil(this.#rest, nowMs, true),
      this.state.readyAt(nowMs),
      this.#keyAt(nowMs, true),
    );
  }

  /** Takes a place with the key whose turn it is: one that is ready, or rests by our own will alone, or the soonest. */
  begin(nowMs: number): Ticket {
    const key = this.#chooseKey(nowMs);
    this.state.begin(key, nowMs);
    return { breaker: this.breaker.begin(), key, keys: this.state.downs, settled: false };
  }

  /** The answer has begun. @param tookMs from sending to the first content, where it is a stream */
  opened(ticket: Ticket, nowMs: number, tookMs: number | undefined): void {
    ticket.breaker = this.breaker.opened(ticket.breaker, nowMs);
    if (tookMs !== undefined) this.firstContent.add(tookMs);
  }

  /** The call was answered in full. */
  succeed(ticket: Ticket, nowMs: number, latencyMs: number): void {
    if (!this.#settle(ticket)) return;
    this.breaker.success(ticket.breaker, nowMs);
    this.health.success(nowMs, latencyMs);
    this.state.health.success(nowMs, latencyMs);
    if (ticket.keys === this.state.downs) this.state.accept(ticket.key);
  }

  /** The call failed; what that says about the target follows from the rules table. */
  fail(ticket: Ticket, error: ProxyError, nowMs: number, epochMs: number): void {
    if (!this.#settle(ticket)) return;
    const { health } = error.rule;
    if (health === 'failure') this.breaker.failure(ticket.breaker, nowMs);
    else this.breaker.neutral(ticket.breaker, nowMs);
    if (health === 'failure' || health === 'down') {
      const last = { fault: error.fault, message: error.message, atMs: epochMs };
      this.health.failure(nowMs, last);
      this.state.health.failure(nowMs, last);
    }
    const known = ticket.keys === this.state.downs;
    if (health === 'down' && known) this.state.refuse(ticket.key, error, nowMs);
    const rest = restFor(error, nowMs);
    if (!rest || (health === 'busy' && !known)) return;
    if (health === 'busy') this.#keyRests[ticket.key] = later(this.#keyRests[ticket.key], rest);
    else this.#rest = later(this.#rest, rest);
  }

  /** The call ended without a word about the target: the client left. */
  abandon(ticket: Ticket, nowMs: number): void {
    if (this.#settle(ticket)) this.breaker.neutral(ticket.breaker, nowMs);
  }

  /** Whether it was ever told, or made, to rest. */
  get rested(): boolean {
    return this.#rest !== undefined || this.#keyRests.some((rest) => rest !== undefined);
  }

  /** The rest it is in, if it is in one. */
  resting(nowMs: number): Rest | undefined {
    if (restingUntil(this.#rest, nowMs, false) > 0) return this.#rest;
    const rests = Array.from({ length: this.state.keys }, (_, key) => this.#keyRests[key]);
    const [first] = rests;
    return rests.every((rest) => restingUntil(rest, nowMs, false) > 0) ? first : undefined;
  }

  /** That the provider lacks the model, while it is remembered. */
  missing(nowMs: number): ProxyError | undefined {
    const rest = this.resting(nowMs);
    if (rest?.fault !== 'not_found') return undefined;
    return new ProxyError('not_found', rest.message, { target: this.id });
  }

  /** Why it may not be asked now; `undefined` when it may. */
  blocked(nowMs: number): Blocked | undefined {
    const untilMs = this.readyAt(nowMs);
    if (untilMs <= nowMs) return undefined;
    const down = this.state.downs.every((each) => each && each.untilMs > nowMs)
      ? this.state.downs[0]
      : undefined;
    const rest = this.resting(nowMs);
    const reason = this.state.unreachable
      ? 'unreachable'
      : down
        ? `down after ${down.fault}`
        : rest
          ? `resting after ${rest.fault}`
          : this.breaker.readyAt(nowMs) > nowMs
            ? 'breaker open'
            : 'busy';
    return { reason, untilMs };
  }

  #keyAt(nowMs: number, again: boolean): number {
    let soonest = Infinity;
    for (let key = 0; key < this.state.keys; key += 1) {
      const rest = restingUntil(this.#keyRests[key], nowMs, again);
      soonest = Math.min(soonest, Math.max(rest, this.state.keyReadyAt(key)));
    }
    return soonest;
  }

  #chooseKey(nowMs: number): number {
    const turns = [...this.state.turns()];
    const at = (key: number, again: boolean) =>
      Math.max(restingUntil(this.#keyRests[key], nowMs, again), this.state.keyReadyAt(key));
    const soonest = (best: number, key: number) => (at(key, false) < at(best, false) ? key : best);
    return (
      turns.find((key) => at(key, false) <= nowMs) ??
      turns.find((key) => at(key, true) <= nowMs) ??
      turns.reduce(soonest)
    );
  }

  #settle(ticket: Ticket): boolean {
    if (ticket.settled) return false;
    ticket.settled = true;
    this.state.end();
    return true;
  }
}

interface Parts {
  readonly breaker: Breaker;
  readonly health: HealthWindow;
}

function restFor({ fault, message, rule, retryAfterMs }: ProxyError, nowMs: number): Rest | undefined {
  if (rule.health === 'none' || rule.health === 'down') return undefined;
  // A model that is missing does not appear because the provider names a time.
  const told = rule.health === 'missing' ? undefined : retryAfterMs;
  const ms = told ?? rule.cooldownMs;
  if (ms <= 0) return undefined;
  return { fault, message, untilMs: nowMs + ms, toldMs: told === undefined ? 0 : nowMs + ms };
}

/** A later word never shortens an earlier one. */
function later(known: Rest | undefined, rest: Rest): Rest {
  if (!known) return rest;
  const longer = known.untilMs >= rest.untilMs ? known : rest;
  return { ...longer, toldMs: Math.max(known.toldMs, rest.toldMs) };
}

function restingUntil(rest: Rest | undefined, nowMs: number, again: boolean): number {
  const untilMs = (again ? rest?.toldMs : rest?.untilMs) ?? 0;
  return untilMs > nowMs ? untilMs : 0;
}
