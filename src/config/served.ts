import type { Config } from './schema.ts';
import { globMatcher, isGlob } from './globs.ts';
import { presetOf } from './presets.ts';

/**
 * Whether a name in `models` refers to a model that a provider serves; globs in `models` do not count.
 * @param alias the name being defined, which stands for the providers' model of that name
 */
export function served({ models, providers }: Config, name: string, alias?: string): boolean {
  if (name !== alias && Object.hasOwn(models, name)) return true;
  const first = name.includes('/') ? name.slice(0, name.indexOf('/')) : undefined;
  const named = providers.some((provider) => provider.name === first) ? first : undefined;
  return providers.some((provider) =>
    (provider.models ?? presetOf(provider.type).models).some((model) => {
      const offer = typeof model === 'string' ? model : model.name;
      if (provider.name === named && covers(offer, name.slice(named.length + 1))) return true;
      const mayBe = named === undefined || provider.name === named || saysProvider(offer, named);
      return mayBe && covers(offer, name);
    }),
  );
}

/**
 * Whether an offer deliberately covers names that begin with the name of another provider: `openai/gpt-oss-*` of Groq
 * does, `*` does not.
 */
export function saysProvider(offer: string, provider: string): boolean {
  return !isGlob(offer) || offer.startsWith(`${provider}/`);
}

function covers(offer: string, name: string): boolean {
  return isGlob(offer) ? globMatcher(offer)(name) : offer === name;
}
