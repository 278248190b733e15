import type { Config } from './schema.ts';
import { globMatcher, isGlob } from './globs.ts';
import { presetOf } from './presets.ts';

/**
 * Whether a name leads somewhere: as a target of `models`, where globs of `models` do not count.
 * @param alias the name that is being explained, which means the providers' model of that name
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
 * Whether an offer covers names that begin with another provider's name because it says so: `openai/gpt-oss-*` at Groq
 * does, `*` does not.
 */
export function saysProvider(offer: string, provider: string): boolean {
  return !isGlob(offer) || offer.startsWith(`${provider}/`);
}

function covers(offer: string, name: string): boolean {
  return isGlob(offer) ? globMatcher(offer)(name) : offer === name;
}
