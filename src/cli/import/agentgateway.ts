/** The parts of agentgateway's configuration that concern models. @see https://agentgateway.dev/docs/standalone/latest/llm */
import type { Draft } from './draft.ts';
import type { Given } from './given.ts';
import type { Add } from './agentgateway-values.ts';
import type { Deployment, Group } from './routes.ts';
import { simplified, virtualModel } from './agentgateway-models.ts';
import { backendsIn, routed } from './agentgateway-routes.ts';
import { asKey } from './agentgateway-values.ts';
import { clientKey } from './client-keys.ts';
import { windowOf } from './fields.ts';
import { addRoutes } from './routes.ts';

export const AGENTGATEWAY_REASONS: Readonly<Record<string, string>> = {
  config: 'it is about the gateway itself',
  mcp: 'it is no proxy for MCP',
  'llm.policies': 'see auth, groups, rate_limits and plugins (docs/keys.md, docs/plugins.md)',
  'llm.models[].matches': 'a model is selected only by its name',
  'llm.models[].guardrails': 'write a plugin with hooks (docs/plugins.md)',
  'llm.models[].health': 'see `health` and `routing.breaker`',
  'llm.models[].visibility': 'every model of a provider may be requested; `models` of a key limits it',
  'llm.models[].serverTools': 'only providers run tools',
  'binds[].listeners[].routes[].policies':
    'see auth, rate_limits and plugins (docs/keys.md, docs/plugins.md)',
  'binds[].listeners[].tls': 'see `server.tls` (docs/network.md)',
};

export function fromAgentgateway(given: Given, draft: Draft): void {
  const groups = new Map<string, { deployments: Deployment[]; notes: string[] }>();
  const add: Add = (name, deployment, note) => {
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
      'A route sent all requests to its providers, whatever model they named: llmproxy selects by the name of the model.',
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
  prices(given.part('config')?.part('pricing'), draft);
}

/** USD per million tokens, as here. */
function prices(pricing: Given | undefined, draft: Draft): void {
  for (const [model, each] of pricing?.part('models')?.named() ?? []) {
    const [input, output] = [each.number('input'), each.number('output')];
    const [cached, cacheWrite] = [each.number('cacheRead'), each.number('cacheWrite')];
    if (input === undefined || output === undefined)
      draft.notes.add(`The price of ${model} lacks its input or its output, and is left out.`);
    else draft.append('prices', { model, input, output, cached, cache_write: cacheWrite });
  }
}

/** Keys of clients, and limits for everybody. */
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
        'A local rate limit has an interval for which there is no window: see rate_limits (docs/keys.md).',
      );
  }
}

function hashedKey(draft: Draft, name: string, hash: string): void {
  const before = (draft.sections.get('auth') as { keys?: readonly object[] } | undefined)?.keys ?? [];
  draft.section('auth', {
    keys: [...before, { name, hash: `sha256:${hash.replace(/^sha256:/i, '').toLowerCase()}` }],
  });
}
