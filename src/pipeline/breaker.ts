import { RollingCounts } from './rolling.ts';

/** What a call through the breaker is handed, and gives back with its outcome. */
export interface BreakerTicket {
  readonly generation: number;
}

export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Share of failed calls in the window that opens it, from 0 to 1. */
  readonly failure_rate: number;
  /** Calls in the window before the share counts. */
  readonly min_calls: number;
  /** How far back the share looks, milliseconds. */
  readonly window: number;
  /** First time it stays open, milliseconds. */
  readonly cooldown: number;
  /** Longest time it stays open, milliseconds. */
  readonly max_cooldown: number;
}

type State =
  | { name: 'closed'; failures: number }
  | { name: 'open'; untilMs: number; cooldownMs: number }
  | { name: 'half_open'; cooldownMs: number };

/**
 * Circuit breaker of one target. Closed it counts failures, in a row and as a share of the calls in a rolling
 * window; open it lets nothing through until the cooldown is over; then one call alone is let through as a trial,
 * which closes it or opens it for longer. A third outcome, neither success nor failure, is for calls whose end
 * says nothing about the target.
 */
export class Breaker {
  readonly #policy: BreakerPolicy;
  readonly #random: () => number;
  readonly #counts: RollingCounts;
  #state: State = { name: 'closed', failures: 0 };
  #generation = 0;

  /** @param random uniform in [0, 1), jitters the cooldown so that many proxies do not try at once */
  constructor(policy: BreakerPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
    this.#counts = new RollingCounts(policy.window);
  }

  get state(): 'closed' | 'open' | 'half_open' {
    return this.#state.name;
  }

  /** When a call may pass, on the monotonic clock: 0 for now, `Infinity` while a trial is out. */
  readyAt(nowMs: number): number {
    if (this.#state.name === 'closed') return 0;
    if (this.#state.name === 'half_open') return Infinity;
    return this.#state.untilMs <= nowMs ? 0 : this.#state.untilMs;
  }

  /** Takes a place. Call only when `readyAt` says now; after a cooldown this is the trial. */
  begin(): BreakerTicket {
    if (this.#state.name === 'open') this.#enter({ name: 'half_open', cooldownMs: this.#state.cooldownMs });
    return { generation: this.#generation };
  }

  /**
   * The call's answer has begun: enough for a trial, which must not hold others back until a long stream ends.
   * @returns the ticket to settle the rest of the call with
   */
  opened(ticket: BreakerTicket, nowMs: number): BreakerTicket {
    if (this.#state.name !== 'half_open' || ticket.generation !== this.#generation) return ticket;
    this.success(ticket, nowMs);
    return this.begin();
  }

  success(ticket: BreakerTicket, nowMs: number): void {
    // A ticket from before the last transition is ignored: its outcome says nothing about now.
    if (ticket.generation !== this.#generation) return;
    if (this.#state.name === 'closed') {
      this.#state.failures = 0;
      this.#counts.add(nowMs, false);
    } else this.#enter({ name: 'closed', failures: 0 });
  }

  failure(ticket: BreakerTicket, nowMs: number): void {
    if (ticket.generation !== this.#generation) return;
    if (this.#state.name === 'closed') {
      this.#state.failures += 1;
      this.#counts.add(nowMs, true);
      if (this.#state.failures >= this.#policy.failures || this.#tooMany(nowMs)) {
        this.#open(this.#policy.cooldown, nowMs);
      }
    } else if (this.#state.name === 'half_open') {
      this.#open(Math.min(this.#state.cooldownMs * 2, this.#policy.max_cooldown), nowMs);
    }
  }

  /** The call ended without a word about the target, such as a client's abort: a trial may be made again. */
  neutral(ticket: BreakerTicket, nowMs: number): void {
    if (ticket.generation !== this.#generation || this.#state.name !== 'half_open') return;
    this.#enter({ name: 'open', untilMs: nowMs, cooldownMs: this.#state.cooldownMs });
  }

  #tooMany(nowMs: number): boolean {
    const { calls, failures } = this.#counts.sum(nowMs);
    return calls >= this.#policy.min_calls && failures >= calls * this.#policy.failure_rate;
  }

  #open(cooldownMs: number, nowMs: number): void {
    const jittered = Math.min(this.#policy.max_cooldown, cooldownMs * (0.8 + 0.4 * this.#random()));
    this.#enter({ name: 'open', untilMs: nowMs + jittered, cooldownMs });
  }

  #enter(state: State): void {
    this.#state = state;
    this.#generation += 1;
    this.#counts.clear();
  }
}
