/** agentgateway's configuration, as far as it is about models. @see https://agentgateway.dev/docs/standalone/latest/llm */
import type { Draft, DraftProvider, Key } from './draft.ts';
import type { Given } from './given.ts';
import type { Deployment, Group } from './routes.ts';
import { clientKey } from './client-keys.ts';
import { isType } from './draft.ts';
import { address, headersOf, windowOf } from './fields.ts';
import { addRoutes } from './routes.ts';

export const AGENTGATEWAY_REASONS: Readonly<Record<string, string>> = {
  config: 'it is about the gateway itself',
  mcp: 'it is no proxy for MCP',
  'llm.policies': 'see auth, groups, rate_limits and plugins (docs/keys.md, docs/plugins.md)',
  'llm.models[].matches': 'a model is chosen by its name alone',
  'llm.models[].guardrails': 'write a plugin with hooks (docs/plugins.md)',
  'llm.models[].health': 'see `health` and `routing.breaker`',
  'llm.models[].visibility': 'every model of a provider may be asked for; `models` of a key limits it',
  'llm.models[].serverTools': 'tools are run by providers alone',
  'binds[].listeners[].routes[].policies':
    'see auth, rate_limits and plugins (docs/keys.md, docs/plugins.md)',
  'binds[].listeners[].tls': 'see `server.tls` (docs/network.md)',
};

const TYPES: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'gemini',
  vertex: 'vertex',
  bedrock: 'bedrock',
  azure: 'azure',
  azureopenai: 'azure',
  custom: 'openai-compatible',
};

export function fromAgentgateway(given: Given, draft: Draft): void {
  const groups = new Map<string, { deployments: Deployment[]; notes: string[] }>();
  const add = (name: string, deployment: Deployment, note?: string) => {
    const group = groups.get(name) ?? { deployments: [], notes: [] };
    group.deployments.push(deployment);
    if (note !== undefined) group.notes.push(note);
    groups.set(name, group);
  };
  const llm = given.part('llm');
  for (const model of llm?.list('models') ?? []) simplified(model, draft, add);
  const backends = backendsIn(given);
  for (const ai of backends) routed(ai, draft, add);
  if (backends.length > 0)
    draft.notes.add(
      'A route sent all requests to its providers, whatever model they named: here the name of the model chooses.',
    );
  const port = llm?.number('port') ?? given.list('binds')[0]?.number('port');
  if (port !== undefined) draft.section('server', { port });
  const own = [...groups].map(([name, { deployments, notes }]): Group => ({
    name,
    deployments,
    fallbacks: [],
    notes,
  }));
  addRoutes(draft, own);
  for (const virtual of llm?.list('virtualModels') ?? []) virtualModel(virtual, draft);
  clients(llm?.part('policies'), draft);
}

type Add = (name: string, deployment: Deployment, note?: string) => void;

/** A row of `llm.models`. */
function simplified(model: Given, draft: Draft, add: Add): void {
  const name = model.text('name') ?? '*';
  const params = model.part('params');
  const custom = model.part('provider');
  const formats = (custom?.part('custom')?.list('formats') ?? []).map((each) => each.text('type'));
  const own = formats.includes('messages') && !formats.includes('completions') ? 'anthropic' : 'custom';
  const vendor = model.text('provider') ?? (custom ? own : 'openAI');
  const provider = providerOf({ vendor, params, model }, draft);
  const upstream = params?.text('model') ?? name;
  const note = model.has('matches')
    ? 'It was chosen by headers or the like: here by its name alone.'
    : undefined;
  if (provider) add(name, { target: draft.model(provider, upstream), weight: model.number('weight') }, note);
  else {
    model.skip(...model.keys);
    draft.notes.add(`${name}: a vendor that is not known here: it is left out.`);
  }
}

interface Described {
  readonly vendor: string;
  readonly params: Given | undefined;
  readonly model: Given;
}

