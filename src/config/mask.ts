import type { Config } from './schema.ts';
import type { RequestChanges } from './schema/request-changes.ts';
import { fieldHoldsCredential, namesCredential } from './keys.ts';

const MASKED = '[masked]';

/** The configuration without keys and without the values of headers and fields that hold credentials. */
export function masked(config: Config): Config {
  const providers = config.providers.map((provider) => ({
    ...provider,
    ...(provider.api_key === undefined ? {} : { api_key: MASKED }),
    ...(provider.client_secret === undefined ? {} : { client_secret: MASKED }),
    ...(provider.api_keys === undefined ? {} : { api_keys: provider.api_keys.map(() => MASKED) }),
    ...(provider.options === undefined
      ? {}
      : { options: maskedIn(provider.options, namesCredential) as Record<string, unknown> }),
    ...(provider.request === undefined ? {} : { request: maskedChanges(provider.request) }),
    ...(provider.models === undefined ? {} : { models: provider.models.map(maskedModel) }),
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

/** The URL of a server without its user name and password. */
function maskedState({ redis, ...state }: Config['state']): Config['state'] {
  const url = redis === undefined ? null : URL.parse(redis);
  if (!url) return { ...state, ...(redis === undefined ? {} : { redis: MASKED }) };
  const names = url.username !== '' || url.password !== '';
  return { ...state, redis: `${url.protocol}//${names ? `${MASKED}@` : ''}${url.host}${url.pathname}` };
}

type Model = NonNullable<Config['providers'][number]['models']>[number];

function maskedModel(model: Model): Model {
  if (typeof model === 'string' || model.request === undefined) return model;
  return { ...model, request: maskedChanges(model.request) };
}

function maskedChanges(request: RequestChanges): RequestChanges {
  if (request.set === undefined) return request;
  return { ...request, set: maskedIn(request.set, fieldHoldsCredential) as RequestChanges['set'] };
}

/** A value in which the texts of keys that name credentials are masked. */
function maskedIn(value: unknown, isCredential: (name: string) => boolean, name = ''): unknown {
  if (typeof value === 'string') return isCredential(name) ? MASKED : value;
  if (Array.isArray(value)) return value.map((each) => maskedIn(each, isCredential, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, maskedIn(each, isCredential, key)]),
  );
}
