/** What a call through the breaker is handed, and gives back with its outcome. */
export interface BreakerTicket {
  readonly generation: number;
}

export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failures: number;
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
 * Circuit breaker of one target. Closed it counts failures in a row; open it lets nothing through until the
 * cooldown is over; then one call alone is let through as a trial, which closes it or opens it for longer.
 * A third outcome, neither success nor failure, is for calls whose end says nothing about the target.
 */
export class Breaker {
  readonly #policy: BreakerPolicy;
  readonly #random: () => number;
  #state: State = { name: 'closed', failures: 0 };
  #generation = 0;

  /** @param random uniform in [0, 1), jitters the cooldown so that many proxies do not try at once */
  constructor(policy: BreakerPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
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

  success(ticket: BreakerTicket): void {
    // A ticket from before the last transition is ignored: its outcome says nothing about now.
    if (ticket.generation !== this.#generation) return;
    if (this.#state.name === 'closed') this.#state.failures = 0;
    else this.#enter({ name: 'closed', failures: 0 });
  }

  failure(ticket: BreakerTicket, nowMs: number): void {
    if (ticket.generation !== this.#generation) return;
    if (this.#state.name === 'closed') {
      this.#state.failures += 1;
      if (this.#state.failures >= this.#policy.failures) this.#open(this.#policy.cooldown, nowMs);
    } else if (this.#state.name === 'half_open') {
      this.#open(Math.min(this.#state.cooldownMs * 2, this.#policy.max_cooldown), nowMs);
    }
  }

  /** The call ended without a word about the target, such as a client's abort: a trial may be made again. */
  neutral(ticket: BreakerTicket, nowMs: number): void {
    if (ticket.generation !== this.#generation || this.#state.name !== 'half_open') return;
    this.#enter({ name: 'open', untilMs: nowMs, cooldownMs: this.#state.cooldownMs });
  }

  #open(cooldownMs: number, nowMs: number): void {
    const jittered = cooldownMs * (0.8 + 0.4 * this.#random());
    this.#enter({ name: 'open', untilMs: nowMs + jittered, cooldownMs });
  }

  #enter(state: State): void {
    this.#state = state;
    this.#generation += 1;
  }
}
