/** Detects entries of lists that match nothing, and lists that do not say what they seem to. */
import { listed } from './listed.ts';
import type { LimitConfig } from './schema/groups.ts';
import type { Path, Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { foldedName, globMatcher, isGlob } from './globs.ts';
import { NameSet } from './name-set.ts';
import { presetOf } from './presets.ts';
import { ENDPOINTS } from './schema/endpoint-globs.ts';
import { KnownNames } from './suggest.ts';

/** The lists of a key or a group. */
interface Lists {
  readonly models?: readonly string[] | undefined;
  readonly endpoints?: readonly string[] | undefined;
  readonly providers?: readonly string[] | undefined;
}

/** A key: its lists, the group that narrows them, and its limits. */
interface Listed extends Lists {
  readonly group?: string | undefined;
  readonly limits: readonly LimitConfig[];
  readonly ops?: boolean | 'only' | undefined;
}

/** Checks the lists of one configuration, and those of the keys in its keys file. */
export class ListChecks {
  readonly #config: Config;
  readonly #positions: Positions;
  /** What entries can mean; prepared when there are any, and the results kept: many keys have the same entries. */
  readonly #models: Known;
  readonly #foldedModels: Known;
  readonly #providers: Known;
  /** The endpoints that a list of globs allows, by the list. */
  readonly #endpoints = new Map<string, ReadonlySet<string>>();

  /** @param positions of the file that the lists are in */
  constructor(config: Config, positions: Positions) {
    this.#config = config;
    this.#positions = positions;
    this.#models = new Known(() => modelsOf(config));
    this.#foldedModels = new Known(() => modelsOf(config).map(foldedName));
    this.#providers = new Known(() => config.providers.map(({ name }) => name));
  }

  /** The lists of groups, of limits for everybody, and of prices. */
  all(): Problem[] {
    const { groups, rate_limits: limits, prices, auth } = this.#config;
    const keys = auth === undefined || auth === 'none' ? [] : auth.keys;
    return [
      ...Object.entries(groups).flatMap(([name, group]) => {
        const at = ['groups', name];
        const { limits: own, each_key: keys, each_user: users } = group;
        return [
          ...this.#lists(group, at),
          ...Object.entries({ limits: own, each_key: keys, each_user: users }).flatMap(([where, list]) =>
            this.#limits(list, [...at, where], () => this.#chain(name)),
          ),
        ];
      }),
      ...this.#limits(limits, ['rate_limits'], () => []),
      ...keys.flatMap((key, index) => this.key(key, ['auth', 'keys', index])),
      ...prices.flatMap(({ provider }, index) =>
        provider === undefined ? [] : this.#provider(provider, ['prices', index, 'provider']),
      ),
    ];
  }

  /** The lists and limits of a key. */
  key(key: Listed, at: Path): Problem[] {
    const chain = [key, ...this.#chain(key.group)];
    return [
      ...this.#lists(key, at),
      ...this.#nothing(key, at, chain),
      ...this.#limits(key.limits, [...at, 'limits'], () => chain),
    ];
  }

  #lists({ models = [], endpoints = [], providers = [] }: Lists, at: Path): Problem[] {
    return [
      ...this.#exclusions(models, [...at, 'models']),
      ...this.#exclusions(endpoints, [...at, 'endpoints']),
      ...this.#exclusions(providers, [...at, 'providers']),
      ...models.flatMap((entry, index) => this.#model(entry, [...at, 'models', index])),
      ...endpoints.flatMap((entry, index) => this.#passthrough(entry, [...at, 'endpoints', index])),
      ...providers.flatMap((entry, index) => this.#provider(entry, [...at, 'providers', index])),
    ];
  }

  #limits(limits: readonly LimitConfig[], at: Path, chainOf: () => readonly Lists[]): Problem[] {
    return limits.flatMap(({ models = [], endpoints }, index) => {
      const problems = [
        ...this.#exclusions(models, [...at, index, 'models']),
        ...this.#exclusions(endpoints ?? [], [...at, index, 'endpoints']),
        ...models.flatMap((entry, place) => this.#limited(entry, [...at, index, 'models', place])),
      ];
      if (endpoints === undefined) return problems;
      const chain = chainOf();
      const usable = ENDPOINTS.filter((name) => this.#mayUse(chain, name));
      if (usable.length === 0 || usable.some((name) => this.#allowed(endpoints).has(name))) return problems;
      const message =
        'this limit never applies: no endpoint is in this list and in those of its keys and groups';
      return [...problems, this.#warning([...at, index, 'endpoints'], message)];
    });
  }

  /** A key that may use no endpoint, although no list is empty. */
  #nothing({ endpoints, ops, group }: Listed, at: Path, chain: readonly Lists[]): Problem[] {
    if (ops === 'only' || group === undefined || chain.some((lists) => lists.endpoints?.length === 0))
      return [];
    if (ENDPOINTS.some((name) => this.#mayUse(chain, name))) return [];
    const place = [...at, endpoints === undefined ? 'group' : 'endpoints'];
    return [this.#warning(place, 'no endpoint is in all lists of this key and its groups: it may use none')];
  }

  /** Entries add to each other, so that `!x` allows everything but x. */
  #exclusions(list: readonly string[], at: Path): Problem[] {
    if (list.length < 2) return [];
    const kept = list.filter((entry) => !entry.startsWith('!'));
    const others = kept.length === 0 ? '' : `: ${listed(kept)}`;
    return list.flatMap((entry, index) => {
      if (!entry.startsWith('!')) return [];
      const message = `\`${entry}\` takes nothing out of a list: it adds everything but ${entry.slice(1)}`;
      const hint = `list what is meant, without \`${entry}\`${others}`;
      return [this.#warning([...at, index], message, { hint })];
    });
  }

  /** No glob grants passthrough, since it grants everything. */
  #passthrough(entry: string, at: Path): Problem[] {
    if (!isGlob(entry) || !globMatcher(entry)('passthrough')) return [];
    const matches = globMatcher(entry);
    const others = ENDPOINTS.filter((name) => name !== 'passthrough' && matches(name));
    if (others.length > 0 && !entry.includes('pass')) return [];
    const message = `\`${entry}\` does not allow passthrough, which must be spelled out`;
    return [this.#positions.atValue(at, message, { hint: 'write `passthrough` as an entry of its own' })];
  }

  #provider(entry: string, at: Path): Problem[] {
    if (this.#providers.has(entry)) return [];
    return [this.#warning(at, `there is no provider \`${entry}\``, this.#providers.names.hint(entry))];
  }

  #model(entry: string, at: Path): Problem[] {
    return this.#models.has(entry) ? [] : this.#noModel(entry, at);
  }

  /** An entry of a limit, which covers all spellings of a name. */
  #limited(entry: string, at: Path): Problem[] {
    return this.#foldedModels.has(foldedName(entry)) ? [] : this.#noModel(entry, at);
  }

  #noModel(entry: string, at: Path): Problem[] {
    const message = `no provider, alias or route has a model \`${entry}\``;
    return [this.#warning(at, message, this.#models.names.hint(entry))];
  }

  /** Whether all lists allow an endpoint. */
  #mayUse(chain: readonly Lists[], name: string): boolean {
    return chain.every(({ endpoints }) => endpoints === undefined || this.#allowed(endpoints).has(name));
  }

  #allowed(list: readonly string[]): ReadonlySet<string> {
    const written = list.join(' ');
    let allowed = this.#endpoints.get(written);
    if (!allowed) {
      const globs = new NameSet(list);
      this.#endpoints.set(written, (allowed = new Set(ENDPOINTS.filter((name) => globs.covers(name)))));
    }
    return allowed;
  }

  #warning(at: Path, message: string, hinted: { readonly hint?: string } = {}): Problem {
    return this.#positions.atValue(at, message, { severity: 'warning', ...hinted });
  }

  /** The lists of a group and its parents. Cycles are reported elsewhere. */
  #chain(group: string | undefined): Lists[] {
    const { groups } = this.#config;
    const chain = new Set<Lists>();
    for (let name = group; name !== undefined && Object.hasOwn(groups, name); name = groups[name]!.parent) {
      if (chain.has(groups[name]!)) break;
      chain.add(groups[name]!);
    }
    return [...chain];
  }
}

/** The names and globs of models that a client, or a limit, can mean. */
function modelsOf({ models, providers }: Config): string[] {
  const offers = providers.flatMap(({ name, type, models: own }) => {
    const offered = own ?? presetOf(type).models;
    // A plugin may have models of its own.
    const all = offered.length === 0 ? ['*'] : offered;
    return all.flatMap((model) => {
      const names = typeof model === 'string' ? [model] : [model.name, model.upstream ?? model.name];
      return names.flatMap((each) => [each, `${name}/${each}`]);
    });
  });
  return [...new Set([...Object.keys(models), ...offers])];
}

/** Names that entries can mean. */
class Known {
  readonly names: KnownNames;
  readonly #list: () => readonly string[];
  readonly #found = new Map<string, boolean>();
  #set: NameSet | undefined;

  constructor(list: () => readonly string[]) {
    this.#list = list;
    this.names = new KnownNames(list);
  }

  /** Whether an entry, which may be a glob, can mean one of them. */
  has(entry: string): boolean {
    let found = this.#found.get(entry);
    this.#set ??= new NameSet(this.#list());
    if (found === undefined) this.#found.set(entry, (found = this.#set.overlaps(entry)));
    return found;
  }
}
