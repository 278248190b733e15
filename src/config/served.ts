import type { Config } from './schema.ts';
import { isGlob } from './globs.ts';
import { NameSet } from './name-set.ts';
import { presetOf } from './presets.ts';

/** The offers of each provider, and of all of them. */
interface AllOffers {
  readonly by: ReadonlyMap<string, NameSet>;
  readonly all: NameSet;
}

const known = new WeakMap<Config['providers'], AllOffers>();

/**
 * Whether a name in `models` refers to a model that a provider serves; globs in `models` do not count.
 * @param alias the name being defined, which stands for the providers' model of that name
 */
export function served({ models, providers }: Config, name: string, alias?: string): boolean {
  if (name !== alias && Object.hasOwn(models, name)) return true;
  const { by, all } = offersOf(providers);
  const first = name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
  const own = by.get(first);
  if (!own) return all.covers(name);
  if (own.covers(name.slice(first.length + 1)) || own.covers(name)) return true;
  return all.covers(name, (offer) => saysProvider(offer, first));
}

/** A configuration may have thousands of names and offers: these are prepared once. */
function offersOf(providers: Config['providers']): AllOffers {
  const found = known.get(providers);
  if (found) return found;
  const by = new Map<string, NameSet>();
  const all = new NameSet();
  for (const { name, type, models } of providers) {
    const own = by.get(name) ?? new NameSet();
    by.set(name, own);
    for (const model of models ?? presetOf(type).models) {
      const offer = typeof model === 'string' ? model : model.name;
      own.add(offer);
      all.add(offer);
    }
  }
  const made = { by, all };
  known.set(providers, made);
  return made;
}

/**
 * Whether an offer deliberately covers names that begin with the name of another provider: `openai/gpt-oss-*` of Groq
 * does, `*` does not.
 */
export function saysProvider(offer: string, provider: string): boolean {
  return !isGlob(offer) || offer.startsWith(`${provider}/`);
}
