import type { Config } from './schema.ts';
import { namesCredential } from './keys.ts';

const MASKED = '[masked]';

/** The configuration without its keys and the values of headers that hold a credential. */
export function masked(config: Config): Config {
  const providers = config.providers.map((provider) => ({
    ...provider,
    ...(provider.api_key === undefined ? {} : { api_key: MASKED }),
    ...(provider.client_secret === undefined ? {} : { client_secret: MASKED }),
    ...(provider.api_keys === undefined ? {} : { api_keys: provider.api_keys.map(() => MASKED) }),
    custom_headers: Object.fromEntries(
      Object.entries(provider.custom_headers).map(([name, value]) => [
        name,
        namesCredential(name) ? MASKED : value,
      ]),
    ),
  }));
  if (config.auth === undefined || config.auth === 'none') return { ...config, providers };
  const keys = config.auth.keys.map((key) => (key.key === undefined ? key : { ...key, key: MASKED }));
  return { ...config, providers, auth: { ...config.auth, keys } };
}
