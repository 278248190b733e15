import type { Config, ProviderConfig } from './schema.ts';
import { presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface ResolvedKeys {
  /** Empty when there is none. */
  readonly keys: readonly string[];
  /** Where the keys are from, or where they were looked for. */
  readonly source: string;
}

/** The keys of a provider: given literally, by `api_key_env`, or by the vendor's usual environment variables. */
export function resolveKeys(provider: ProviderConfig, env: Env): ResolvedKeys {
  if (provider.api_keys !== undefined) return { keys: provider.api_keys, source: 'api_keys' };
  if (provider.api_key !== undefined) return { keys: [provider.api_key], source: 'api_key' };
  const variables =
    provider.api_key_env === undefined ? presetOf(provider.type).keyEnv : [provider.api_key_env];
  const found = variables.find((variable) => env[variable]);
  const looked = variables.every(namesVariable) ? variables.join(' or ') : 'api_key_env';
  return { keys: found ? [env[found]!] : [], source: found ?? looked };
}

/** The prefixes of vendors' keys. */
const KEY = /^(?:sk-|gsk_|xai-|AIza|pplx-|hf_|csk-|fw_)\w{8}/;

/** Whether a text may be the name of an environment variable. Anything else may be a key, which must not be shown. */
export function namesVariable(text: string): boolean {
  return /^[A-Za-z_][\w.]*$/.test(text) && !KEY.test(text);
}

/** Whether a provider can authenticate: by a key, by another method of its vendor, or because it needs nothing. */
export function hasCredentials(provider: ProviderConfig, env: Env): boolean {
  if (resolveKeys(provider, env).keys.length > 0) return true;
  const { auth, keyOptional } = presetOf(provider.type);
  if (auth === 'none' || (keyOptional && provider.api_key_env === undefined)) return true;
  if (provider.type === 'azure') return provider.client_secret !== undefined;
  // These look for credentials in files and metadata services when they are first used.
  return provider.type === 'vertex' || provider.type === 'bedrock';
}

/** Why a provider is disabled: it has no key, or the configuration disables it. */
export function offReason(provider: ProviderConfig, env: Env): string {
  if (hasCredentials(provider, env)) return 'not enabled';
  return `no key: set ${resolveKeys(provider, env).source || 'api_key_env'}`;
}

/** The reasons why providers are disabled, by the names of those that are. */
export function offReasons({ providers }: Pick<Config, 'providers'>, env: Env): ReadonlyMap<string, string> {
  const off = providers.filter(({ enabled }) => !enabled);
  return new Map(off.map((provider) => [provider.name, offReason(provider, env)]));
}

/** Names of headers and variables that hold a credential; the values of others may be ordinary words. */
const CREDENTIAL = /auth|key|token|secret|cookie|passw|credential|signature/i;

/** Whether the value of a header or variable with this name must not be shown. */
export function namesCredential(name: string): boolean {
  return CREDENTIAL.test(name);
}

/**
 * Names of fields of a request that hold a credential. They are fewer, since values of `prompt_cache_key` or
 * `eos_token` are ordinary words.
 */
const CREDENTIAL_FIELD =
  /(?:^|[^a-z])(?:api_?key|secret(?:_key)?|(?:access|auth|bearer|refresh|session)_?token|authorization|passw(?:or)?d|credentials?|cookie|signature)$/i;

/** Whether the value of a field with this name, which `request.set` may set, must not be shown. */
export function fieldHoldsCredential(name: string): boolean {
  return CREDENTIAL_FIELD.test(name);
}

/** All secrets in the configuration and the environment; none of them may appear in any output. */
export function secretsOf(config: Config, env: Env): string[] {
  const keys = config.providers.flatMap((provider) => resolveKeys(provider, env).keys);
  const vendors = config.providers.flatMap(({ client_secret }) => client_secret ?? []);
  const clients =
    config.auth === undefined || config.auth === 'none'
      ? []
      : config.auth.keys.map(({ key, key_env }) => key ?? (key_env === undefined ? undefined : env[key_env]));
  const headers = config.providers.flatMap(({ custom_headers }) =>
    Object.entries(custom_headers).flatMap(([name, value]) =>
      namesCredential(name) ? tokens(value) : variablesIn(value, env),
    ),
  );
  const proxies = PROXY_VARIABLES.flatMap((name) => passwordsIn(env[name]));
  const signing = SIGNING_VARIABLES.map((name) => env[name]);
  const options = config.providers.flatMap((provider) => secretsIn(provider.options, env, namesCredential));
  const set = config.providers
    .flatMap(({ request, models = [] }) => [
      request,
      ...models.map((model) => (typeof model === 'string' ? undefined : model.request)),
    ])
    .flatMap((request) => secretsIn(request?.set, env, fieldHoldsCredential));
  const collector = [
    ...Object.values(config.telemetry.headers),
    ...OTLP_HEADERS.flatMap((name) =>
      (env[name] ?? '').split(',').map((pair) => pair.slice(pair.indexOf('=') + 1)),
    ),
  ].flatMap((value) => tokens(value.trim()));
  const addresses = [
    config.state.redis,
    config.telemetry.endpoint,
    ...OTLP_ENDPOINTS.map((name) => env[name]),
  ].flatMap(passwordsIn);
  const all = [
    ...keys,
    ...vendors,
    ...options,
    ...set,
    ...clients,
    ...headers,
    ...collector,
    ...addresses,
    ...proxies,
    ...signing,
  ];
  return [...new Set(all.filter((secret) => secret !== undefined).filter((secret) => secret !== ''))];
}

/** Used by providers on AWS, and for reading logs from S3. */
const SIGNING_VARIABLES = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'S3_SECRET_ACCESS_KEY',
  'S3_SESSION_TOKEN',
];

