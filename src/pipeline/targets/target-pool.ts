import type { Limits } from '../../limits/limits.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { StatePolicy } from './provider-state.ts';
import { LOCAL_LIMITS } from '../../limits/local.ts';
import { ProviderState } from './provider-state.ts';
import { Target } from './target.ts';

/** The largest number of targets: globs let clients send any name, which must not make memory grow. */
const MAX_TARGETS = 2_000;

/** All targets and provider states, created on first use. They outlive a configuration. */
export class TargetPool {
  readonly #random: () => number;
  readonly #limits: Limits;
  readonly #targets = new Map<string, Target>();
  /** The same by the names of their providers: with thousands of providers, searching all for each takes long. */
  readonly #byProvider = new Map<string, Set<Target>>();
  readonly #states = new Map<string, ProviderState>();
  /** Those of the current configuration. */
  #providers: ReadonlyMap<string, BaseProvider> = new Map();
  /** Those of earlier configurations whose service no longer exists. */
  readonly #gone = new WeakSet<BaseProvider>();
  /** All targets share this object, so that a new configuration also applies to existing ones. */
  readonly #policy: StatePolicy;

  /** @param random uniform in [0, 1) @param limits shared by all processes that serve together */
  constructor(policy: StatePolicy, random: () => number, limits: Limits = LOCAL_LIMITS) {
    this.#policy = { ...policy, breaker: { ...policy.breaker }, health: { ...policy.health } };
    this.#random = random;
    this.#limits = limits;
  }

  /**
   * Applies the providers of a configuration. The state of one that stays is kept, but what was on hold gets a new
   * chance; one whose identity changed starts afresh.
   * @param same whether a provider is still the same service
   */
  adopt(policy: StatePolicy, providers: readonly BaseProvider[], same: (name: string) => boolean): void {
    Object.assign(this.#policy.breaker, policy.breaker);
    Object.assign(this.#policy.health, policy.health);
    const byName = new Map(providers.map((provider) => [provider.name, provider]));
    const successor = (name: string) => (same(name) ? byName.get(name) : undefined);
    for (const [id, target] of this.#targets) {
      const provider = successor(target.provider.name);
      if (!provider) {
        this.#remove(id, target);
        continue;
      }
      target.renew(provider);
    }
    for (const [name, state] of this.#states) {
      const provider = successor(name);
      if (provider) state.configure(provider.settings);
      else this.#states.delete(name);
    }
    for (const [name, provider] of this.#providers) if (!successor(name)) this.#gone.add(provider);
    this.#providers = byName;
  }

  state(provider: BaseProvider): ProviderState {
    let state = this.#states.get(provider.name);
    if (!state) {
      state = this.#newState(provider);
      this.#states.set(provider.name, state);
    }
    return state;
  }

  /**
   * The target for a request, which may have begun under an earlier configuration: it gets the target of its provider's
   * successor if that is the same service, otherwise a target of its own that no other request uses.
   */
  target(given: BaseProvider, model: string, nowMs: number): Target {
    if (this.#gone.has(given)) return this.#newTarget(given, model, this.#newState(given));
    const provider = this.#providers.get(given.name) ?? given;
    const id = `${provider.name}/${model}`;
    let target = this.#targets.get(id);
    if (target) return target;
    if (this.#targets.size >= MAX_TARGETS) this.#evict(nowMs);
    target = this.#newTarget(provider, model, this.state(provider));
    this.#targets.set(id, target);
    this.#byProvider.getOrInsertComputed(provider.name, () => new Set()).add(target);
    return target;
  }

  #newState({ name, settings }: BaseProvider): ProviderState {
    return new ProviderState(name, settings, {
      policy: this.#policy,
      limits: this.#limits,
      random: this.#random,
    });
  }

  #newTarget(provider: BaseProvider, model: string, state: ProviderState): Target {
    return new Target(provider, model, state, { policy: this.#policy, random: this.#random });
  }

  /** The targets of a provider that were called so far. */
  targets(provider: string): Target[] {
    return [...(this.#byProvider.get(provider) ?? [])];
  }

  /** Drops the oldest target without significant state, otherwise the oldest. */
  #evict(nowMs: number): void {
    for (const [id, target] of this.#targets) {
      if (target.holds(nowMs).length > 0) continue;
      this.#remove(id, target);
      return;
    }
    const [oldest] = this.#targets;
    if (oldest) this.#remove(...oldest);
  }

  #remove(id: string, target: Target): void {
    this.#targets.delete(id);
    const { name } = target.provider;
    const others = this.#byProvider.get(name);
    others?.delete(target);
    if (others?.size === 0) this.#byProvider.delete(name);
  }
}