function providerOf({ vendor, params, model }: Described, draft: Draft): DraftProvider | undefined {
  const lower = vendor.toLowerCase();
  const base = keyOf(params?.text('baseUrl') ?? params?.text('hostOverride'));
  const isOwn =
    lower === 'openai' && base !== undefined && !('literal' in base && /api\.openai\.com/.test(base.literal));
  const type = isOwn ? 'openai-compatible' : (TYPES[lower] ?? (isType(lower) ? lower : undefined));
  if (type === undefined) return undefined;
  const notes = new Set<string>();
  const auth = model.part('auth');
  const key = auth?.part('key')?.text('value') ?? auth?.text('key') ?? params?.text('apiKey');
  const headers = model.part('requestHeaders');
  const version = params?.text('azureApiVersion', 'apiVersion');
  const dated = version !== undefined && version !== 'v1' ? version : undefined;
  const resource = params?.text('azureResourceName', 'resourceName');
  const host =
    params?.text('azureHost', 'host') ??
    (resource === undefined ? undefined : `https://${resource}.openai.azure.com`);
  const usual = type === 'azure' ? (keyOf(host) ?? base) : base;
  const path =
    type === 'azure' && dated === undefined
      ? '/openai/v1'
      : type === 'ollama' || (isOwn && bareHost(base))
        ? '/v1'
        : '';
  const text = (field: string, fallback: string) => variable(params?.text(field), draft, fallback);
  const provider = draft.provider(isOwn ? hostName(base) : lower, {
    type,
    base_url:
      address(usual, draft, path) ??
      (type === 'azure' || type === 'openai-compatible' ? missing(notes) : undefined),
    ...draft.keyFields(type, keyOf(key), notes),
    api_version: dated,
    region: text('awsRegion', 'us-east-1') ?? text('vertexRegion', 'global') ?? text('region', 'us-east-1'),
    project: text('vertexProject', 'unset') ?? text('projectId', 'unset'),
    custom_headers: {
      ...headersOf(headers?.part('add'), draft, asKey),
      ...headersOf(headers?.part('set'), draft, asKey),
    },
  });
  for (const note of notes) provider.notes.add(note);
  return provider;
}

/** `ai` backends of routes, wherever they stand. */
function backendsIn(given: Given): { readonly ai: Given; readonly policies: readonly Given[] }[] {
  const listeners = given.list('binds').flatMap((bind) => bind.list('listeners'));
  const routes = [...listeners, ...given.list('listeners'), given].flatMap((each) => each.list('routes'));
  const inRoutes = routes.flatMap((route) =>
    route.list('backends').flatMap((backend) => {
      const ai = backend.part('ai');
      const policies = [backend.part('policies'), route.part('policies')].filter(
        (each) => each !== undefined,
      );
      return ai ? [{ ai, policies }] : [];
    }),
  );
  const alone = given.list('backends').flatMap((backend) => {
    const [ai, policies] = [backend.part('ai'), backend.part('policies')];
    return ai ? [{ ai, policies: policies ? [policies] : [] }] : [];
  });
  return [...inRoutes, ...alone];
}

/** An `ai` backend: one provider, or groups of them, of which the later are asked when the earlier fail. */
function routed(
  { ai, policies }: { readonly ai: Given; readonly policies: readonly Given[] },
  draft: Draft,
  add: Add,
): void {
  const groups = ai.list('groups').map((group) => group.list('providers'));
  const rows = groups.length > 0 ? groups : [[ai]];
  for (const [order, group] of rows.entries()) {
    for (const row of group) {
      const own = row.part('policies');
      const described = vendorOf(row);
      if (!described) continue;
      const key = [own, ...policies].map(backendKey).find((each) => each !== undefined);
      const { vendor, params } = described;
      const provider = plainProvider({ vendor, params, key, row }, draft);
      if (!provider) {
        draft.notes.add(`${row.text('name') ?? vendor}: a vendor that is not known here: it is left out.`);
        continue;
      }
      const model = params.text('model');
      const deployment = { weight: row.number('weight'), order: rows.length > 1 ? order : undefined };
      add(model ?? '*', { target: draft.model(provider, model ?? '*'), ...deployment });
      for (const [alias, target] of aliasesIn([own, ...policies]))
        add(alias, { target: draft.model(provider, target), ...deployment });
    }
  }
}

function vendorOf(row: Given): { vendor: string; params: Given } | undefined {
  const provider = row.part('provider');
  const vendor = provider?.keys[0];
  const params = vendor === undefined ? undefined : provider!.part(vendor);
  return params && vendor !== undefined ? { vendor, params } : undefined;
}

interface Routed {
  readonly vendor: string;
  readonly params: Given;
  readonly key: string | undefined;
  readonly row: Given;
}

function plainProvider({ vendor, params, key, row }: Routed, draft: Draft): DraftProvider | undefined {
  const lower = vendor.toLowerCase();
  const override = row.text('hostOverride');
  const isOwn = lower === 'openai' && override !== undefined;
  const type = isOwn ? 'openai-compatible' : TYPES[lower];
  if (type === undefined) return undefined;
  const notes = new Set<string>();
  const plain = override !== undefined && /^(?:localhost|127\.|\[::1\])/.test(override);
  const own =
    override === undefined ? undefined : `${plain ? 'http' : 'https'}://${override.replace(/:443$/, '')}`;
  const prefix = row.text('pathPrefix') ?? (isOwn ? '/v1' : '');
  const host = params.text('host') ?? resourceHost(params);
  const base = type === 'azure' ? (host ?? own) : own;
  const version = params.text('apiVersion');
  const provider = draft.provider(row.text('name') ?? lower, {
    type,
    base_url:
      address(
        keyOf(base),
        draft,
        type === 'azure' ? (version === undefined || version === 'v1' ? '/openai/v1' : '') : prefix,
      ) ?? (type === 'azure' || type === 'openai-compatible' ? missing(notes) : undefined),
    ...draft.keyFields(type, keyOf(key), notes),
    api_version: version === 'v1' ? undefined : version,
    region: variable(params.text('region'), draft, 'us-east-1'),
    project: variable(params.text('projectId'), draft, 'unset'),
  });
  for (const note of notes) provider.notes.add(note);
  return provider;
}

