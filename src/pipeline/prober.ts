import type { Clock } from '../clock.ts';
import type { BaseProvider } from '../providers/base.ts';
import type { ProviderState } from './provider-state.ts';
import type { Inbound } from './inbound.ts';
import type { TargetPool } from './target-pool.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { classifyStatus } from '../wire/classify.ts';

export interface ProbePolicy {
  /** Who is probed: providers that are down, all of them, or none. */
  readonly probe: 'recovery' | 'always' | 'never';
  /** Milliseconds between two probes of a provider. */
  readonly interval: number;
  /** Longest wait for an answer, milliseconds. */
  readonly timeout: number;
}

export interface ProberDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly pool: TargetPool;
  /** Asks a model one word: a probe that costs money. @throws ProxyError */
  readonly ask: (provider: BaseProvider, model: string, key: number, signal: AbortSignal) => Promise<void>;
}

/** The request of a probe that costs money. */
export function wordFor(model: string): Inbound {
  const value = { model, messages: [{ role: 'user', content: 'Answer with one word: ready?' }] };
  const text = JSON.stringify(value);
  return {
    endpoint: 'chat',
    model,
    stream: false,
    contentType: 'application/json',
    bytes: new TextEncoder().encode(text),
    json: { text, value },
    headers: {},
    beginWithinMs: Infinity,
    endWithinMs: Infinity,
  };
}

/** Failed probes in a row that take a provider out. */
const UNREACHABLE_AFTER = 2;

/** A key that is refused again and again is probed less and less often, down to this many intervals. */
const MAX_BACKOFF = 20;

/**
 * Asks free endpoints whether providers are up: one probe at a time each, at jittered intervals. A provider
 * without a free endpoint is never probed, unless its configuration names a model to ask.
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
      if (probes) this.#schedule(provider, state, 0);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #schedule(provider: BaseProvider, state: ProviderState, failures: number): void {
    if (this.#stopped) return;
    const { clock, random } = this.#deps;
    const waitMs = this.#policy.interval * (0.75 + 0.5 * random());
    state.nextProbeMs = clock.now() + waitMs;
    const cancel = clock.after(waitMs, () => {
      this.#cancels.delete(cancel);
      void this.#run(provider, state, failures).then((next) => this.#schedule(provider, state, next));
    });
    this.#cancels.add(cancel);
  }

  /** One round. @returns failed probes in a row */
  async #run(provider: BaseProvider, state: ProviderState, failures: number): Promise<number> {
    state.nextProbeMs = undefined;
    const keys = this.#due(state);
    let failed = false;
    for (const key of keys) {
      const beganMs = this.#deps.clock.monotonic();
      const finding = await this.#probe(provider, key);
      if (this.#stopped) return 0;
      failed = this.#take(state, key, finding, beganMs, failures) || failed;
    }
    return failed ? failures + 1 : 0;
  }

  /** The keys to probe with: those that are down, and one of the others where all providers are probed. */
  #due(state: ProviderState): number[] {
    const nowMs = this.#deps.clock.monotonic();
    const down = state.downs.flatMap((each, key) => (each && each.untilMs > nowMs ? [{ key, ...each }] : []));
    // What came back and was refused again comes back less often.
    const due = down.filter(({ times }) => this.#deps.random() * Math.min(2 ** (times - 1), MAX_BACKOFF) < 1);
    if (due.length > 0) return due.map(({ key }) => key);
    return down.length === 0 && (this.#policy.probe === 'always' || state.unreachable !== undefined)
      ? [0]
      : [];
  }

  async #probe(provider: BaseProvider, key: number): Promise<'up' | ProxyError> {
    const abort = new AbortController();
    const late = () =>
      abort.abort(new ProxyError('timeout_first_byte', `Cannot probe ${provider.name}: no answer in time`));
    const cancel = this.#deps.clock.after(this.#policy.timeout, late);
    try {
      const model = provider.settings.probeModel;
      if (model !== undefined) {
        await this.#deps.ask(provider, model, key, abort.signal);
        return 'up';
      }
      const reply = await provider.probe(key, abort.signal);
      const body = await new Response(reply.body).text();
      if (reply.status < 400) return 'up';
      const { fault } = classifyStatus(reply.status, reply.headers, body);
      return new ProxyError(fault, `Cannot probe ${provider.name}: it answered ${reply.status}`);
    } catch (thrown) {
      return toProxyError(thrown);
    } finally {
      cancel();
    }
  }

  /** @returns whether it failed */
  #take(
    state: ProviderState,
    key: number,
    found: 'up' | ProxyError,
    beganMs: number,
    failures: number,
  ): boolean {
    const nowMs = this.#deps.clock.monotonic();
    if (found === 'up') {
      state.revive(key);
      state.unreachable = undefined;
      if (this.#policy.probe === 'always') state.health.success(nowMs, nowMs - beganMs);
      return false;
    }
    // An endpoint that is missing, or a limit on asking, says that somebody is there and no more.
    if (['none', 'missing', 'busy'].includes(found.rule.health)) return false;
    const { fault, message, rule } = found;
    state.health.failure(nowMs, { fault, message, atMs: this.#deps.clock.now() });
    if (rule.health === 'down') state.refuse(key, found, nowMs);
    else if (failures + 1 >= UNREACHABLE_AFTER) state.unreachable = message;
    return true;
  }
}
