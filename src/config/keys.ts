import type { Config, ProviderConfig } from './schema.ts';
import { presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface ResolvedKeys {
  /** Empty when there is none. */
  readonly keys: readonly string[];
  /** Where they came from, or where they were looked for. */
  readonly source: string;
}

/** A provider's keys: written out, from `api_key_env`, or from the vendor's usual variables. */
export function resolveKeys(provider: ProviderConfig, env: Env): ResolvedKeys {
  if (provider.api_keys !== undefined) return { keys: provider.api_keys, source: 'api_keys' };
  if (provider.api_key !== undefined) return { keys: [provider.api_key], source: 'api_key' };
  const variables =
    provider.api_key_env === undefined ? presetOf(provider.type).keyEnv : [provider.api_key_env];
  const found = variables.find((variable) => env[variable]);
  return { keys: found ? [env[found]!] : [], source: found ?? variables.join(' or ') };
}

/** Whether a provider can show who it is: with a key, in another way that its vendor has, or it needs none. */
export function hasCredentials(provider: ProviderConfig, env: Env): boolean {
  if (resolveKeys(provider, env).keys.length > 0) return true;
  const { auth, keyOptional } = presetOf(provider.type);
  if (auth === 'none' || (keyOptional && provider.api_key_env === undefined)) return true;
  if (provider.type === 'azure') return provider.client_secret !== undefined;
  // These look for credentials in files and on the machine, when they are first asked.
  return provider.type === 'vertex' || provider.type === 'bedrock';
}

/** Why a provider does not take part: it has no key, or the configuration leaves it out. */
export function offReason(provider: ProviderConfig, env: Env): string {
  if (hasCredentials(provider, env)) return 'not enabled';
  return `no key: set ${resolveKeys(provider, env).source || 'api_key_env'}`;
}

/** Names of headers that hold a credential; what other headers say may be ordinary words. */
const CREDENTIAL = /auth|key|token|secret|cookie|passw|credential|signature/i;

/** A header's value, and what of it stands behind a scheme such as `Bearer`. */
function tokens(value: string): string[] {
  const [, token] = /^\S+\s+(\S+)$/.exec(value.trim()) ?? [];
  return token === undefined ? [value] : [value, token];
}

/** Every secret the configuration knows; none of them may appear in any output. */
export function secretsOf(config: Config, env: Env): string[] {
  const keys = config.providers.flatMap((provider) => resolveKeys(provider, env).keys);
  const signing = config.providers.flatMap(({ type, client_secret }) =>
    type === 'bedrock' ? [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN] : [client_secret],
  );
  const clients =
    config.auth === undefined || config.auth === 'none'
      ? []
      : config.auth.keys.map(({ key, key_env }) => key ?? (key_env === undefined ? undefined : env[key_env]));
  const headers = config.providers.flatMap(({ custom_headers }) =>
    Object.entries(custom_headers).flatMap(([name, value]) => (CREDENTIAL.test(name) ? tokens(value) : [])),
  );
  return [...keys, ...signing, ...clients, ...headers].filter(
    (key): key is string => key !== undefined && key !== '',
  );
}
