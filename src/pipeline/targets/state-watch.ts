import type { Clock } from '../../clock.ts';
import type { ProxyEvent } from '../../events.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { HealthState } from './health.ts';
import type { TargetPool } from './target-pool.ts';
import { providerHealth } from './status.ts';

/** The interval at which the state of providers is checked: it also changes without events, milliseconds. */
const LOOK_MS = 1_000;

const RANK: Readonly<Record<HealthState, number>> = { healthy: 2, degraded: 1, unhealthy: 0 };

export interface StateWatchDeps {
  readonly clock: Clock;
  readonly pool: TargetPool;
  /** The enabled providers of the current configuration. */
  readonly providers: () => readonly BaseProvider[];
  readonly tell: (event: ProxyEvent) => void;
}

/** Reports when a provider becomes healthy, degraded or unhealthy, and why. Each is assumed healthy at first. */
export class StateWatch {
  readonly #deps: StateWatchDeps;
  #states = new Map<string, HealthState>();
  #cancel: (() => void) | undefined;

  constructor(deps: StateWatchDeps) {
    this.#deps = deps;
    this.#schedule();
  }

  close(): void {
    this.#cancel?.();
  }

  #schedule(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      this.look();
      this.#schedule();
    });
  }

  /** Checks now. */
  look(): void {
    const { clock, pool, providers, tell } = this.#deps;
    const states = new Map<string, HealthState>();
    for (const provider of providers()) {
      const { name } = provider;
      const { state, reasons } = providerHealth(provider, pool, clock.monotonic());
      const before = this.#states.get(name) ?? 'healthy';
      states.set(name, state);
      if (state !== before) tell(stateEvent({ name, state, before, reasons }));
    }
    this.#states = states;
  }
}

interface Changed {
  readonly name: string;
  readonly state: HealthState;
  readonly before: HealthState;
  readonly reasons: readonly string[];
}

function stateEvent({ name, state, before, reasons }: Changed): ProxyEvent {
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  return {
    kind: 'provider_state',
    level: RANK[state] < RANK[before] ? 'warn' : 'info',
    message: `${name} is ${state}${why}`,
    fields: { provider: name, state, before },
  };
}
