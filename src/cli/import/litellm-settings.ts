/** LiteLLM's settings for the router, the library and the server. */
import type { Draft } from './draft.ts';
import type { Given } from './given.ts';
import { seconds, windowOf } from './fields.ts';
import { clientKey } from './client-keys.ts';
import { fromLitellmText } from './litellm-text.ts';

export interface LitellmSettings {
  /** The fallbacks of a model, best first. */
  fallbacksOf(name: string): readonly string[];
  contentPolicyOf(name: string): boolean;
  readonly aliases: readonly (readonly [alias: string, target: string])[];
}

/** LiteLLM's default port. */
const PORT = 4000;

export function litellmSettings(given: Given, draft: Draft): LitellmSettings {
  const library = given.part('litellm_settings');
  const router = given.part('router_settings');
  const general = given.part('general_settings');
  const both = [router, library].filter((part) => part !== undefined);
  draft.section('server', { port: general?.number('port') ?? PORT });
  masterKey(general, draft);
  routing(both, draft);
  budget(library, draft);
  limits(general, library, draft);
  const [plain, context, policy] = ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'].map(
    (key) => pairsIn(both, key),
  );
  const last = both.flatMap((part) => part.texts('default_fallbacks') ?? []);
  if (context!.size > 0)
    draft.notes.add('context_window_fallbacks are also tried after other failures: a route has one order.');
  return {
    fallbacksOf: (name) => {
      const all = [plain!, context!, policy!].flatMap((map) => map.get(name) ?? map.get('*') ?? []);
      return [...new Set([...all, ...last])].filter((each) => each !== name);
    },
    contentPolicyOf: (name) => policy!.has(name) || policy!.has('*'),
    aliases: aliasesIn(both),
  };
}

/** `[{gpt-4: [a, b]}]` */
function pairsIn(parts: readonly Given[], key: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const part of parts)
    for (const pair of part.list(key))
      for (const name of pair.keys)
        found.set(name, [...(found.get(name) ?? []), ...(pair.texts(name) ?? [])]);
  return found;
}

function aliasesIn(parts: readonly Given[]): (readonly [string, string])[] {
  return parts.flatMap((part) => {
    const aliases = part.part('model_group_alias');
    return (aliases?.keys ?? []).flatMap((alias) => {
      const target = aliases!.part(alias)?.text('model') ?? aliases!.text(alias);
      return target === undefined ? [] : [[alias, target] as const];
    });
  });
}

function masterKey(general: Given | undefined, draft: Draft): void {
  const written = general?.text('master_key');
  if (written === undefined) return;
  clientKey(draft, { name: 'master', key: fromLitellmText(written), fields: { ops: true } });
  draft.notes.add(
    'Keys that LiteLLM keeps in its database are not in the file: create them with `llmproxy keys create NAME`.',
  );
}

function routing(parts: readonly Given[], draft: Draft): void {
  const first = (...keys: string[]) =>
    parts.map((part) => part.number(...keys)).find((each) => each !== undefined);
  const retries = first('num_retries');
  const timeout = seconds(first('request_timeout', 'timeout'));
  const [fails, cooldown] = [first('allowed_fails'), seconds(first('cooldown_time'))];
  for (const provider of draft.providers) {
    const fields = provider.fields as Record<string, unknown>;
    if (retries !== undefined) fields.max_retries ??= Math.min(10, Math.max(0, Math.trunc(retries)));
    if (timeout !== undefined) fields.timeout ??= timeout;
  }
  const breaker = {
    ...(fails === undefined ? {} : { failures: Math.max(1, Math.trunc(fails) + 1) }),
    ...(cooldown === undefined ? {} : { cooldown, max_cooldown: cooldown }),
  };
  if (Object.keys(breaker).length > 0) draft.section('routing', { breaker });
  if (parts.some((part) => part.flag('drop_params') === false))
    draft.section('routing', { unsupported: 'error' });
}

function budget(library: Given | undefined, draft: Draft): void {
  const amount = library?.number('max_budget');
  const span = library?.text('budget_duration');
  if (amount !== undefined) draft.append('rate_limits', { budget: amount, per: windowOf(span) ?? 'total' });
  if (amount !== undefined && span !== undefined && windowOf(span) === undefined)
    draft.notes.add(`budget_duration ${span} is no window here: the budget is for all time.`);
  const user = library?.number('max_end_user_budget');
  if (user !== undefined) draft.append('rate_limits', { budget: user, per: 'total', each: 'user' });
}

function limits(general: Given | undefined, library: Given | undefined, draft: Draft): void {
  const parallel =
    general?.number('global_max_parallel_requests') ?? library?.number('max_parallel_requests');
  if (parallel !== undefined) draft.append('rate_limits', { concurrent: Math.trunc(parallel) });
  const megabytes = general?.number('max_request_size_mb');
  if (megabytes !== undefined) draft.section('limits', { max_body: `${Math.ceil(megabytes)}MiB` });
  if (library?.flag('turn_off_message_logging'))
    draft.section('logging', { requests: { content: 'metadata' } });
}
