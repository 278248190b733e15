import type { BaseProvider } from './base.ts';

/**
 * Whether the usage of a stream is asked for where its client did not ask: it is; there is no need, since the provider
 * tells it anyway; or never, since the provider refuses the field or the operator does not want it.
 */
export type UsageAsking = 'ask' | 'told' | 'never';

/** By the configuration, and by what is known of the vendor. */
export function usageAsking(provider: BaseProvider, model: string): UsageAsking {
  const { askUsage } = provider.settings;
  if (askUsage === 'off') return 'never';
  return askUsage === 'auto' && provider.quirks(model).tellsUsage ? 'told' : 'ask';
}
