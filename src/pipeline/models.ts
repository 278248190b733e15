import type { Config, RouteConfig, RoutePolicy } from '../config/schema.ts';
import type { BaseProvider, ProviderModel } from '../providers/base.ts';
import type { Access } from '../limits/access.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { Choice } from './select.ts';
import { globMatcher, isGlob } from '../config/globs.ts';
import { nearest } from '../config/suggest.ts';
import { ProxyError } from '../errors.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';

/** A place where a request may go. */
export interface Candidate extends Choice {
  readonly provider: BaseProvider;
  /** The name the provider knows. */
  readonly model: string;
  readonly offer: ProviderModel;
}

/** Where a name leads. */
export interface Resolution {
  readonly candidates: readonly Candidate[];
  /** The route's own words over the configuration's. */
  readonly policy: RoutePolicy;
}

export interface ModelName {
  readonly id: string;
  /** Provider, or `llmproxy` for aliases. */
  readonly ownedBy: string;
}

interface Offer {
  readonly provider: BaseProvider;
  readonly offer: ProviderModel;
}

interface Pattern extends Offer {
  readonly matches: (name: string) => boolean;
}

/** Resolutions remembered at most; clients can name anything. */
const MAX_RESOLVED = 1_000;

/**
 * The one place that knows model names: aliases and routes of the configuration, `provider/model`, exact names
 * and globs of the providers, looked up in this order.
 */
export class ModelRegistry {
  readonly #providers = new Map<string, BaseProvider>();
  readonly #routes: Config['models'];
  readonly #exact = new Map<string, Offer[]>();
  readonly #patterns: Pattern[] = [];
  readonly #policy: RoutePolicy;
  readonly #resolved = new Map<string, Resolution>();

  /** @param providers the enabled ones @param policy where a route says nothing of its own */
  constructor(providers: readonly BaseProvider[], routes: Config['models'], policy: RoutePolicy) {
    this.#routes = routes;
    this.#policy = policy;
    for (const provider of providers) {
      this.#providers.set(provider.name, provider);
      for (const offer of provider.settings.models) {
        const { name } = offer;
        if (isGlob(name)) this.#patterns.push({ provider, offer, matches: globMatcher(name) });
        else this.#exact.set(name, [...(this.#exact.get(name) ?? []), { provider, offer }]);
      }
    }
  }

  /**
   * Where a request for this model may go.
   * @param access what the caller may use; everything when left out
   * @throws ProxyError `unknown_model` naming the nearest names, `invalid_request` when no provider of the
   * model serves the endpoint, or `not_permitted` when none that does may answer the caller
   */
  resolve(name: string, endpoint: Endpoint, access?: Access): Resolution {
    const resolution = this.#resolve(name, endpoint, access);
    if (!access?.narrowsProviders) return resolution;
    return { ...resolution, candidates: allowed(name, resolution.candidates, access) };
  }

