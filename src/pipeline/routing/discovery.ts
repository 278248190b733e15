import { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { Listing, Listings } from '../../providers/model-cache.ts';
import type { ListedModel } from '../../providers/model-list.ts';
import type { Turns } from '../../turns.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { listModels } from './listing.ts';

export interface DiscoveryDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly turns: Turns;
  /** Whether this process asks the providers; otherwise it receives the lists from another one. */
  readonly asks: boolean;
  /** The lists from before the start. */
  readonly known: Listings;
  /** Called with all lists when one of them changes, to store and distribute them. */
  readonly listed: (listings: Listings) => void;
}

/** The state of a provider's list, for its status. */
export interface ListStatus {
  /** The number of models on it, whether or not they are configured. */
  readonly listed: number;
  /** When it was received, ISO 8601. */
  readonly at: string | null;
  /** Why there is none, or no newer one. */
  readonly error: string | null;
}

/** The timeout for one list, milliseconds. */
const TIMEOUT_MS = 15_000;
/** How long after the start the first lists are requested, milliseconds: the first use of the proxy comes first. */
const FIRST_MS = 50;
/** A stored list that is older is requested at once, milliseconds. */
const FRESH_MS = 600_000;
/** The delay after a failure, doubled by each further one up to the usual interval, milliseconds. */
const RETRY_MS = 15_000;
/** The number of lists requested in parallel. */
const MAX_AT_ONCE = 4;

interface Entry {
  readonly provider: BaseProvider;
  readonly everyMs: number;
  failures: number;
  error: string | null;
  cancel: () => void;
}

/**
 * The models that providers list. The lists are requested in the background, one at a time per provider and a few in
 * parallel; no request waits for them, and after a failure the last list stays in effect. Lists outlive a
 * configuration.
 */
export class ModelDiscovery {
  readonly #deps: DiscoveryDeps;
  #listings: Map<string, Listing>;
  #entries = new Map<string, Entry>();
  readonly #waiting: Entry[] = [];
  readonly #running = new Set<Abort>();
  #version = 0;
  #stopped = false;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    this.#listings = new Map(deps.known);
  }

  /** A number that changes whenever a list does. */
  get version(): number {
    return this.#version;
  }

  /**
   * Sets the providers whose lists are requested.
   * @param everyMs the interval, milliseconds; `undefined` for never
   */
  adopt(providers: readonly BaseProvider[], everyMs: (provider: BaseProvider) => number | undefined): void {
    for (const { cancel } of this.#entries.values()) cancel();
    this.#entries = new Map();
    this.#waiting.length = 0;
    this.#version += 1;
    for (const provider of providers) {
      const ms = everyMs(provider);
      if (ms === undefined || provider.modelLists.length === 0) continue;
      const entry: Entry = { provider, everyMs: ms, failures: 0, error: null, cancel: () => undefined };
      this.#entries.set(provider.name, entry);
      if (this.#deps.asks) this.#schedule(entry, this.#firstMs(entry));
    }
  }

  /** The last list of a provider; `undefined` if none is requested, or none has been received. */
  models(provider: BaseProvider): readonly ListedModel[] | undefined {
    return this.#entries.has(provider.name) ? this.#listing(provider)?.models : undefined;
  }

  /** Null if none is requested. */
  status(provider: BaseProvider): ListStatus | null {
    const entry = this.#entries.get(provider.name);
    if (!entry) return null;
    const listing = this.#listing(provider);
    const at = listing ? new Date(listing.atMs).toISOString() : null;
    return { listed: listing?.models.length ?? 0, at, error: entry.error };
  }

  /** Adopts the lists of another process. */
  take(listings: Listings): void {
    this.#listings = new Map(listings);
    this.#version += 1;
  }

  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#entries.values()) cancel();
    const reason = new ProxyError('shutting_down', 'Cannot list models: the proxy is being stopped');
    for (const abort of this.#running) abort.abort(reason);
  }

  #listing(provider: BaseProvider): Listing | undefined {
    const listing = this.#listings.get(provider.name);
    return listing?.service === serviceOf(provider) ? listing : undefined;
  }

  #firstMs({ provider, everyMs }: Entry): number {
    const listing = this.#listing(provider);
    const spreadMs = FIRST_MS * (1 + this.#deps.random());
    if (!listing) return spreadMs;
    const ageMs = this.#deps.clock.now() - listing.atMs;
    // Even if the clock was set back, no list stays young for ever.
    return ageMs >= 0 && ageMs < Math.min(everyMs, FRESH_MS) ? everyMs - ageMs : spreadMs;
  }

  #schedule(entry: Entry, ms: number): void {
    if (this.#stopped) return;
    entry.cancel = this.#deps.clock.after(ms, () => {
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #next(): void {
    while (this.#running.size < MAX_AT_ONCE) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      void this.#ask(entry);
    }
  }

  async #ask(entry: Entry): Promise<void> {
    const { clock, random, turns } = this.#deps;
    const abort = new Abort();
    this.#running.add(abort);
    const late = () =>
      abort.abort(
        new ProxyError(
          'timeout_total',
          `Cannot list the models of ${entry.provider.name}: no answer in time`,
        ),
      );
    const cancel = clock.after(TIMEOUT_MS, late);
    try {
      const models = await listModels(entry.provider, { turns, abort });
      entry.failures = 0;
      entry.error = null;
      if (this.#isCurrent(entry)) this.#keep(entry.provider, models);
    } catch (thrown) {
      entry.failures += 1;
      entry.error = toProxyError(thrown).message;
    } finally {
      cancel();
      this.#running.delete(abort);
    }
    const waitMs = entry.failures === 0 ? entry.everyMs : RETRY_MS * 2 ** Math.min(20, entry.failures - 1);
    if (this.#isCurrent(entry))
      this.#schedule(entry, Math.min(entry.everyMs, waitMs) * (0.9 + 0.2 * random()));
    this.#next();
  }

  /** Whether the current configuration requests it. */
  #isCurrent(entry: Entry): boolean {
    return !this.#stopped && this.#entries.get(entry.provider.name) === entry;
  }

  #keep(provider: BaseProvider, models: readonly ListedModel[]): void {
    const last = this.#listing(provider);
    const atMs = this.#deps.clock.now();
    this.#listings.set(provider.name, { service: serviceOf(provider), atMs, models });
    const same = last && JSON.stringify(last.models) === JSON.stringify(models);
    // An unchanged list is stored again now and then, for its date.
    if (same && atMs - last.atMs < FRESH_MS && atMs >= last.atMs) return;
    if (!same) this.#version += 1;
    const { listed } = this.#deps;
    listed(new Map([...this.#entries.keys()].flatMap((name) => this.#named(name))));
  }

  #named(name: string): [string, Listing][] {
    const listing = this.#listings.get(name);
    return listing ? [[name, listing]] : [];
  }
}

/** What a list belongs to: another address is another service. */
function serviceOf({ modelLists, settings }: BaseProvider): string {
  return [settings.type, ...modelLists.map(({ href }) => href)].join(' ');
}
