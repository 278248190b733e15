import type { ModelDiscovery } from './discovery.ts';
import type { Candidate, Offers } from './offers.ts';
import { saysProvider } from '../../config/served.ts';

/** A name that clients can request. */
export interface ModelName {
  readonly id: string;
  /** The provider, or `llmproxy` for aliases. */
  readonly ownedBy: string;
  /** Seconds since the epoch, if its provider reports it. */
  readonly created?: number;
  /** The display name, if its provider reports it. */
  readonly title?: string;
}

/** A name that a provider lists and its globs match. */
export interface ListedName extends ModelName {
  /** The offers of providers that may answer it. */
  readonly providers: readonly string[];
}

/** The models that providers list, as far as known. */
export type Listed = Pick<ModelDiscovery, 'models' | 'version'>;

/** The limit for all providers together: a longer list is of no use. */
const MAX_NAMES = 5_000;

/** The names that providers list and their globs match, with their offers; recomputed when a list changes. */
export class ListedNames {
  readonly #offers: Offers;
  readonly #listed: Listed;
  readonly #routed: (name: string) => readonly Candidate[] | undefined;
  #last: { readonly version: number; readonly names: readonly ListedName[] } | undefined;

  /** @param routed resolves a name through a glob in `models`; `undefined` if none matches */
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
