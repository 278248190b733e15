/** The `ai` backends in agentgateway's routes. */
import type { Draft, DraftProvider } from './draft.ts';
import type { Given } from './given.ts';
import type { Add } from './agentgateway-values.ts';
import { keyOf, missing, TYPES, variable } from './agentgateway-values.ts';
import { address } from './fields.ts';

/** Finds `ai` backends in all routes. */
export function backendsIn(given: Given): { readonly ai: Given; readonly policies: readonly Given[] }[] {
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

/** An `ai` backend: one provider, or groups of them, of which later ones are used when earlier ones fail. */
export function routed(
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
        draft.notes.add(`${row.text('name') ?? vendor}: an unknown vendor: it is left out.`);
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
