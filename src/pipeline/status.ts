import type { Clock } from '../clock.ts';
import type { BaseProvider } from '../providers/base.ts';
import type { HealthState } from './health.ts';
import type { Down, ProviderState } from './provider-state.ts';
import type { TargetPool } from './target-pool.ts';
import type { Target } from './target.ts';

/** One provider as /providers and `llmproxy health` show it. Times are ISO 8601, spans milliseconds. */
export interface ProviderStatus {
  readonly name: string;
  readonly type: string;
  readonly state: HealthState | 'disabled';
  /** Why it is not healthy. */
  readonly reasons: readonly string[];
  readonly in_flight: number;
  /** How many keys take turns, and how many of them the provider refuses. */
  readonly keys: { readonly total: number; readonly down: number };
  readonly calls: number;
  readonly success_rate: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly breakers: { readonly closed: number; readonly open: number; readonly half_open: number };
  readonly last_error: { readonly fault: string; readonly message: string; readonly at: string } | null;
  readonly next_probe: string | null;
  readonly targets: readonly TargetStatus[];
}

export interface TargetStatus {
  readonly model: string;
  readonly breaker: string;
  readonly calls: number;
  readonly success_rate: number | null;
  /** Until the first content of a stream. */
  readonly first_content_p95_ms: number | null;
  /** How long it rests yet, and why. */
  readonly resting: { readonly fault: string; readonly ms: number } | null;
}

export interface HealthSummary {
  readonly status: HealthState;
  readonly providers: Readonly<Record<HealthState | 'disabled', number>>;
}

/** What is known of an enabled provider now. */
export function providerStatus(provider: BaseProvider, pool: TargetPool, clock: Clock): ProviderStatus {
  const nowMs = clock.monotonic();
  const state = pool.state(provider);
  const { health } = state;
  const targets = pool.targets(provider.name);
  const breakers = { closed: 0, open: 0, half_open: 0 };
  for (const target of targets) breakers[target.breaker.state] += 1;
  const { calls, success } = health.rate(nowMs);
  const judged = judge(targets, state, nowMs);
  return {
    name: provider.name,
    type: provider.settings.type,
    state: judged.state,
    reasons: judged.reasons,
    in_flight: state.inFlight,
    keys: { total: state.keys, down: downs(state, nowMs).length },
    calls,
    success_rate: success,
    p50_ms: rounded(health.latencies.quantile(0.5)),
    p95_ms: rounded(health.latencies.quantile(0.95)),
    breakers,
    last_error: health.lastError
      ? {
          fault: health.lastError.fault,
          message: health.lastError.message,
          at: new Date(health.lastError.atMs).toISOString(),
        }
      : null,
    next_probe: nextProbe(state, nowMs),
    targets: targets.map((target) => targetStatus(target, nowMs)),
  };
}

/** A provider that the configuration leaves out. */
export function disabledStatus(name: string, type: string, reason: string): ProviderStatus {
  return {
    name,
    type,
    state: 'disabled',
    reasons: [reason],
    in_flight: 0,
    keys: { total: 0, down: 0 },
    calls: 0,
    success_rate: null,
    p50_ms: null,
    p95_ms: null,
    breakers: { closed: 0, open: 0, half_open: 0 },
    last_error: null,
    next_probe: null,
    targets: [],
  };
}

/** All providers in one word: unhealthy when none can answer, degraded when one cannot or is degraded. */
export function summarize(statuses: readonly ProviderStatus[]): HealthSummary {
  const providers = { healthy: 0, degraded: 0, unhealthy: 0, disabled: 0 };
  for (const { state } of statuses) providers[state] += 1;
  const answering = providers.healthy + providers.degraded;
  const troubled = providers.degraded + providers.unhealthy;
  return { status: answering === 0 ? 'unhealthy' : troubled > 0 ? 'degraded' : 'healthy', providers };
}

/** When it is probed next, if it is: of a provider that is up only where all are. */
function nextProbe(state: ProviderState, nowMs: number): string | null {
  const { nextProbeMs, probed, unreachable } = state;
  const due = probed === 'always' || unreachable !== undefined || downs(state, nowMs).length > 0;
  return due && nextProbeMs !== undefined ? new Date(nextProbeMs).toISOString() : null;
}

/** The keys that are refused now. */
function downs(state: ProviderState, nowMs: number): Down[] {
  return state.downs.filter((down) => down !== undefined && down.untilMs > nowMs) as Down[];
}

function judge(
  targets: readonly Target[],
  provider: ProviderState,
  nowMs: number,
): { state: HealthState; reasons: string[] } {
  const reasons: string[] = [];
  const { success } = provider.health.rate(nowMs);
  let state = provider.health.state(nowMs);
  const worsen = (to: HealthState, reason: string) => {
    reasons.push(reason);
    if (state !== 'unhealthy') state = to;
  };
  if (state !== 'healthy' && success !== null)
    reasons.push(`${Math.round(success * 100)} % of recent calls succeed`);
  const refused = downs(provider, nowMs);
  const [first] = refused;
  if (first && refused.length === provider.keys) worsen('unhealthy', `down after ${first.fault}`);
  else if (first) worsen('degraded', `${refused.length} of ${provider.keys} keys down after ${first.fault}`);
  if (provider.unreachable !== undefined) worsen('unhealthy', `probe: ${provider.unreachable}`);
  const open = targets.filter((target) => target.breaker.state !== 'closed');
  if (open.length > 0) {
    const models = open.map((target) => target.model).join(', ');
    worsen(open.length === targets.length ? 'unhealthy' : 'degraded', `breaker open for ${models}`);
  }
  const resting = targets.flatMap((target) => {
    const rest = target.resting(nowMs);
    // Whoever asks for a model that a provider lacks says nothing about its health.
    return rest && rest.fault !== 'not_found' ? [`${target.model} (${rest.fault})`] : [];
  });
  if (resting.length > 0) worsen('degraded', `resting: ${resting.join(', ')}`);
  return { state, reasons };
}

function targetStatus(target: Target, nowMs: number): TargetStatus {
  const rest = target.resting(nowMs);
  const { calls, success } = target.health.rate(nowMs);
  return {
    model: target.model,
    breaker: target.breaker.state,
    calls,
    success_rate: success,
    first_content_p95_ms: rounded(target.firstContent.quantile(0.95)),
    resting: rest ? { fault: rest.fault, ms: Math.round(rest.untilMs - nowMs) } : null,
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
