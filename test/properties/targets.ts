import type { ProviderSettings } from '../../src/providers/base.ts';
import type { Contender } from '../../src/pipeline/attempts/contender.ts';
import type { ProviderState } from '../../src/pipeline/targets/provider-state.ts';
import type { Call, Target } from '../../src/pipeline/targets/target.ts';
import type { Services } from '../../src/providers/services.ts';
import { ProxyError } from '../../src/errors.ts';
import { TargetPool } from '../../src/pipeline/targets/target-pool.ts';
import { BaseProvider } from '../../src/providers/base.ts';

/** A provider that is never called: a target only learns from its tickets. */
export class Silent extends BaseProvider {
  constructor(settings: Partial<ProviderSettings>) {
    super({ settings: { name: 'silent', keys: 1, ...settings } } as Services);
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

/** The first failure opens the breaker. A jitter of one half makes cooldowns exactly as long as configured. */
export const BREAKER = {
  failures: 1,
  failure_rate: 1,
  min_calls: 1e6,
  window: 60_000,
  cooldown: 2_000,
  max_cooldown: 10_000,
  max_retry_after: 60_000,
};
const HEALTH = { window: 60_000, min_calls: 10, degraded_below: 0.9, unhealthy_below: 0.5 };

export interface Targets {
  readonly pool: TargetPool;
  readonly provider: BaseProvider;
  readonly state: ProviderState;
  readonly models: readonly [Target, Target];
}

/** Two models of one provider, which share its keys and their state. */
export function targets(keys = 1, settings: Partial<ProviderSettings> = {}): Targets {
  const pool = new TargetPool({ breaker: BREAKER, health: HEALTH }, () => 0.5);
  const provider = new Silent({ ...settings, keys });
  const models = [pool.target(provider, 'a', 0), pool.target(provider, 'b', 0)] as const;
  return { pool, provider, state: pool.state(provider), models };
}

/** Applies a new configuration of the same service. */
export function reload({ pool, provider }: Targets, keys: number): void {
  const next = new Silent({ ...provider.settings, keys });
  pool.adopt({ breaker: BREAKER, health: HEALTH }, [next], () => true);
}

export const call = (endpoint = 'chat', fingerprint = ''): Call => ({
  endpoint,
  fingerprint: () => fingerprint,
  bytes: 0,
  need: () => ({ input: 0, output: 0 }),
});

/** The state of a request at a target that it has not tried yet. */
export const contender = (target: Target, out = false): Contender => ({
  target,
  offer: { name: 'm' },
  call: call(),
  attempts: 0,
  rotations: 0,
  out,
  fresh: false,
  unsealed: false,
  schemaless: false,
});

/** A provider's answer without a message. */
const told = (status: number) => ({ status, headers: new Headers(), body: '', verbatim: false, message: '' });
export const refused = new ProxyError('auth', 'no', { upstream: told(401) });
export const limited = (retryAfterMs?: number) =>
  new ProxyError('rate_limited', 'slow', { retryAfterMs, upstream: told(429) });
export const failing = new ProxyError('server', 'broken', { upstream: told(500) });
export const unreachable = new ProxyError('unreachable', 'nobody there');
export const forbidden = new ProxyError('forbidden', 'not you', { upstream: told(403) });
export const lacking = new ProxyError('not_found', 'no model', { upstream: told(404) });
