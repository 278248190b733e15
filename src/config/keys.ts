import type { ProviderConfig } from './schema.ts';
import { presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface ResolvedKey {
  readonly key: string | undefined;
  /** Where it came from, or where it was looked for. */
  readonly source: string;
}

/** A provider's key: written out, from `api_key_env`, or from the vendor's usual variables. */
export function resolveKey(provider: ProviderConfig, env: Env): ResolvedKey {
  if (provider.api_key !== undefined) return { key: provider.api_key, source: 'api_key' };
  const variables =
    provider.api_key_env === undefined ? presetOf(provider.type).keyEnv : [provider.api_key_env];
  const found = variables.find((variable) => env[variable]);
  return { key: found && env[found], source: found ?? variables.join(' or ') };
}
