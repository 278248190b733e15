/** Bifrost's config.json. @see https://docs.getbifrost.ai/deployment-guides/config-json */
import type { Draft, DraftProvider, Key } from './draft.ts';
import type { Given } from './given.ts';
import type { Deployment, Group } from './routes.ts';
import type { VendorKey } from './bifrost-clients.ts';
import { client, governance } from './bifrost-clients.ts';
import { keyOf, textOf } from './bifrost-values.ts';
import { isType } from './draft.ts';
import { address, headersOf, milliseconds, seconds } from './fields.ts';
import { addRoutes } from './routes.ts';

export const BIFROST_REASONS: Readonly<Record<string, string>> = {
  $schema: 'it is not needed',
  mcp: 'it is no proxy for MCP',
  config_store: 'no database is needed: this file is the configuration',
  logs_store: 'the request log consists of files (docs/log-format.md)',
  vector_store: 'answers are not cached',
  encryption_key: 'no secrets are stored',
  plugins: 'plugins are written in TypeScript (docs/plugins.md)',
  framework: 'prices are built in; `prices` overrides them',
  client: 'it is not needed, or has no counterpart',
  'governance.auth_config': 'the page at / asks for a key with `ops`',
  'governance.customers': 'see `groups` (docs/keys.md)',
  'governance.teams': 'see `groups` (docs/keys.md)',
  '*.buffer_size': 'requests do not wait in a buffer: other targets are tried',
  '*.proxy_config': 'set HTTPS_PROXY',
  '*.use_for_batch_api': 'see `passthrough` of a provider (docs/passthrough.md)',
  '*.access_key': 'set AWS_ACCESS_KEY_ID, or a profile',
  '*.secret_key': 'set AWS_SECRET_ACCESS_KEY, or a profile',
  '*.session_token': 'set AWS_SESSION_TOKEN, or a profile',
  '*.auth_credentials': 'name the key file: credentials_file, or GOOGLE_APPLICATION_CREDENTIALS',
};

const TYPES: Readonly<Record<string, string>> = {
  parasail: 'openai-compatible',
  nebius: 'openai-compatible',
  sgl: 'openai-compatible',
  vllm: 'vllm',
};

const ADDRESSES: Readonly<Record<string, string>> = {
  parasail: 'https://api.parasail.io/v1',
  nebius: 'https://api.studio.nebius.ai/v1',
};

export function fromBifrost(given: Given, draft: Draft): void {
  const keys = (given.part('providers')?.named() ?? []).flatMap(([name, part]) =>
    provider(name, part, draft),
  );
  governance(given.part('governance'), keys, draft);
  client(given.part('client'), draft);
}

/** @returns its keys, each of which is a provider here */
function provider(name: string, part: Given, draft: Draft): VendorKey[] {
  const custom = part.part('custom_provider_config')?.text('base_provider_type');
  const kind = custom ?? name;
  const network = part.part('network_config');
  const base = keyOf(network?.text('base_url'));
  const type =
    isType(kind) && !(custom === 'openai' && base)
      ? kind
      : (TYPES[kind] ?? (base ? 'openai-compatible' : undefined));
  if (type === undefined) {
    part.skip(...part.keys);
    draft.notes.add(`${name}: an unknown vendor: it is left out.`);
    return [];
  }
  const keys = part.list('keys');
  const made = (keys.length > 0 ? keys : [undefined]).map((key) => {
    const row = keyed({ name, type, key, network, part, base }, draft);
    const aliases = aliasesOf(key);
    const models = key?.texts('models');
    key?.skip('enabled');
    return {
      ids: [key?.text('id'), key?.text('name')].filter((id) => id !== undefined),
      row,
      models: models === undefined || models.length === 0 ? ['*'] : models,
      aliases,
      weight: key?.number('weight'),
    };
  });
  const groups = new Map<string, Deployment[]>();
  const requested = new Set(made.flatMap(({ models, aliases }) => [...models, ...aliases.keys()]));
  for (const { row, models, aliases } of made)
    for (const model of new Set([...models, ...aliases.keys()]))
      draft.model(row, aliases.get(model) ?? model);
  // A key for all models gets its share of each.
  for (const model of requested) {
    const serving = made.filter(
      ({ models, aliases }) => models.includes(model) || models.includes('*') || aliases.has(model),
    );
    const deployments = serving.map(({ row, aliases, weight }) => ({
      target: `${row.name}/${aliases.get(model) ?? model}`,
      weight,
    }));
    groups.set(`${name}/${model}`, deployments);
  }
  const all = [...groups].map(([requested, deployments]): Group => ({
    name: requested,
    deployments,
    fallbacks: [],
  }));
  addRoutes(draft, all);
  return made.map(({ ids, row }) => ({ vendor: name, ids, provider: row.name }));
}

