/** The configuration of the Python proxy whose vocabulary this program has kept. */
import type { Draft, Key } from './draft.ts';
import type { Given } from './given.ts';
import { clientKey } from './client-keys.ts';
import { isType } from './draft.ts';
import { address, headersOf, seconds } from './fields.ts';

export const PYTHON_REASONS: Readonly<Record<string, string>> = {
  app: 'it is not needed',
  telemetry: 'see /metrics and the request log (docs/log-format.md)',
  condensation: 'prompts are never shortened',
  caching: 'answers are not cached',
  cache: 'answers are not cached',
  memory: 'memory is bounded by `limits`',
  http_client: 'see `timeout`, `max_connections` and `keepalive_timeout` of a provider',
  chaos_engineering: 'see `mock.faults` of a provider of type mock (docs/mock.md)',
  load_testing: 'it is not part of a configuration',
  network_simulation: 'see a provider of type mock (docs/mock.md)',
  templates: 'the page is part of the program',
  'logging.file': 'the program log goes to stderr, the request log to `logging.requests.directory`',
  'logging.rotation': 'see `logging.requests.rotate_size` and `retention`',
  'providers[].forced': 'name it in a route of `models` instead',
  'providers[].deployment_name': 'name it in `models`: {name: gpt-4, upstream: DEPLOYMENT}',
};

export function fromPython(given: Given, draft: Draft): void {
  const rows = given.list('providers');
  const named = rows.length > 0 ? rows : (given.part('providers')?.named() ?? []).map(([, row]) => row);
  for (const row of named) provider(row, draft);
  const server = given.part('server');
  draft.section('server', { port: server?.number('port') });
  const host = server?.text('host');
  for (const key of given.part('auth')?.texts('api_keys') ?? [])
    clientKey(draft, { name: 'client', key: keyOf(key), fields: { ops: true } });
  const open = host !== undefined && !/^(?:127\.|localhost$|::1$)/.test(host);
  // Without keys it would not start there.
  if (open && draft.sections.has('auth')) draft.section('server', { host });
  else if (open) draft.notes.add(`It listened on ${host}: set server.host once there are keys in \`auth\`.`);
  rest(given, draft);
}

function rest(given: Given, draft: Draft): void {
  const limit = given.part('rate_limit');
  const [requests, window] = [limit?.number('requests_per_window'), limit?.number('window_seconds')];
  if (requests !== undefined)
    draft.append('rate_limits', {
      requests: Math.round((requests * 60) / (window ?? 60)),
      per: 'minute',
      each: ['key', 'address'],
    });
  const breaker = given.part('circuit_breaker');
  const cooldown = seconds(breaker?.number('recovery_timeout'));
  draft.section('routing', {
    breaker: defined({ failures: breaker?.number('failure_threshold'), cooldown, max_cooldown: cooldown }),
  });
  const health = given.part('health_check');
  draft.section('health', {
    interval: seconds(health?.number('interval')),
    timeout: seconds(health?.number('timeout')),
  });
  const logging = given.part('logging');
  const level = LEVELS[logging?.text('level')?.toLowerCase() ?? ''];
  const format = logging?.text('format');
  draft.section('logging', { level, format: format === 'json' ? 'json' : undefined });
  for (const name of ['routing', 'health', 'logging', 'server'])
    if (Object.keys(draft.sections.get(name) ?? {}).length === 0) draft.sections.delete(name);
}

const LEVELS: Readonly<Record<string, string>> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
};

function provider(row: Given, draft: Draft): void {
  const written = row.text('type', 'provider_type')?.toLowerCase() ?? 'openai';
  const base = keyOrUndefined(row.text('base_url', 'endpoint', 'url', 'api_base'));
  const type = typeOf(written, base);
  const notes = new Set<string>();
  if (type !== written) notes.add(`Its type was ${written}.`);
  const env = row.text('api_key_env');
  const key = env === undefined ? keyOrUndefined(row.text('api_key')) : { env };
  const limit = row.number('rate_limit', 'rate_limit_per_minute');
  const url = address(base, draft, type === 'azure' ? '/openai/v1' : type === 'ollama' ? '/v1' : '');
  const made = draft.provider(row.text('name') ?? type, {
    type,
    base_url: isUsual(type, url) ? undefined : url,
    ...draft.keyFields(type, key, notes),
    enabled: row.flag('enabled') === false ? false : undefined,
    priority: whole(row.number('priority')),
    weight: row.number('weight'),
    timeout: seconds(row.number('timeout')),
    max_retries: whole(row.number('max_retries')),
    retry_delay: seconds(row.number('retry_delay')),
    rate_limit: limit !== undefined && limit > 0 ? Math.trunc(limit) : undefined,
    max_connections: whole(row.number('max_connections')),
    keepalive_timeout: seconds(row.number('keepalive_timeout')),
    custom_headers: headersOf(row.part('custom_headers'), draft, keyOf),
  });
  for (const note of notes) made.notes.add(note);
  for (const model of row.texts('models') ?? []) draft.model(made, model);
}

/** The default URLs of a type, with and without what the vendor's clients append. */
function isUsual(type: string, url: string | undefined): boolean {
  return url !== undefined && (USUAL[type] ?? []).includes(url);
}

const USUAL: Readonly<Record<string, readonly string[]>> = {
  openai: ['https://api.openai.com/v1', 'https://api.openai.com'],
  anthropic: ['https://api.anthropic.com', 'https://api.anthropic.com/v1'],
  cohere: [
    'https://api.cohere.com',
    'https://api.cohere.ai',
    'https://api.cohere.ai/v1',
    'https://api.cohere.com/v1',
  ],
};

function typeOf(written: string, base: Key | undefined): string {
  const known: Readonly<Record<string, string>> = {
    azure_openai: 'azure',
    google: 'gemini',
    grok: 'xai',
    custom: 'openai-compatible',
  };
  const type = known[written] ?? written;
  if (isType(type)) return type;
  return base === undefined ? 'openai' : 'openai-compatible';
}

function whole(count: number | undefined): number | undefined {
  return count === undefined ? undefined : Math.trunc(count);
}

function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Converts `${NAME}` to a variable. */
function keyOf(text: string): Key {
  const env = /^\$\{?(\w+)(?::-[^}]*)?\}?$/.exec(text.trim())?.[1];
  return env === undefined ? { literal: text } : { env };
}

function keyOrUndefined(text: string | undefined): Key | undefined {
  return text === undefined || text === '' ? undefined : keyOf(text);
}