  #resolve(name: string, endpoint: Endpoint, access: Access | undefined): Resolution {
    const key = `${endpoint} ${name}`;
    const known = this.#resolved.get(key);
    if (known) return known;
    const named = this.#expand(name, new Set());
    if (named.length === 0) throw this.#unknown(name, access);
    const serving = named.filter(({ provider, model }) => provider.serves(endpoint, model));
    if (serving.length === 0) {
      const { path } = ENDPOINTS[endpoint];
      const owners = [...new Set(named.map(({ provider }) => provider.name))].join(', ');
      throw new ProxyError(
        'invalid_request',
        `Cannot use model "${name}" at ${path}: ${owners} does not serve it`,
        {
          param: 'model',
        },
      );
    }
    if (this.#resolved.size >= MAX_RESOLVED) this.#resolved.clear();
    const resolution = { candidates: serving, policy: this.#policyOf(name) };
    this.#resolved.set(key, resolution);
    return resolution;
  }

  /** The provider of this name; `undefined` where there is none, or it is off. */
  provider(name: string): BaseProvider | undefined {
    return this.#providers.get(name);
  }

  /** Where the name leads a caller first, at whatever endpoint. @throws ProxyError `unknown_model`, `not_permitted` */
  find(name: string, access: Access): Candidate {
    const named = this.#expand(name, new Set());
    if (named.length === 0) throw this.#unknown(name, access);
    return allowed(name, named, access)[0]!;
  }

  /**
   * Names worth listing: aliases, then exact names. Globs have no names of their own.
   * @param access what the caller may use; everything when left out
   */
  names(access?: Access): ModelName[] {
    const aliases = Object.keys(this.#routes)
      .filter((name) => this.#expand(name, new Set()).length > 0)
      .map((id) => ({ id, ownedBy: 'llmproxy' }));
    const exact = [...this.#exact].map(([id, offers]) => ({ id, ownedBy: offers[0]!.provider.name }));
    const all = [...aliases, ...exact.filter(({ id }) => !(id in this.#routes))];
    if (!access) return all;
    const { allowsModel, allowsProvider, narrowsProviders } = access;
    const answered = (id: string) =>
      !narrowsProviders || this.#expand(id, new Set()).some(({ provider }) => allowsProvider(provider.name));
    return all.filter(({ id }) => allowsModel(id) && answered(id));
  }

  #policyOf(name: string): RoutePolicy {
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    if (typeof route !== 'object' || Array.isArray(route)) return this.#policy;
    return {
      content_policy: route.content_policy ?? this.#policy.content_policy,
      resume: route.resume ?? this.#policy.resume,
      hedge: route.hedge ?? this.#policy.hedge,
      last_resort: route.last_resort ?? this.#policy.last_resort,
      unsupported: route.unsupported ?? this.#policy.unsupported,
    };
  }

  #expand(name: string, seen: ReadonlySet<string>): Candidate[] {
    const route = Object.hasOwn(this.#routes, name) && !seen.has(name) ? this.#routes[name] : undefined;
    if (route !== undefined) return this.#expandRoute(route, new Set([...seen, name]));
    return this.#addressed(name) ?? this.#offered(name);
  }

  #expandRoute(route: RouteConfig, seen: ReadonlySet<string>): Candidate[] {
    const { targets, strategy } =
      typeof route === 'string' || Array.isArray(route)
        ? { targets: [route].flat(), strategy: 'ordered' as const }
        : route;
    const candidates = new Map<string, Candidate>();
    let tier = 0;
    for (const target of targets) {
      const { target: name, weight } = typeof target === 'string' ? { target, weight: 1 } : target;
      const expanded = this.#expand(name, seen);
      for (const candidate of expanded) {
        const id = `${candidate.provider.name}/${candidate.model}`;
        if (candidates.has(id)) continue;
        const place =
          strategy === 'weighted' ? { priority: 0, tier: candidate.tier } : { tier: tier + candidate.tier };
        candidates.set(id, { ...candidate, ...place, weight: candidate.weight * weight });
      }
      tier += 1 + Math.max(-1, ...expanded.map((candidate) => candidate.tier));
    }
    return [...candidates.values()];
  }

  /** "provider/model"; `undefined` when the first half names no provider. */
  #addressed(name: string): Candidate[] | undefined {
    const slash = name.indexOf('/');
    const provider = slash > 0 ? this.#providers.get(name.slice(0, slash)) : undefined;
    if (!provider) return undefined;
    const model = name.slice(slash + 1);
    const found = this.#offered(model).filter((candidate) => candidate.provider === provider);
    // An aggregator's own model names may begin with another provider's name.
    return found.length > 0 ? found : undefined;
  }

  #offered(name: string): Candidate[] {
    const offers = new Map<BaseProvider, Offer>();
    for (const pattern of this.#patterns) if (pattern.matches(name)) offers.set(pattern.provider, pattern);
    for (const exact of this.#exact.get(name) ?? []) offers.set(exact.provider, exact);
    return [...offers.values()].map(({ provider, offer }) => ({
      provider,
      model: offer.upstream ?? name,
      offer,
      tier: 0,
      priority: provider.settings.priority,
      weight: provider.settings.weight,
    }));
  }

  /** Names only what the caller may ask for. */
  #unknown(name: string, access: Access | undefined): ProxyError {
    const known = this.names(access).map(({ id }) => id);
    const close = nearest(name, known, 3);
    const hint = close.length > 0 ? `, did you mean ${close.map((id) => `"${id}"`).join(', ')}?` : '';
    return new ProxyError(
      'unknown_model',
      `Cannot find model "${shownName(name)}": no provider serves it${hint}`,
      {
        param: 'model',
      },
    );
  }
}

/** A model's name in a message: clients can name anything. */
export function shownName(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}...` : name;
}

/** Those that may answer a caller. @throws ProxyError `not_permitted` when there is none */
function allowed(
  name: string,
  candidates: readonly Candidate[],
  { allowsProvider }: Access,
): readonly Candidate[] {
  const left = candidates.filter(({ provider }) => allowsProvider(provider.name));
  if (left.length > 0) return left;
  throw new ProxyError(
    'not_permitted',
    `Cannot use model "${shownName(name)}": no provider of it may answer this key; ask the operator to add one to \`providers\` of the key or its groups`,
    { param: 'model' },
  );
}
