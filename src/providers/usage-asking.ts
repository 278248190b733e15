import type { BaseProvider } from './base.ts';

/**
 * Whether the usage of a stream is requested if its client did not: yes; not needed, since the provider reports it
 * anyway; or never, since the provider rejects the field or the operator does not want it.
 */
export type UsageAsking = 'ask' | 'reported' | 'never';

/** From the configuration, and from what is known about the vendor. */
export function usageAsking(provider: BaseProvider, model: string): UsageAsking {
  const { askUsage } = provider.settings;
  if (askUsage === 'off') return 'never';
  return askUsage === 'auto' && provider.quirks(model).reportsUsage ? 'reported' : 'ask';
}
