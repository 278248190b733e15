import type { Clock } from '../clock.ts';
import type { BaseProvider } from '../providers/base.ts';
import type { TargetPool } from './target.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { classifyStatus } from '../wire/classify.ts';

export interface ProbePolicy {
  /** Milliseconds between two probes of a provider. */
  readonly interval: number;
  /** Longest wait for an answer, milliseconds. */
  readonly timeout: number;
}

/**
 * Asks free endpoints whether providers are up, one probe at a time each, at jittered intervals. An answer brings
 * a provider back that was down; a failure counts like a failed call.
 */
export class HealthProber {
  readonly #policy: ProbePolicy;
  readonly #pool: TargetPool;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #cancels = new Map<string, () => void>();
  #stopped = false;

  constructor(policy: ProbePolicy, pool: TargetPool, clock: Clock, random: () => number) {
    this.#policy = policy;
    this.#pool = pool;
    this.#clock = clock;
    this.#random = random;
  }

  start(providers: readonly BaseProvider[]): void {
    for (const provider of providers) this.#schedule(provider);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #schedule(provider: BaseProvider): void {
    if (this.#stopped) return;
    const waitMs = this.#policy.interval * (0.75 + 0.5 * this.#random());
    this.#pool.state(provider).nextProbeMs = this.#clock.now() + waitMs;
    this.#cancels.set(
      provider.name,
      this.#clock.after(waitMs, () => void this.#run(provider)),
    );
  }

  async #run(provider: BaseProvider): Promise<void> {
    const state = this.#pool.state(provider);
    const abort = new AbortController();
    const late = () =>
      abort.abort(new ProxyError('timeout_first_byte', `Cannot probe ${provider.name}: no answer in time`));
    const cancel = this.#clock.after(this.#policy.timeout, late);
    const beganMs = this.#clock.monotonic();
    try {
      const asked = provider.probe(abort.signal);
      if (!asked) {
        state.nextProbeMs = undefined;
        return;
      }
      const reply = await asked;
      const body = await new Response(reply.body).text();
      if (reply.status >= 400) {
        const { fault } = classifyStatus(reply.status, reply.headers, body);
        throw new ProxyError(fault, `Cannot probe ${provider.name}: it answered ${reply.status}`);
      }
      state.down = undefined;
      state.health.success(this.#clock.monotonic(), this.#clock.monotonic() - beganMs);
      this.#schedule(provider);
    } catch (thrown) {
      this.#failed(provider, toProxyError(thrown));
      this.#schedule(provider);
    } finally {
      cancel();
    }
  }

  #failed(provider: BaseProvider, error: ProxyError): void {
    const state = this.#pool.state(provider);
    const nowMs = this.#clock.monotonic();
    if (error.rule.health === 'none' || error.rule.health === 'missing') return;
    state.health.failure(nowMs);
    state.health.lastError = { fault: error.fault, message: error.message, atMs: this.#clock.now() };
    if (error.rule.health === 'down') {
      state.down = { fault: error.fault, message: error.message, untilMs: nowMs + error.rule.cooldownMs };
    }
  }
}