interface Keyed {
  readonly name: string;
  readonly type: string;
  readonly key: Given | undefined;
  readonly network: Given | undefined;
  readonly part: Given;
  readonly base: Key | undefined;
}

/** One provider per key, since each has its own variable, weight and models. */
function keyed({ name, type, key, network, part, base }: Keyed, draft: Draft): DraftProvider {
  const notes = new Set<string>();
  const azure = key?.part('azure_key_config');
  const vertex = key?.part('vertex_key_config');
  const bedrock = key?.part('bedrock_key_config');
  const version = textOf(azure, 'api_version');
  const endpoint = keyOf(textOf(azure, 'endpoint')) ?? base;
  const path = type === 'azure' && version === undefined ? '/openai/v1' : needsV1(type) ? '/v1' : '';
  const text = (from: Given | undefined, field: string, fallback: string) => {
    const found = keyOf(textOf(from, field));
    return found === undefined
      ? undefined
      : 'env' in found
        ? draft.variable(found.env, fallback)
        : found.literal;
  };
  const row = draft.provider(name, {
    type,
    base_url:
      address(endpoint, draft, path) ?? ADDRESSES[name] ?? (type === 'azure' ? missing(notes) : undefined),
    ...draft.keyFields(type, keyOf(textOf(key, 'value')), notes),
    api_version: version === undefined ? undefined : text(azure, 'api_version', 'preview'),
    tenant_id: text(azure, 'tenant_id', 'unset'),
    client_id: text(azure, 'client_id', 'unset'),
    project: text(vertex, 'project_id', 'unset'),
    region: text(vertex, 'region', 'global') ?? text(bedrock, 'region', 'us-east-1'),
    timeout: seconds(network?.number('default_request_timeout_in_seconds')),
    max_retries: bounded(network?.number('max_retries')),
    retry_delay: milliseconds(network?.number('retry_backoff_initial', 'retry_backoff_initial_ms')),
    max_connections: part.part('concurrency_and_buffer_size')?.number('concurrency'),
    custom_headers: headersOf(
      network?.part('extra_headers'),
      draft,
      (value) => keyOf(value) ?? { literal: value },
    ),
  });
  for (const note of notes) row.notes.add(note);
  return row;
}

function missing(notes: Set<string>): string {
  notes.add('The file contains no address: add it here.');
  return 'https://address-is-missing.invalid/openai/v1';
}

function needsV1(type: string): boolean {
  return ['vllm', 'ollama', 'openai-compatible', 'openai'].includes(type);
}

function bounded(count: number | undefined): number | undefined {
  return count === undefined ? undefined : Math.min(10, Math.max(0, Math.trunc(count)));
}

/** Aliases of models. */
function aliasesOf(key: Given | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const configs = [
    key,
    key?.part('azure_key_config'),
    key?.part('vertex_key_config'),
    key?.part('bedrock_key_config'),
  ];
  for (const config of configs) {
    for (const field of ['aliases', 'deployments']) {
      const aliases = config?.part(field);
      for (const alias of aliases?.keys ?? []) {
        const model = aliases!.text(alias) ?? aliases!.part(alias)?.text('model_id');
        if (model !== undefined) found.set(alias, model);
      }
    }
  }
  return found;
}
