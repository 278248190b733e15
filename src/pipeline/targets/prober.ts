import { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { Cooldown } from './cooldown.ts';
import type { ProviderState } from './provider-state.ts';
import type { Inbound } from '../inbound.ts';
import type { TargetPool } from './target-pool.ts';
import type { Fault } from '../../faults.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { beginning } from '../../providers/beginning.ts';
import { classifyStatus } from '../../wire/classify.ts';

export interface ProbePolicy {
  /** Which providers are probed: those that are down, all, or none. */
  readonly probe: 'recovery' | 'always' | 'never';
  /** The interval between two probes of a provider, milliseconds. */
  readonly interval: number;
  /** The timeout of a probe, milliseconds. */
  readonly timeout: number;
}

export interface ProberDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly pool: TargetPool;
  /** Sends a minimal request to a model: a probe that costs money. @throws ProxyError */
  readonly ask: (provider: BaseProvider, model: string, key: number, abort: Abort) => Promise<void>;
}

/** The request of a probe that costs money. */
export function wordFor(model: string): Inbound {
  const value = { model, messages: [{ role: 'user', content: 'Answer with one word: ready?' }] };
  const text = JSON.stringify(value);
  return {
    endpoint: 'chat',
    caller: null,
    model,
    stream: false,
    form: 'events',
    contentType: 'application/json',
    bytes: new TextEncoder().encode(text),
    json: { text, value },
    headers: {},
    beginWithinMs: Infinity,
    endWithinMs: Infinity,
  };
}

/**
 * Probes free endpoints to determine whether providers are up: one probe at a time per provider, at jittered intervals.
 * A provider without a free endpoint is never probed, unless its configuration names a model to probe. A probe takes
 * the risk of a trial off the callers: if it is answered, the next request tries what was on hold; if it is not, trials
 * are postponed for a while. An error response only shows that the provider can be reached; what is on hold recovers
 * through requests in any case. Two consecutive failures to open a connection put a provider on hold, unless it
 * answered a request since the first of them began. The probed endpoint itself may hang, so a connection that opens
 * proves nothing else.
 */
