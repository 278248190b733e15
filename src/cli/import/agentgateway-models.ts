/** agentgateway's `llm.models` and `llm.virtualModels`. */
import type { Draft, DraftProvider } from './draft.ts';
import type { Given } from './given.ts';
import type { Add } from './agentgateway-values.ts';
import { asKey, bareHost, hostName, keyOf, missing, TYPES, variable } from './agentgateway-values.ts';
import { isType } from './draft.ts';
import { address, headersOf } from './fields.ts';

/** A row of `llm.models`. */
export function simplified(model: Given, draft: Draft, add: Add): void {
  const name = model.text('name') ?? '*';
  const params = model.part('params');
  const custom = model.part('provider');
  const formats = (custom?.part('custom')?.list('formats') ?? []).map((each) => each.text('type'));
  const own = formats.includes('messages') && !formats.includes('completions') ? 'anthropic' : 'custom';
  const vendor = model.text('provider') ?? (custom ? own : 'openAI');
  const provider = providerOf({ vendor, params, model }, draft);
  const upstream = params?.text('model') ?? name;
  const note = model.has('matches')
    ? 'It was selected by headers or similar conditions: llmproxy selects it only by its name.'
    : undefined;
  if (provider) add(name, { target: draft.model(provider, upstream), weight: model.number('weight') }, note);
  else {
    model.skip(...model.keys);
    draft.notes.add(`${name}: an unknown vendor: it is left out.`);
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

/** A name with several models, chosen by weight or tried in order. */
export function virtualModel(virtual: Given, draft: Draft): void {
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
