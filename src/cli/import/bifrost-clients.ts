/** Bifrost's virtual keys, and its settings for all clients. */
import type { Draft } from './draft.ts';
import type { Given } from './given.ts';
import { keyOf, textOf } from './bifrost-values.ts';
import { clientKey } from './client-keys.ts';
import { windowOf } from './fields.ts';

/** Virtual keys, with their budgets and rate limits. */
export function governance(given: Given | undefined, draft: Draft): void {
  const budgets = new Map(given?.list('budgets').map((each) => [each.text('id'), each]));
  const rates = new Map(given?.list('rate_limits').map((each) => [each.text('id'), each]));
  for (const key of given?.list('virtual_keys') ?? []) {
    const written = keyOf(textOf(key, 'value'));
    const name = key.text('name') ?? key.text('id');
    key.skip('id', 'description');
    if (written === undefined || name === undefined) continue;
    const providers = key.list('provider_configs').map((each) => {
      const models = each.texts('allowed_models') ?? [];
      const provider = each.text('provider');
      // Providers are named after the vendors, one for each key.
      return models.length === 0 || models.includes('*')
        ? `${provider}/*`
        : models.map((model) => `${provider}/${model}`);
    });
    const limits = [
      ...budgetOf(budgets.get(key.text('budget_id'))),
      ...ratesOf(rates.get(key.text('rate_limit_id'))),
    ];
    clientKey(draft, {
      name,
      key: written,
      fields: {
        ...(providers.length > 0 ? { models: providers.flat() } : {}),
        ...(limits.length > 0 ? { limits } : {}),
        ...(key.flag('is_active') === false ? { disabled: true } : {}),
      },
    });
  }
}

function budgetOf(budget: Given | undefined): object[] {
  const amount = budget?.number('max_limit');
  const span = budget?.text('reset_duration');
  budget?.skip('current_usage', 'last_reset', 'calendar_aligned');
  return amount === undefined ? [] : [{ budget: amount, per: windowOf(span) ?? 'total' }];
}

function ratesOf(rate: Given | undefined): object[] {
  return (['token', 'request'] as const).flatMap((kind) => {
    const amount = rate?.number(`${kind}_max_limit`);
    const per = windowOf(rate?.text(`${kind}_reset_duration`)) ?? 'minute';
    return amount === undefined ? [] : [{ [`${kind}s`]: Math.trunc(amount), per }];
  });
}

/** Limits on requests, and how much of them is logged. */
export function client(given: Given | undefined, draft: Draft): void {
  const megabytes = given?.number('max_request_body_size_mb');
  if (megabytes !== undefined) draft.section('limits', { max_body: `${Math.ceil(megabytes)}MiB` });
  const origins = given?.texts('allowed_origins');
  if (origins !== undefined && origins.length > 0) draft.section('server', { cors: { origins } });
  const days = given?.number('log_retention_days');
  const off = given?.flag('enable_logging') === false;
  const bare = given?.flag('disable_content_logging') === true;
  const requests = {
    ...(off ? { enabled: false } : {}),
    ...(bare ? { content: 'metadata' } : {}),
    ...(days === undefined ? {} : { retention: `${Math.max(1, Math.trunc(days))}d` }),
  };
  if (Object.keys(requests).length > 0) draft.section('logging', { requests });
  draft.section('server', { port: 8080 });
}
