/** Bifrost's virtual keys, and its settings for all clients. */
import type { Draft } from './draft.ts';
import type { Given } from './given.ts';
import { keyOf, textOf } from './bifrost-values.ts';
import { clientKey } from './client-keys.ts';
import { windowOf } from './fields.ts';

/** A vendor's key in the file. */
export interface VendorKey {
  readonly vendor: string;
  /** By which virtual keys refer to it. */
  readonly ids: readonly string[];
  /** The provider that it has become. */
  readonly provider: string;
}

/** Virtual keys, with their budgets and rate limits. @param keys of all vendors */
export function governance(given: Given | undefined, keys: readonly VendorKey[], draft: Draft): void {
  const budgets = new Map(given?.list('budgets').map((each) => [each.text('id'), each]));
  const rates = new Map(given?.list('rate_limits').map((each) => [each.text('id'), each]));
  for (const key of given?.list('virtual_keys') ?? []) {
    const written = keyOf(textOf(key, 'value'));
    const name = key.text('name') ?? key.text('id');
    key.skip('id', 'description');
    if (written === undefined || name === undefined) continue;
    const configs = key.list('provider_configs');
    const models = configs.flatMap((each) => {
      const allowed = each.texts('allowed_models') ?? [];
      const vendor = each.text('provider');
      return allowed.length === 0 || allowed.includes('*')
        ? [`${vendor}/*`]
        : allowed.map((model) => `${vendor}/${model}`);
    });
    const providers = providersOf(configs, keys);
    const limits = [
      ...budgetOf(budgets.get(key.text('budget_id'))),
      ...ratesOf(rates.get(key.text('rate_limit_id'))),
    ];
    clientKey(draft, {
      name,
      key: written,
      fields: {
        ...(models.length > 0 ? { models } : {}),
        ...(providers ? { providers } : {}),
        ...(limits.length > 0 ? { limits } : {}),
        ...(key.flag('is_active') === false ? { disabled: true } : {}),
      },
    });
  }
}

/** The providers that a virtual key may use; `undefined` if it may use every key of its vendors. */
function providersOf(configs: readonly Given[], keys: readonly VendorKey[]): string[] | undefined {
  let isLimited = false;
  const providers = configs.flatMap((each) => {
    const wanted = each.texts('key_ids') ?? ['*'];
    const ofVendor = keys.filter(({ vendor }) => vendor === each.text('provider'));
    if (wanted.includes('*')) return ofVendor;
    isLimited = true;
    return ofVendor.filter(({ ids }) => ids.some((id) => wanted.includes(id)));
  });
  // Keys that differ only in their credentials may have become one provider.
  return isLimited ? [...new Set(providers.map(({ provider }) => provider))] : undefined;
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
