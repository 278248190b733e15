import type { Config } from './schema.ts';
import { globMatcher, isGlob } from './globs.ts';
import { presetOf } from './presets.ts';

/** Whether a name leads somewhere. @param alias the name that is being explained, which means the providers' model of that name */
export function served({ models, providers }: Config, name: string, alias?: string): boolean {
  if (name !== alias && Object.hasOwn(models, name)) return true;
  return providers.some((provider) => {
    const bare = name.startsWith(`${provider.name}/`) ? [name.slice(provider.name.length + 1), name] : [name];
    const offers = (provider.models ?? presetOf(provider.type).models).map((model) =>
      typeof model === 'string' ? model : model.name,
    );
    return offers.some((offer) =>
      bare.some((each) => (isGlob(offer) ? globMatcher(offer)(each) : offer === each)),
    );
  });
}
