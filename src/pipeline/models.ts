import type { Config, RouteConfig, RoutePolicy } from '../config/schema.ts';
import type { BaseProvider, ProviderModel } from '../providers/base.ts';
import type { Access } from '../limits/access.ts';
import type { ModelDiscovery } from './discovery.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { Choice } from './select.ts';
import { globMatcher, isGlob, literalLength } from '../config/globs.ts';
import { saysProvider } from '../config/served.ts';
import { nearest, shortlist } from '../config/suggest.ts';
import { ProxyError } from '../errors.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { Routes } from './routes.ts';

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
  /** What the name was found by. */
  readonly rule: Rule;
}

/** What decides where a name leads: an entry of `models`, a provider that the name itself names, or what providers serve. */
export type Rule =
  | { readonly kind: 'name' | 'glob'; readonly entry: string }
  | { readonly kind: 'provider'; readonly provider: string }
  | { readonly kind: 'served' };

export interface ModelName {
  readonly id: string;
  /** Provider, or `llmproxy` for aliases. */
  readonly ownedBy: string;
  /** Seconds since the epoch, where its provider says so. */
  readonly created?: number;
  /** Its name for people, where its provider says so. */
  readonly title?: string;
}

/** Which models providers list, as far as that is known. */
export type Listed = Pick<ModelDiscovery, 'models' | 'version'>;

/** A name that a provider lists and its patterns cover. */
interface ListedName extends ModelName {
  readonly providers: readonly string[];
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

/** Where a name leads, at whatever endpoint. */
interface Expansion {
  readonly candidates: readonly Candidate[];
  readonly rule: Rule;
  readonly route?: RouteConfig;
}

/**
 * The one place that knows model names: names in the configuration's `models`, globs there, `provider/model`, and the
 * providers' exact names and globs, looked up in this order. What a route leads to is looked up without its globs.
 */
export class ModelRegistry {
  readonly #providers = new Map<string, BaseProvider>();
  readonly #routes: Routes;
  /** Why configured providers do not take part, by their names. */
  readonly #off: ReadonlyMap<string, string>;
  readonly #exact = new Map<string, Offer[]>();
  readonly #patterns: Pattern[] = [];
  readonly #policy: RoutePolicy;
  readonly #listed: Listed | undefined;
  #listedNames: { readonly version: number; readonly names: readonly ListedName[] } | undefined;
  readonly #resolved = new Map<string, Resolution>();

