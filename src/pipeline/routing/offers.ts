import type { BaseProvider, ProviderModel } from '../../providers/base.ts';
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { Choice } from './select.ts';
import { globMatcher, isGlob, literalLength } from '../../config/globs.ts';
import { saysProvider } from '../../config/served.ts';

/** A possible destination of a request. */
export interface Candidate extends Choice {
  readonly provider: BaseProvider;
  /** The upstream name. */
  readonly model: string;
  readonly offer: ProviderModel;
  /** The redaction rules of the names that led here; the provider's own are added. */
  readonly redact?: OutwardRule | undefined;
}

interface Offer {
  readonly provider: BaseProvider;
  readonly offer: ProviderModel;
}

interface Pattern extends Offer {
  readonly matches: (name: string) => boolean;
}

/** The models that the enabled providers serve: `provider/model`, exact names and globs. */
export class Offers {
  readonly #providers = new Map<string, BaseProvider>();
  readonly #off: ReadonlyMap<string, string>;
  readonly #exact = new Map<string, Offer[]>();
  readonly #patterns: Pattern[] = [];

  /** @param providers the enabled ones @param off why the others are disabled, by name */
  constructor(providers: readonly BaseProvider[], off: ReadonlyMap<string, string>) {
    this.#off = off;
    for (const provider of providers) {
      this.#providers.set(provider.name, provider);
      for (const offer of provider.settings.models) {
        const { name } = offer;
        if (isGlob(name)) this.#patterns.push({ provider, offer, matches: globMatcher(name) });
        else this.#exact.set(name, [...(this.#exact.get(name) ?? []), { provider, offer }]);
      }
    }
    // The last matching glob of a provider is used.
    this.#patterns.sort((a, b) => literalLength(a.offer.name) - literalLength(b.offer.name));
  }

  get providers(): Iterable<BaseProvider> {
    return this.#providers.values();
  }

  provider(name: string): BaseProvider | undefined {
    return this.#providers.get(name);
  }

  /** Why a configured provider is disabled; `undefined` if it is enabled, or does not exist. */
  whyOff(provider: string): string | undefined {
    return this.#off.get(provider);
  }

  /** Names that are not globs, and the first provider of each. */
  exactNames(): (readonly [name: string, provider: string])[] {
    return [...this.#exact].map(([name, offers]) => [name, offers[0]!.provider.name]);
  }

  hasExact(name: string): boolean {
    return this.#exact.has(name);
  }

  /** Returns the provider's glob that matches a name and keeps it unchanged. */
  globsOf(provider: BaseProvider): (name: string) => string | undefined {
    const patterns = this.#patterns.filter(
      (pattern) => pattern.provider === provider && pattern.offer.upstream === undefined,
    );
    return (name) => patterns.findLast(({ matches }) => matches(name))?.offer.name;
  }

  /** The configured provider named before the first slash, enabled or not. */
  addressed(name: string): string | undefined {
    const slash = name.indexOf('/');
    const first = name.slice(0, Math.max(0, slash));
    return this.#providers.has(first) || this.#off.has(first) ? first : undefined;
  }

  /** The offers for a name; @returns with it the provider that the name contains, if that decided */
  served(name: string): { candidates: Candidate[]; addressed?: string } {
    const first = this.addressed(name);
    if (first === undefined) return { candidates: this.offered(name) };
    const own = this.offered(name.slice(first.length + 1)).filter(({ provider }) => provider.name === first);
    if (own.length > 0) return { candidates: own, addressed: first };
    // Models of other providers may have the same name, but not by a wildcard.
    const others = this.offered(name).filter(
      ({ provider, offer }) => provider.name === first || saysProvider(offer.name, first),
    );
    return others.length > 0 ? { candidates: others } : { candidates: [], addressed: first };
  }

  /** The offers for a name or a matching glob, whatever precedes its slash. */
  offered(name: string): Candidate[] {
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
}
