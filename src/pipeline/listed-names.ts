import type { ModelDiscovery } from './discovery.ts';
import type { Candidate, Offers } from './offers.ts';
import { saysProvider } from '../config/served.ts';

/** A name that clients can ask for. */
export interface ModelName {
  readonly id: string;
  /** Provider, or `llmproxy` for aliases. */
  readonly ownedBy: string;
  /** Seconds since the epoch, where its provider says so. */
  readonly created?: number;
  /** Its name for people, where its provider says so. */
  readonly title?: string;
}

/** A name that a provider lists and its globs cover. */
export interface ListedName extends ModelName {
  /** Those that may answer it. */
  readonly providers: readonly string[];
}

/** Which models providers list, as far as that is known. */
export type Listed = Pick<ModelDiscovery, 'models' | 'version'>;

/** Of all providers together: more are no help to anybody who chooses. */
const MAX_NAMES = 5_000;

/** What providers list and their globs cover, by the names that lead there; found out again when a list is another. */
export class ListedNames {
  readonly #offers: Offers;
  readonly #listed: Listed;
  readonly #routed: (name: string) => readonly Candidate[] | undefined;
  #last: { readonly version: number; readonly names: readonly ListedName[] } | undefined;

  /** @param routed where a glob of `models` leads a name; `undefined` where none covers it */
  constructor(offers: Offers, listed: Listed, routed: (name: string) => readonly Candidate[] | undefined) {
    this.#offers = offers;
    this.#listed = listed;
    this.#routed = routed;
  }

  get names(): readonly ListedName[] {
    const { version } = this.#listed;
    if (this.#last?.version !== version) this.#last = { version, names: this.#find() };
    return this.#last.names;
  }

  #find(): readonly ListedName[] {
    const names = new Map<string, ListedName>();
    for (const provider of this.#offers.providers) {
      const globOf = this.#offers.globsOf(provider);
      for (const { id: model, ...facts } of this.#listed.models(provider) ?? []) {
        if (names.size >= MAX_NAMES) return [...names.values()];
        const glob = globOf(model);
        if (glob === undefined) continue;
        const first = this.#offers.addressed(model);
        const leadsThere = first === undefined || first === provider.name || saysProvider(glob, first);
        const id = leadsThere ? model : `${provider.name}/${model}`;
        const known = names.get(id);
        const routed = this.#routed(id)?.map((candidate) => candidate.provider.name);
        const providers = routed ?? [...(known?.providers ?? []), provider.name];
        if (providers.length > 0)
          names.set(
            id,
            known ? { ...known, providers } : { id, ownedBy: provider.name, ...facts, providers },
          );
      }
    }
    return [...names.values()];
  }
}