export class HealthProber {
  readonly #policy: ProbePolicy;
  readonly #deps: ProberDeps;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(policy: ProbePolicy, deps: ProberDeps) {
    this.#policy = policy;
    this.#deps = deps;
  }

  /** @param providers the enabled ones */
  start(providers: readonly BaseProvider[]): void {
    for (const provider of providers) {
      const probes = this.#policy.probe !== 'never' && (provider.probes || provider.settings.probeModel);
      const state = this.#deps.pool.state(provider);
      state.probed = probes ? this.#policy.probe : 'never';
      if (probes) this.#schedule(provider, state, undefined);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #schedule(provider: BaseProvider, state: ProviderState, failingSinceMs: number | undefined): void {
    if (this.#stopped) return;
    const { clock, random } = this.#deps;
    const waitMs = this.#policy.interval * (0.75 + 0.5 * random());
    state.nextProbeMs = clock.now() + waitMs;
    const cancel = clock.after(waitMs, () => {
      this.#cancels.delete(cancel);
      void this.#run(provider, state, failingSinceMs).then((next) => this.#schedule(provider, state, next));
    });
    this.#cancels.add(cancel);
  }

  /**
   * Runs one round.
   * @param failingSinceMs when the first of the consecutive failed rounds began
   * @returns the same after this round
   */
  async #run(
    provider: BaseProvider,
    state: ProviderState,
    failingSinceMs: number | undefined,
  ): Promise<number | undefined> {
    state.nextProbeMs = undefined;
    const roundMs = this.#deps.clock.monotonic();
    const keys = this.#due(provider, state);
    let failed = false;
    for (const key of keys) {
      const beganMs = this.#deps.clock.monotonic();
      const finding = await this.#probe(provider, key);
      if (this.#stopped) return undefined;
      failed = this.#take(provider, { key, finding, beganMs, failingSinceMs }) || failed;
    }
    if (!failed) return undefined;
    return failingSinceMs !== undefined && state.answeredMs < failingSinceMs ? failingSinceMs : roundMs;
  }

  /**
   * The keys to probe with: those that are refused; otherwise one, if all providers are probed or nothing was answered.
   */
  #due(provider: BaseProvider, state: ProviderState): number[] {
    const nowMs = this.#deps.clock.monotonic();
    const refused = [...state.keys.keys()].filter((key) => state.keys[key]!.hold(nowMs));
    if (refused.length > 0) return refused;
    return this.#policy.probe === 'always' || this.#unanswered(provider, state, nowMs).length > 0 ? [0] : [];
  }

  /** What is on hold for lack of an answer: a probe is evidence for these only. */
  #unanswered({ name }: BaseProvider, { breaker }: ProviderState, nowMs: number): Cooldown[] {
    const breakers = [breaker, ...this.#deps.pool.targets(name).map((target) => target.breaker)];
    return breakers
      .map(({ cooldown }) => cooldown)
      .filter((cooldown) => NO_ANSWER.has(cooldown.hold(nowMs)?.error.fault ?? 'internal'));
  }

  async #probe(provider: BaseProvider, key: number): Promise<'up' | ProxyError> {
    const abort = new Abort();
    const late = () =>
      abort.abort(new ProxyError('timeout_first_byte', `Cannot probe ${provider.name}: no answer in time`));
    const cancel = this.#deps.clock.after(this.#policy.timeout, late);
    try {
      const model = provider.settings.probeModel;
      if (model !== undefined) {
        await this.#deps.ask(provider, model, key, abort);
        return 'up';
      }
      const reply = await provider.probe(key, abort.signal);
      const body = await beginning(reply.body);
      if (reply.status < 400) return 'up';
      const { fault } = classifyStatus(reply.status, reply.headers, body);
      return new ProxyError(fault, `Cannot probe ${provider.name}: it answered ${reply.status}`);
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault !== 'timeout_first_byte' || (await provider.reachable(this.#policy.timeout)))
        return error;
      return new ProxyError('timeout_connect', `Cannot probe ${provider.name}: no connection can be opened`);
    } finally {
      cancel();
    }
  }

  /** @returns whether it failed */
  #take(provider: BaseProvider, { key, finding, beganMs, failingSinceMs }: Probed): boolean {
    const state = this.#deps.pool.state(provider);
    const nowMs = this.#deps.clock.monotonic();
    const unanswered = this.#unanswered(provider, state, nowMs);
    if (finding === 'up') {
      state.probeWorks = true;
      state.keys[key]?.revive();
      for (const cooldown of unanswered) cooldown.revive();
      if (this.#policy.probe === 'always') state.health.success(nowMs, nowMs - beganMs);
      return false;
    }
    const { fault, message } = finding;
    if (TELLS_NOTHING.has(fault)) return false;
    const answered = !NO_ANSWER.has(fault);
    if (!answered || finding.refusesKey) {
      state.health.failure(nowMs, { fault, message, atMs: this.#deps.clock.now() });
    }
    if (answered) {
      // It can be reached, and nothing more is known: not every key may list models.
      for (const cooldown of unanswered) cooldown.revive();
      return false;
    }
    const { interval, timeout } = this.#policy;
    const connects = finding.rule.blames !== 'provider';
    for (const cooldown of unanswered) {
      if (connects && cooldown === state.breaker.cooldown) cooldown.revive();
      else if (!connects || state.probeWorks) cooldown.postpone(nowMs + 2 * interval + timeout);
    }
    const isUnanswered = failingSinceMs !== undefined && state.answeredMs < failingSinceMs;
    if (isUnanswered && !connects) state.breaker.open(finding, nowMs);
    return true;
  }
}

/** The faults of targets that did not answer. */
const NO_ANSWER: ReadonlySet<Fault> = new Set<Fault>([
  'unreachable',
  'network',
  'timeout_connect',
  'timeout_first_byte',
  'timeout_share',
]);

/** The faults of a probe that reached nobody: an idle connection was closed, or the fault is our own. */
const TELLS_NOTHING: ReadonlySet<Fault> = new Set<Fault>(['stale_connection', 'internal']);

interface Probed {
  readonly key: number;
  readonly finding: 'up' | ProxyError;
  readonly beganMs: number;
  /** When the first of the preceding consecutive failed rounds began. */
  readonly failingSinceMs: number | undefined;
}
