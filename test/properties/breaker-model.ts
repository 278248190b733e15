import type { BreakerPolicy } from '../../src/pipeline/breaker.ts';

export const WINDOW_MS = 12_000;
/** The window moves on by a twelfth at a time. */
const SLOT_MS = WINDOW_MS / 12;

/** The breaker as its documentation tells it. The outcome of a call counts only in the era it began in. */
export class Model {
  name: 'closed' | 'open' | 'half_open' = 'closed';
  era = 0;
  #untilMs = 0;
  #cooldownMs = 0;
  #calls: { atMs: number; failed: boolean }[] = [];
  readonly #policy: BreakerPolicy;
  readonly #jitter: number;

  constructor(policy: BreakerPolicy, random: number) {
    this.#policy = policy;
    this.#jitter = 0.8 + 0.4 * random;
  }

  readyAt(nowMs: number): number {
    if (this.name === 'half_open') return Infinity;
    return this.name === 'open' && this.#untilMs > nowMs ? this.#untilMs : 0;
  }

  begin(): void {
    if (this.name === 'open') this.#become('half_open');
  }

  success(nowMs: number): void {
    if (this.name === 'closed') this.#calls.push({ atMs: nowMs, failed: false });
    else this.#become('closed');
  }

  failure(nowMs: number): void {
    const { cooldown, max_cooldown } = this.#policy;
    if (this.name === 'half_open') return this.#open(Math.min(max_cooldown, this.#cooldownMs * 2), nowMs);
    this.#calls.push({ atMs: nowMs, failed: true });
    if (this.#inARow() || this.#tooLargeAShare(nowMs)) this.#open(cooldown, nowMs);
  }

  neutral(nowMs: number): void {
    if (this.name !== 'half_open') return;
    this.#untilMs = nowMs;
    this.#become('open');
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

  #open(cooldownMs: number, nowMs: number): void {
    this.#cooldownMs = cooldownMs;
    this.#untilMs = nowMs + Math.min(this.#policy.max_cooldown, cooldownMs * this.#jitter);
    this.#become('open');
  }

  #become(name: Model['name']): void {
    this.name = name;
    this.era += 1;
    this.#calls = [];
  }
}