/** URLs of a collector, which may contain a password. */
const OTLP_ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** Headers for a collector of traces and metrics: name=value, separated by commas. */
const OTLP_HEADERS = [
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_EXPORTER_OTLP_METRICS_HEADERS',
];

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** The value of a header, and the part of it after a scheme such as `Bearer`. */
function tokens(value: string): string[] {
  const [, token] = /^\S+\s+(\S+)$/.exec(value.trim()) ?? [];
  return token === undefined ? [value] : [value, token];
}

/**
 * The secrets in values of any form, such as a plugin's options: texts whose key names a credential, and values
 * inserted from environment variables.
 */
function secretsIn(values: unknown, env: Env, isCredential: (name: string) => boolean, name = ''): string[] {
  if (typeof values === 'string') return isCredential(name) ? [values] : variablesIn(values, env);
  if (typeof values !== 'object' || values === null) return [];
  return Object.entries(values).flatMap(([key, value]) =>
    secretsIn(value, env, isCredential, Array.isArray(values) ? name : key),
  );
}

/** Shorter values of variables also occur within ordinary words. */
const MIN_VARIABLE_LENGTH = 8;

/** The values that variables named like credentials, such as `${TENANT_TOKEN}`, have inserted into a text. */
function variablesIn(text: string, env: Env): string[] {
  return Object.entries(env).flatMap(([name, value = '']) =>
    value.length >= MIN_VARIABLE_LENGTH && namesCredential(name) && text.includes(value) ? [value] : [],
  );
}

/**
 * The password of a proxy URL, in the forms in which it is written and sent; a user name without one is itself the
 * secret.
 */
function passwordsIn(address: string | undefined): string[] {
  const url = address === undefined ? null : URL.parse(address);
  if (!url || (url.username === '' && url.password === '')) return [];
  const [user, password] = [url.username, url.password].map(decoded);
  const written = url.password === '' ? [url.username, user!] : [url.password, password!];
  return [...written, Buffer.from(`${user}:${password}`).toString('base64')];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that does not begin an escape sequence is literal.
    return text;
  }
}