function resourceHost(params: Given): string | undefined {
  const resource = params.text('resourceName');
  const foundry = params.text('resourceType')?.toLowerCase() === 'foundry';
  return resource === undefined
    ? undefined
    : `https://${resource}.${foundry ? 'services.ai' : 'openai'}.azure.com`;
}

function backendKey(policies: Given | undefined): string | undefined {
  const auth = policies?.part('backendAuth');
  return auth?.text('key') ?? auth?.part('key')?.text('value');
}

function aliasesIn(policies: readonly (Given | undefined)[]): (readonly [string, string])[] {
  return policies.flatMap((each) => {
    const aliases = each?.part('ai')?.part('modelAliases');
    return (aliases?.keys ?? []).flatMap((alias) => {
      const target = aliases!.text(alias);
      return target === undefined ? [] : [[alias, target] as const];
    });
  });
}

function virtualModel(virtual: Given, draft: Draft): void {
  const name = virtual.text('name');
  const routing = virtual.part('routing');
  if (name === undefined || !routing) return;
  const weighted = routing.part('weighted');
  const kind = weighted ?? routing.part('failover');
  const rows = kind?.list('targets') ?? [];
  const ordered = weighted
    ? rows
    : rows.toSorted((a, b) => (a.number('priority') ?? 0) - (b.number('priority') ?? 0));
  const targets = ordered.flatMap((row) => {
    const target = row.text('model');
    row.skip('priority');
    return target === undefined ? [] : [{ target, weight: row.number('weight') }];
  });
  if (targets.length > 0)
    draft.routes.set(name, { targets, weighted: weighted !== undefined, policy: {}, notes: [] });
  else
    draft.notes.add(
      `${name}: it is routed by conditions, which have no counterpart: write a route in \`models\`.`,
    );
}

/** Keys of clients, and limits for all. */
function clients(policies: Given | undefined, draft: Draft): void {
  for (const [index, each] of (policies?.part('apiKey')?.list('keys') ?? []).entries()) {
    const [key, hash] = [each.text('key'), each.text('keyHash')];
    const name = each.part('metadata')?.text('name', 'user', 'id') ?? `client-${index + 1}`;
    if (key !== undefined) clientKey(draft, { name, key: asKey(key) });
    else if (hash !== undefined && /^(?:sha256:)?[0-9a-f]{64}$/i.test(hash)) hashedKey(draft, name, hash);
  }
  for (const limit of policies?.list('localRateLimit') ?? []) {
    const amount = limit.number('tokensPerFill', 'maxTokens');
    const per = windowOf(limit.text('fillInterval'));
    const kind = limit.text('type') === 'tokens' ? 'tokens' : 'requests';
    limit.skip('maxTokens');
    if (amount !== undefined && per !== undefined)
      draft.append('rate_limits', { [kind]: Math.trunc(amount), per });
    else
      draft.notes.add(
        'A local rate limit has an interval that is no window here: see rate_limits (docs/keys.md).',
      );
  }
}

function hashedKey(draft: Draft, name: string, hash: string): void {
  const before = (draft.sections.get('auth') as { keys?: readonly object[] } | undefined)?.keys ?? [];
  draft.section('auth', {
    keys: [...before, { name, hash: `sha256:${hash.replace(/^sha256:/i, '').toLowerCase()}` }],
  });
}

function variable(text: string | undefined, draft: Draft, fallback: string): string | undefined {
  const key = keyOf(text);
  if (key === undefined) return undefined;
  return 'env' in key ? draft.variable(key.env, fallback) : key.literal;
}

/** `$NAME` as a variable. */
function asKey(text: string): Key {
  const env = /^\$\{?(\w+)(?::-[^}]*)?\}?$/.exec(text.trim())?.[1];
  return env === undefined ? { literal: text } : { env };
}

function keyOf(text: string | undefined): Key | undefined {
  return text === undefined || text === '' ? undefined : asKey(text);
}

function bareHost(key: Key | undefined): boolean {
  return (
    key !== undefined &&
    'literal' in key &&
    (URL.parse(/^https?:/.test(key.literal) ? key.literal : `https://${key.literal}`)?.pathname ?? '/') ===
      '/'
  );
}

function hostName(key: Key | undefined): string {
  return key && 'literal' in key
    ? (URL.parse(key.literal)?.hostname ?? key.literal).replace(/^(?:www|api)\./, '')
    : 'openai-compatible';
}

function missing(notes: Set<string>): string {
  notes.add('The file gives no address: put it here.');
  return 'https://address-is-missing.invalid/v1';
}
