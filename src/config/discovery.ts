import type { Config, ProviderConfig } from './schema.ts';
import { resolveKeys } from './keys.ts';

/** How often a vendor is asked for its list of models, milliseconds. */
const VENDOR_MS = 6 * 3_600_000;
/** The same for a server that needs no key: it is usually nearby, and its models change often. */
const SERVER_MS = 60_000;

/** How often each provider is asked for its list of models, milliseconds; `undefined` for never. */
export function listTimes(
  config: Pick<Config, 'discover_models' | 'providers'>,
  env: Readonly<Record<string, string | undefined>>,
): (provider: { readonly name: string }) => number | undefined {
  const times = new Map(
    config.providers.map((provider) => [provider.name, listEveryMs(config, provider, env)]),
  );
  return ({ name }) => times.get(name);
}

function listEveryMs(
  { discover_models: wanted }: Pick<Config, 'discover_models'>,
  provider: ProviderConfig,
  env: Readonly<Record<string, string | undefined>>,
): number | undefined {
  if (/^(?:false|off|0|no)$/i.test(env.LLMPROXY_DISCOVER_MODELS ?? '')) return undefined;
  if (wanted === false || !provider.discover_models) return undefined;
  if (wanted !== true) return wanted;
  return resolveKeys(provider, env).keys.length > 0 ? VENDOR_MS : SERVER_MS;
}
