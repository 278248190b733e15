/** LiteLLM's config.yaml. @see https://docs.litellm.ai/docs/proxy/config_settings */
import type { Draft, DraftProvider, Key } from './draft.ts';
import type { Given } from './given.ts';
import type { Deployment, Group } from './routes.ts';
import { address, headersOf, seconds } from './fields.ts';
import { fromLitellmText } from './litellm-text.ts';
import { litellmSettings } from './litellm-settings.ts';
import type { Vendor } from './litellm-vendors.ts';
import { azureAi, namedModel, VENDORS } from './litellm-vendors.ts';
import { addRoutes } from './routes.ts';

const HALF_A_PRICE =
  'a price needs both input_cost_per_token and output_cost_per_token; without it, the known price of the model applies';
const NO_REDIS =
  'no Redis is needed: state is kept in files (docs/keys.md); several machines share it by `state.redis` (docs/scale.md)';

/** Why certain parts are not converted, by path. */
export const LITELLM_REASONS: Readonly<Record<string, string>> = {
  'model_list[].model_info': 'it is not needed, or has no counterpart',
  'model_list[].litellm_params.temperature':
    'a default of the client; `request: {set: ...}` would override what clients send',
  'model_list[].litellm_params.max_tokens':
    'a default of the client; `request: {set: ...}` would override what clients send',
  'model_list[].litellm_params.mock_response': 'use a provider of `type: mock`',
  'model_list[].litellm_params.aws_access_key_id': 'set AWS_ACCESS_KEY_ID, or a profile',
  'model_list[].litellm_params.aws_secret_access_key': 'set AWS_SECRET_ACCESS_KEY, or a profile',
  'litellm_settings.callbacks':
    'every request is in the request log and in /metrics; plugins see each record (docs/plugins.md)',
  'litellm_settings.success_callback':
    'every request is in the request log and in /metrics; plugins see each record (docs/plugins.md)',
  'litellm_settings.failure_callback':
    'every request is in the request log and in /metrics; plugins see each record (docs/plugins.md)',
  'litellm_settings.cache': 'answers are not cached',
  'litellm_settings.cache_params': 'answers are not cached',
  'litellm_settings.set_verbose': '`logging: {level: debug}` logs more',
  'router_settings.routing_strategy':
    'targets are selected by order and weight; slow or failing ones are skipped',
  'model_list[].litellm_params.input_cost_per_token': HALF_A_PRICE,
  'model_list[].litellm_params.output_cost_per_token': HALF_A_PRICE,
  'model_list[].model_info.input_cost_per_token': HALF_A_PRICE,
  'model_list[].model_info.output_cost_per_token': HALF_A_PRICE,
  'router_settings.redis_host': NO_REDIS,
  'router_settings.redis_port': NO_REDIS,
  'router_settings.redis_password': NO_REDIS,
  'router_settings.redis_url': NO_REDIS,
  'general_settings.coordination_redis': NO_REDIS,
  'general_settings.use_redis_transaction_buffer': NO_REDIS,
  'general_settings.database_url':
    'no database is needed; create the keys of the database again with `llmproxy keys create NAME`',
  'general_settings.store_model_in_db': 'all models are in this file',
  'general_settings.pass_through_endpoints': 'see `passthrough` of a provider (docs/passthrough.md)',
  guardrails: 'write a plugin with hooks (docs/plugins.md)',
  mcp_servers: 'it is no proxy for MCP',
  environment_variables: 'put them in a file for --env-file',
  include: 'import each of these files as well, and combine the results',
};

export function fromLitellm(given: Given, draft: Draft): void {
  const groups = new Map<string, Deployment[]>();
  const notes = new Map<string, string[]>();
  for (const entry of given.list('model_list')) {
    const name = entry.text('model_name') ?? entry.part('litellm_params')?.text('model');
    if (name === undefined) continue;
    const found = deployment(entry, draft);
    if (typeof found === 'string') notes.set(name, [...(notes.get(name) ?? []), found]);
    else groups.set(name, [...(groups.get(name) ?? []), found]);
  }
  for (const [name, remarks] of notes)
    for (const line of remarks) if (!groups.has(name)) draft.notes.add(`${name}: ${line}`);
  const settings = litellmSettings(given, draft);
  const all = [...groups].map(([name, deployments]): Group => ({
    name,
    deployments,
    fallbacks: settings.fallbacksOf(name),
    contentPolicy: settings.contentPolicyOf(name),
    notes: notes.get(name) ?? [],
  }));
  addRoutes(draft, all);
  for (const [alias, target] of settings.aliases)
    draft.routes.set(alias, { targets: [{ target }], weighted: false, policy: {}, notes: [] });
}

/** Converts a row of model_list to a model of a provider, or explains why it cannot. */
function deployment(entry: Given, draft: Draft): Deployment | string {
  const params = entry.part('litellm_params');
  const info = entry.part('model_info');
  const written = params?.text('model');
  if (!params || written === undefined) return 'it names no litellm_params.model';
  const { vendor, model } = namedModel(written, params.text('custom_llm_provider'));
  const known = vendor === undefined ? undefined : VENDORS[vendor];
  if (vendor === undefined || !known) {
    // The row is mentioned as a whole, in one line.
    for (const part of [params, info]) part?.skip(...part.keys);
    return `${written} is of an unknown vendor: it is left out.`;
  }
  const own = vendor === 'azure_ai' ? azureAi(model, params) : known;
  const provider = providerOf({ name: vendor, vendor: own, params }, draft);
  info?.skip('id', 'mode', 'base_model', 'litellm_provider', 'key', 'db_model');
  const target = draft.model(provider, model === '' ? '*' : model, {
    price: price(model, params, info),
    timeout: seconds(params.number('timeout')),
    rate_limit: rate(params, entry),
    context_window: info?.number('max_input_tokens'),
    max_output: info?.number('max_output_tokens', 'max_tokens'),
    request: dropped(params),
  });
  return { target, weight: params.number('weight'), order: params.number('order') };
}

