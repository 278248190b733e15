import type { Config, RouteConfig, RoutePolicy } from '../../config/schema.ts';
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { Access } from '../../limits/access.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Listed, ModelName } from './listed-names.ts';
import type { Candidate } from './offers.ts';
import { ProxyError } from '../../errors.ts';
import { bothRules } from '../../redact/outward/rule.ts';
import { ENDPOINTS } from '../../wire/endpoints.ts';
import { ListedNames } from './listed-names.ts';
import { Offers } from './offers.ts';
import type { Rule } from './routes.ts';
import { Routes } from './routes.ts';
import { shownName, unknownModel } from './unknown-model.ts';

/** The resolution of a name. */
export interface Resolution {
  readonly candidates: readonly Candidate[];
  /** The route's own settings, which override the configuration's. */
  readonly policy: RoutePolicy;
  /** How the name was found. */
  readonly rule: Rule;
}

/** The number of cached resolutions; clients can send any name. */
const MAX_RESOLVED = 1_000;

/** The resolution of a name, for any endpoint. */
interface Expansion {
  readonly candidates: readonly Candidate[];
  readonly rule: Rule;
  readonly route?: RouteConfig;
}

/**
 * The only place that resolves model names: the names in `models`, the globs there, `provider/model`, and the
 * providers' exact names and globs, in this order. The targets of a route are resolved without its globs.
 */
export class ModelRegistry {
  readonly #routes: Routes;
  readonly #offers: Offers;
  readonly #policy: RoutePolicy;
  readonly #listed: ListedNames | undefined;
  readonly #resolved = new Map<string, Resolution>();

  /**
   * @param providers the enabled ones
   * @param off why the others are disabled, by name
   * @param listed the models that providers list
   */
  constructor(
    providers: readonly BaseProvider[],
    { models, routing }: Pick<Config, 'models' | 'routing'>,
    off: ReadonlyMap<string, string> = new Map(),
    listed?: Listed,
  ) {
    this.#routes = new Routes(models);
    this.#offers = new Offers(providers, off);
    this.#policy = routing;
    const routed = (name: string) =>
      this.#routes.glob(name, this.#offers.addressed(name)) && this.#expansionOf(name).candidates;
    this.#listed = listed && new ListedNames(this.#offers, listed, routed);
  }

  /**
   * Where a request for this model may go.
   * @param access what the caller may use; everything by default
   * @throws ProxyError `unknown_model` with the nearest names, `invalid_request` when no provider of the model serves
   * the endpoint, or `not_permitted` when the caller may use none that does
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
    const { candidates: named, rule, route } = this.#expansionOf(name);
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

  /** Whether the configuration has this name, and not only a matching glob. */
  lists(name: string): boolean {
    return this.#offers.hasExact(name) || this.#routes.exact(name) !== undefined;
  }

  /** The provider with this name; `undefined` if there is none, or it is disabled. */
  provider(name: string): BaseProvider | undefined {
    return this.#offers.provider(name);
  }

  /** The enabled providers. */
  get providers(): Iterable<BaseProvider> {
    return this.#offers.providers;
  }

  /** The first target of a name for a caller, at any endpoint. @throws ProxyError `unknown_model`, `not_permitted` */
  find(name: string, access: Access): Candidate {
    const { candidates: named, rule } = this.#expansionOf(name);
    if (named.length === 0) throw this.#unknown(name, rule, access);
    return allowed(name, named, access)[0]!;
  }

  /**
   * The names for lists: aliases, then exact names, then what providers list and their globs match.
   * @param access what the caller may use; everything by default
   */
  names(access?: Access): ModelName[] {
    const aliases = this.#routes.names
      .filter((name) => this.#expand(name, new Set()).length > 0)
      .map((id) => ({ id, ownedBy: 'llmproxy' }));
    const exact = this.#offers.exactNames().map(([id, ownedBy]) => ({ id, ownedBy }));
    const written = [...aliases, ...exact.filter(({ id }) => !this.#routes.exact(id))];
    const listed = (this.#listed?.names ?? []).filter(({ id }) => !this.lists(id));
    if (!access) return [...written, ...listed];
    const { allowsModel, allowsProvider, narrowsProviders } = access;
    const answered = (id: string) =>
      !narrowsProviders || this.#expand(id, new Set()).some(({ provider }) => allowsProvider(provider.name));
    return [
      ...written.filter(({ id }) => allowsModel(id) && answered(id)),
      ...listed.filter(({ id, providers }) => allowsModel(id) && providers.some(allowsProvider)),
    ];
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

  /** Resolves a name that a client requests. */
  #expansionOf(name: string): Expansion {
    const exact = this.#routes.exact(name);
    const match = exact ?? this.#routes.glob(name, this.#offers.addressed(name));
    if (!match) return this.#served(name);
    const { rule: entry, route, star } = match;
    const candidates = this.#expandRoute(route, new Set([entry]), star);
    return { candidates, rule: { kind: exact ? 'name' : 'glob', entry }, route };
  }

  /** Resolves a target. */
  #expand(name: string, seen: ReadonlySet<string>): readonly Candidate[] {
    const match = seen.has(name) ? undefined : this.#routes.exact(name);
    if (match) return this.#expandRoute(match.route, new Set([...seen, name]));
    return this.#offers.served(name).candidates;
  }

  /** @param star what replaces the `*` of a target */
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
        const known = candidates.get(id);
        const redact = bothRules(bothRules(ruleOf(route), candidate.redact), known?.redact);
        if (known) {
          // A target may be reached in several ways: the redaction rules of all of them apply.
          candidates.set(id, { ...known, redact });
          continue;
        }
        const place =
          strategy === 'weighted' ? { priority: 0, tier: candidate.tier } : { tier: tier + candidate.tier };
        candidates.set(id, { ...candidate, ...place, weight: candidate.weight * weight, redact });
      }
      tier += 1 + Math.max(-1, ...expanded.map((candidate) => candidate.tier));
    }
    return [...candidates.values()];
  }

  /** The resolution of a name by providers. */
  #served(name: string): Expansion {
    const { candidates, addressed } = this.#offers.served(name);
    const rule: Rule =
      addressed === undefined ? { kind: 'served' } : { kind: 'provider', provider: addressed };
    return { candidates, rule };
  }

  #unknown(name: string, rule: Rule, access: Access | undefined): ProxyError {
    return unknownModel(this.#offers, { name, rule, access, names: this.names(access) });
  }
}

/** What a route redacts in its requests. */
function ruleOf(route: RouteConfig): OutwardRule | undefined {
  return typeof route === 'string' || Array.isArray(route) ? undefined : route.redact;
}

/** The offers that a caller may use. @throws ProxyError `not_permitted` when there is none */
function allowed(
  name: string,
  candidates: readonly Candidate[],
  { allowsProvider }: Access,
): readonly Candidate[] {
  const left = candidates.filter(({ provider }) => allowsProvider(provider.name));
  if (left.length > 0) return left;
  throw new ProxyError(
    'not_permitted',
    `Cannot use model "${shownName(name)}": none of its providers may serve this key; ask the operator to add one to \`providers\` of the key or its groups`,
    { param: 'model' },
  );
}
