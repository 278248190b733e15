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
    ...(provider.options === undefined
      ? {}
      : { options: maskedIn(provider.options) as Record<string, unknown> }),
    custom_headers: Object.fromEntries(
      Object.entries(provider.custom_headers).map(([name, value]) => [
        name,
        namesCredential(name) ? MASKED : value,
      ]),
    ),
  }));
  const state = maskedState(config.state);
  if (config.auth === undefined || config.auth === 'none') return { ...config, state, providers };
  const keys = config.auth.keys.map((key) => (key.key === undefined ? key : { ...key, key: MASKED }));
  return { ...config, state, providers, auth: { ...config.auth, keys } };
}

/** The address of a server without the user and password in it. */
function maskedState({ redis, ...state }: Config['state']): Config['state'] {
  const url = redis === undefined ? null : URL.parse(redis);
  if (!url) return { ...state, ...(redis === undefined ? {} : { redis: MASKED }) };
  const names = url.username !== '' || url.password !== '';
  return { ...state, redis: `${url.protocol}//${names ? `${MASKED}@` : ''}${url.host}${url.pathname}` };
}

/** A value with texts masked that go by the name of a credential. */
function maskedIn(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return namesCredential(name) ? MASKED : value;
  if (Array.isArray(value)) return value.map((each) => maskedIn(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, maskedIn(each, key)]));
}