  /**
   * @param providers the enabled ones
   * @param off why the others do not take part, by their names
   * @param listed what providers say they have
   */
  constructor(
    providers: readonly BaseProvider[],
    { models, routing }: Pick<Config, 'models' | 'routing'>,
    off: ReadonlyMap<string, string> = new Map(),
    listed?: Listed,
  ) {
    this.#routes = new Routes(models);
    this.#policy = routing;
    this.#off = off;
    this.#listed = listed;
    for (const provider of providers) {
      this.#providers.set(provider.name, provider);
      for (const offer of provider.settings.models) {
        const { name } = offer;
        if (isGlob(name)) this.#patterns.push({ provider, offer, matches: globMatcher(name) });
        else this.#exact.set(name, [...(this.#exact.get(name) ?? []), { provider, offer }]);
      }
    }
    // Of a provider's globs that cover a name the last one counts.
    this.#patterns.sort((a, b) => literalLength(a.offer.name) - literalLength(b.offer.name));
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
    const { candidates: named, rule, route } = this.#asked(name);
    if (named.length === 0) throw this.#unknown(name, rule, access);
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
    const resolution = { candidates: serving, policy: this.#policyOf(route), rule };
    this.#resolved.set(key, resolution);
    return resolution;
  }

  /** Whether the configuration has this name, and not only a glob for it. */
  lists(name: string): boolean {
    return this.#exact.has(name) || Object.hasOwn(this.#routes, name);
  }

  /** The provider of this name; `undefined` where there is none, or it is off. */
  provider(name: string): BaseProvider | undefined {
    return this.#providers.get(name);
  }

  /** Where the name leads a caller first, at whatever endpoint. @throws ProxyError `unknown_model`, `not_permitted` */
  find(name: string, access: Access): Candidate {
    const { candidates: named, rule } = this.#asked(name);
    if (named.length === 0) throw this.#unknown(name, rule, access);
    return allowed(name, named, access)[0]!;
  }

  /**
   * Names worth listing: aliases, then exact names, then what providers list and their globs cover.
   * @param access what the caller may use; everything when left out
   */
  names(access?: Access): ModelName[] {
    const aliases = this.#routes.names
      .filter((name) => this.#expand(name, new Set()).length > 0)
      .map((id) => ({ id, ownedBy: 'llmproxy' }));
    const exact = [...this.#exact].map(([id, offers]) => ({ id, ownedBy: offers[0]!.provider.name }));
    const written = [...aliases, ...exact.filter(({ id }) => !this.#routes.exact(id))];
    const listed = this.#namesListed().filter(({ id }) => !this.#exact.has(id) && !this.#routes.exact(id));
    if (!access) return [...written, ...listed];
    const { allowsModel, allowsProvider, narrowsProviders } = access;
    const answered = (id: string) =>
      !narrowsProviders || this.#expand(id, new Set()).some(({ provider }) => allowsProvider(provider.name));
    return [
      ...written.filter(({ id }) => allowsModel(id) && answered(id)),
      ...listed.filter(({ id, providers }) => allowsModel(id) && providers.some(allowsProvider)),
    ];
  }

  /** What providers list and their globs cover, by the name that leads there. */
  #namesListed(): readonly ListedName[] {
    if (!this.#listed) return [];
    const { version } = this.#listed;
    if (this.#listedNames?.version !== version)
      this.#listedNames = { version, names: this.#coveredNames(this.#listed) };
    return this.#listedNames.names;
  }

  #coveredNames(listed: Listed): readonly ListedName[] {
    const names = new Map<string, ListedName>();
    for (const provider of this.#providers.values()) {
      const patterns = this.#patterns.filter(
        (pattern) => pattern.provider === provider && pattern.offer.upstream === undefined,
      );
      for (const { id: model, ...facts } of listed.models(provider) ?? []) {
        const pattern = patterns.findLast(({ matches }) => matches(model));
        if (!pattern) continue;
        const first = this.#addressed(model);
        const leadsThere =
          first === undefined || first === provider.name || saysProvider(pattern.offer.name, first);
        const id = leadsThere ? model : `${provider.name}/${model}`;
        const known = names.get(id);
        const routed = this.#routes.glob(id, this.#addressed(id)) && this.#asked(id).candidates;
        const providers = routed
          ? routed.map((candidate) => candidate.provider.name)
          : [...(known?.providers ?? []), provider.name];
        if (providers.length === 0) continue;
        names.set(id, known ? { ...known, providers } : { id, ownedBy: provider.name, ...facts, providers });
      }
    }
    return [...names.values()];
  }

  #policyOf(route: RouteConfig | undefined): RoutePolicy {
    if (typeof route !== 'object' || Array.isArray(route)) return this.#policy;
    return {
      content_policy: route.content_policy ?? this.#policy.content_policy,
      resume: route.resume ?? this.#policy.resume,
      hedge: route.hedge ?? this.#policy.hedge,
      last_resort: route.last_resort ?? this.#policy.last_resort,
      unsupported: route.unsupported ?? this.#policy.unsupported,
    };
  }

  /** Where a name leads that a client asks for. */
  #asked(name: string): Expansion {
    const exact = this.#routes.exact(name);
    const match = exact ?? this.#routes.glob(name, this.#addressed(name));
    if (!match) return this.#served(name);
    const { rule: entry, route, star } = match;
    const candidates = this.#expandRoute(route, new Set([entry]), star);
    return { candidates, rule: { kind: exact ? 'name' : 'glob', entry }, route };
  }

  /** Where a target leads. */
  #expand(name: string, seen: ReadonlySet<string>): readonly Candidate[] {
    const match = seen.has(name) ? undefined : this.#routes.exact(name);
    if (match) return this.#expandRoute(match.route, new Set([...seen, name]));
    return this.#served(name).candidates;
  }

  /** @param star what stands for the `*` of a target */
  #expandRoute(route: RouteConfig, seen: ReadonlySet<string>, star?: string): Candidate[] {
    const { targets, strategy } =
      typeof route === 'string' || Array.isArray(route)
        ? { targets: [route].flat(), strategy: 'ordered' as const }
        : route;
    const candidates = new Map<string, Candidate>();
    let tier = 0;
    for (const target of targets) {
      const { target: written, weight } = typeof target === 'string' ? { target, weight: 1 } : target;
      const name = star === undefined ? written : written.replace('*', () => star);
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

  /** The configured provider that is named before the first slash, whether it takes part or not. */
  #addressed(name: string): string | undefined {
    const slash = name.indexOf('/');
    const first = name.slice(0, Math.max(0, slash));
    return this.#providers.has(first) || this.#off.has(first) ? first : undefined;
  }

  /** What the providers make of a name. */
  #served(name: string): Expansion {
    const first = this.#addressed(name);
    if (first === undefined) return { candidates: this.#offered(name), rule: { kind: 'served' } };
    const rule = { kind: 'provider', provider: first } as const;
    const own = this.#offered(name.slice(first.length + 1)).filter(({ provider }) => provider.name === first);
    if (own.length > 0) return { candidates: own, rule };
    // Models of others may be called so too, but a wildcard of theirs says nothing of it.
    const others = this.#offered(name).filter(
      ({ provider, offer }) => provider.name === first || saysProvider(offer.name, first),
    );
    return { candidates: others, rule: others.length > 0 ? { kind: 'served' } : rule };
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
  #unknown(name: string, rule: Rule, access: Access | undefined): ProxyError {
    const all = this.names(access);
    const known =
      rule.kind === 'provider'
        ? all
            .filter(({ ownedBy }) => ownedBy === rule.provider)
            .map(({ id }) => addressedBy(rule.provider, id))
        : all.map(({ id }) => id);
    const close = nearest(name, shortlist(name, known), 3);
    const hint = close.length > 0 ? `, did you mean ${close.map((id) => `"${id}"`).join(', ')}?` : '';
    const message = `Cannot find model "${shownName(name)}": ${this.#whyUnknown(name, rule, access)}${hint}`;
    return new ProxyError('unknown_model', message, { param: 'model' });
  }

  #whyUnknown(name: string, rule: Rule, access: Access | undefined): string {
    if (rule.kind === 'served') return 'no provider serves it';
    if (rule.kind !== 'provider')
      return 'the configuration says where it leads, but none of these targets can be asked';
    const { provider } = rule;
    const off = this.#off.get(provider);
    // Who may use all of it is told what is missing.
    const isNarrowed = access?.narrowsModels || access?.narrowsProviders;
    const why =
      off === undefined
        ? `provider ${provider} does not serve it`
        : `provider ${provider} is off (${isNarrowed ? 'ask the operator' : off})`;
    const other = this.#offered(name).find(({ provider: one }) => access?.allowsProvider(one.name) ?? true);
    if (!other) return why;
    return `${why}; to ask ${other.provider.name} for it, name "${other.provider.name}/${shownName(name)}"`;
  }
}

/** "provider/model", whatever the name begins with. */
function addressedBy(provider: string, id: string): string {
  return id.startsWith(`${provider}/`) ? id : `${provider}/${id}`;
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
