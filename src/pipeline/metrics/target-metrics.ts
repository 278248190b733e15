import type { Family, Sample } from './prometheus.ts';
import type { ProviderStatus, TargetStatus } from '../targets/status.ts';
import { family } from './prometheus.ts';

/** The number of targets with series of their own: clients can send any name if a provider serves all. */
const MAX_TARGETS = 200;

const BREAKERS: Readonly<Record<string, number>> = { closed: 0, half_open: 1, open: 2 };

/** The state of targets: the models of providers that were called so far. */
export function targetFamilies(providers: readonly ProviderStatus[]): Family[] {
  const targets = providers
    .flatMap(({ name, targets: own }) => own.map((target) => ({ provider: name, target })))
    .slice(0, MAX_TARGETS);
  const samples = (value: (target: TargetStatus) => number): Sample[] =>
    targets.map(({ provider, target }) => ({
      labels: { provider, model: target.model },
      value: value(target),
    }));
  const ofProviders = providers
    .filter(({ state }) => state !== 'disabled')
    .map(({ name, breaker }) => ({ labels: { provider: name, model: '' }, value: BREAKERS[breaker]! }));
  return [
    {
      ...family(
        'gauge',
        'target_state',
        'State of a model of a provider: 2 available, 1 on trial or paused, 0 held back by its breaker',
        samples(stateOf),
      ),
      aggregator: 'state',
    },
    {
      ...family(
        'gauge',
        'breaker_state',
        'Breaker of a model of a provider, or of a whole provider (no model): 0 closed, 1 half open, 2 open',
        [...ofProviders, ...samples(({ breaker }) => BREAKERS[breaker]!)],
      ),
      aggregator: 'largest',
    },
  ];
}

function stateOf({ breaker, resting }: TargetStatus): number {
  if (breaker === 'open') return 0;
  return breaker === 'half_open' || resting ? 1 : 2;
}
