import type { ProviderSettings } from '../../src/providers/base.ts';
import type { ProviderState } from '../../src/pipeline/provider-state.ts';
import type { Target } from '../../src/pipeline/target.ts';
import { ProxyError } from '../../src/errors.ts';
import { TargetPool } from '../../src/pipeline/target-pool.ts';
import { BaseProvider } from '../../src/providers/base.ts';

export const MINUTE = 60_000;

/** Never asked: what a target remembers comes from its tickets alone. */
class Silent extends BaseProvider {
  constructor(keys: number) {
    const settings: Partial<ProviderSettings> = { name: 'silent', keys };
    super(settings as ProviderSettings);
  }

  override protocol(): 'chat' {
    return 'chat';
  }

  override relays(): boolean {
    return true;
  }

  override send(): Promise<never> {
    return Promise.reject(new Error('Cannot send: nobody is there'));
  }
}

/** A breaker that never opens: the keys alone decide. */
const POLICY = {
  breaker: { failures: 1e6, failure_rate: 1, min_calls: 1e6, window: MINUTE, cooldown: 1, max_cooldown: 1 },
  health: { window: MINUTE, min_calls: 10, degraded_below: 0.9, unhealthy_below: 0.5 },
};

export interface Targets {
  readonly state: ProviderState;
  readonly models: readonly [Target, Target];
}

/** Two models of one provider, which share its keys and their state. */
export function targets(keys: number, probed = false): Targets {
  const pool = new TargetPool(POLICY, () => 0.5);
  const provider = new Silent(keys);
  const state = pool.state(provider);
  state.probed = probed ? 'recovery' : 'never';
  return { state, models: [pool.target(provider, 'a'), pool.target(provider, 'b')] };
}

export const refused = new ProxyError('auth', 'no');
export const limited = (retryAfterMs?: number) => new ProxyError('rate_limited', 'slow', { retryAfterMs });
