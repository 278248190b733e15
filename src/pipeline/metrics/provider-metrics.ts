import type { ProviderStatus } from '../targets/status.ts';
import type { Family } from './prometheus.ts';
import { family } from './prometheus.ts';

const STATES = { healthy: 2, degraded: 1, unhealthy: 0, disabled: -1 } as const;

/** Whether providers can be used, and how busy they are. */
export function providerFamilies(providers: readonly ProviderStatus[]): Family[] {
  const gauge = (name: string, help: string, value: (provider: ProviderStatus) => number) =>
    family(
      'gauge',
      name,
      help,
      providers.map((provider) => ({ labels: { provider: provider.name }, value: value(provider) })),
    );
  return [
    {
      ...gauge(
        'provider_state',
        'healthy 2, degraded 1, unhealthy 0, disabled -1',
        ({ state }) => STATES[state],
      ),
      aggregator: 'state' as const,
    },
    gauge('provider_keys', 'Keys of a provider', ({ keys }) => keys.total),
    gauge(
      'provider_keys_held',
      'Keys that a provider refuses, and that are held back',
      ({ keys }) => keys.down,
    ),
    gauge('provider_in_flight', 'Requests in flight at a provider', ({ in_flight }) => in_flight),
    gauge(
      'breaker_open',
      'Breakers that are not closed: those of a provider’s targets, and its own',
      ({ breaker, breakers }) => (breaker === 'closed' ? 0 : 1) + breakers.open + breakers.half_open,
    ),
  ];
}