/** A vendor of a deployment. */
interface Source {
  /** LiteLLM's name of it. */
  readonly name: string;
  readonly vendor: Vendor;
  readonly params: Given;
}

function providerOf({ name, vendor, params }: Source, draft: Draft): DraftProvider {
  const { type, keyEnv, baseUrl, path } = vendor;
  const notes = new Set<string>();
  const text = params.text('api_base', 'base_url');
  // The address of Foundry's older API ends with /models.
  const written = name === 'azure_ai' ? text?.replace(/\/models\/*$/, '') : text;
  const isOwn = type === 'openai' && written !== undefined && !/\bapi\.openai\.com\b/.test(written);
  const kind = isOwn ? 'openai-compatible' : type;
  const apiVersion = environment(params.text('api_version'), draft, 'preview');
  const base = address(
    referenced(written) ?? written,
    draft,
    kind === 'azure' && apiVersion === undefined ? '/openai/v1' : path,
  );
  const key = keyOf(params.text('api_key')) ?? (keyEnv !== undefined && !isOwn ? { env: keyEnv } : undefined);
  const organization = params.text('organization');
  const vertex = environment(params.text('vertex_project'), draft, 'unset');
  const headers = {
    ...headersOf(params.part('extra_headers') ?? params.part('headers'), draft, fromLitellmText),
    ...(organization === undefined ? {} : { 'OpenAI-Organization': environment(organization, draft, '')! }),
  };
  const needsAddress = kind === 'azure' || kind === 'openai-compatible';
  const provider = draft.provider(isOwn ? hostName(base) : name.replaceAll('_', '-'), {
    type: kind,
    base_url: base ?? baseUrl ?? (needsAddress ? missingAddress(notes) : undefined),
    ...draft.keyFields(kind, key, notes),
    api_version: kind === 'azure' ? apiVersion : undefined,
    region: kind === 'bedrock' || kind === 'vertex' ? region(params, draft) : undefined,
    project: vertex,
    credentials_file: environment(params.text('vertex_credentials'), draft, 'credentials.json'),
    profile: environment(params.text('aws_profile_name'), draft, 'default'),
    tenant_id: environment(params.text('tenant_id'), draft, 'unset'),
    client_id: environment(params.text('client_id'), draft, 'unset'),
    custom_headers: headers,
    max_retries: retries(params),
  });
  for (const note of notes) provider.notes.add(note);
  return provider;
}

function missingAddress(notes: Set<string>): string {
  notes.add('The file contains no address: add it here.');
  return 'https://address-is-missing.invalid/v1';
}

function region(params: Given, draft: Draft): string | undefined {
  const written = params.text('aws_region_name', 'vertex_location', 'region_name');
  return environment(written, draft, 'us-east-1');
}

function retries(params: Given): number | undefined {
  const count = params.number('max_retries', 'num_retries');
  return count === undefined ? undefined : Math.min(10, Math.max(0, Math.trunc(count)));
}

/** In older files they are beside litellm_params. */
function rate(params: Given, entry: Given): object | undefined {
  const requests = positive(params.number('rpm') ?? entry.number('rpm'));
  const tokens = positive(params.number('tpm') ?? entry.number('tpm'));
  return requests === undefined && tokens === undefined ? undefined : { requests, tokens };
}

function positive(count: number | undefined): number | undefined {
  return count !== undefined && count > 0 ? Math.trunc(count) : undefined;
}

/** Half a price would make the other half free, unless the model's answers have no tokens. */
function price(model: string, params: Given, info: Given | undefined): object | undefined {
  const isKnown = (name: string) => params.has(name) || info?.has(name) === true;
  const isFree = info?.text('mode') === 'embedding' || /embed|rerank|^voyage-/.test(model);
  if (!isKnown('input_cost_per_token') || !(isFree || isKnown('output_cost_per_token'))) return undefined;
  const usd = (name: string): number | undefined => {
    const token = params.number(name) ?? info?.number(name);
    return token === undefined ? undefined : Number((token * 1e6).toPrecision(12));
  };
  const [input, output] = [usd('input_cost_per_token'), usd('output_cost_per_token')];
  return {
    input: input ?? 0,
    output: output ?? 0,
    ...withoutUndefined({
      cached: usd('cache_read_input_token_cost'),
      cache_write: usd('cache_creation_input_token_cost'),
    }),
  };
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function dropped(params: Given): object | undefined {
  const drop = params.texts('additional_drop_params');
  return drop === undefined ? undefined : { drop };
}

function keyOf(text: string | undefined): Key | undefined {
  return text === undefined || text === '' ? undefined : fromLitellmText(text);
}

/** A variable in the notation that the URL parser accepts. */
function referenced(text: string | undefined): Key | undefined {
  const key = keyOf(text);
  return key && 'env' in key ? key : undefined;
}

/** A text that may be a reference to a variable. */
function environment(text: string | undefined, draft: Draft, fallback: string): string | undefined {
  const key = keyOf(text);
  if (key === undefined) return undefined;
  return 'env' in key ? draft.variable(key.env, fallback) : key.literal;
}

function hostName(base: string | undefined): string {
  return URL.parse(base ?? '')?.hostname.replace(/^(?:www|api)\./, '') ?? 'openai-compatible';
}
