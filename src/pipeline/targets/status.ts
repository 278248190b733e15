import type { Clock } from '../../clock.ts';
import type { ProxyError } from '../../errors.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { Breaker } from './breaker.ts';
import type { Cooldown } from './cooldown.ts';
import type { ListStatus } from '../routing/discovery.ts';
import type { HealthState } from './health.ts';
import type { Held } from './held.ts';
import type { ProviderState } from './provider-state.ts';
import type { TargetPool } from './target-pool.ts';
import type { Target } from './target.ts';
import { namesOf } from '../../redact/outward/rule.ts';

/** One provider as /providers and `llmproxy health` show it. Times are ISO 8601; durations are milliseconds. */
export interface ProviderStatus {
  readonly name: string;
  readonly type: string;
  readonly state: HealthState | 'disabled';
  /** Why it is not healthy. */
  readonly reasons: readonly string[];
  readonly in_flight: number;
  /** How many keys are used in turn, and how many of them the provider rejects. */
  readonly keys: { readonly total: number; readonly down: number };
  readonly calls: number;
  readonly success_rate: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  /** Its own circuit breaker, which blocks all of its models. */
  readonly breaker: ReturnType<Breaker['state']>;
  /** How many of its targets' circuit breakers are in each state. */
  readonly breakers: { readonly closed: number; readonly open: number; readonly half_open: number };
  readonly last_error: { readonly fault: string; readonly message: string; readonly at: string } | null;
  readonly next_probe: string | null;
  /** What is replaced in requests before they are sent to it: kinds, or names of patterns. */
  readonly redacts: readonly string[];
  /** The list of its models; `null` if it is not requested. */
  readonly models: ListStatus | null;
  /** Everything that is currently blocked, and when it is tried again. */
  readonly held: readonly HeldStatus[];
  readonly targets: readonly TargetStatus[];
}

/** Something that is blocked, and when a request tries it again. */
export interface HeldStatus {
  readonly scope: Held['scope'];
  readonly model: string | null;
  readonly endpoint: string | null;
  /** The index of the provider's key, from 0. */
  readonly key: number | null;
  /** The caller's key whose requests alone are blocked, because no other caller's fail; omitted for all. */
  readonly only?: string;
  readonly fault: string;
  /** The provider's own message, with secrets masked. */
  readonly message: string;
  readonly since: string;
  /** `null` while a request is trying it. */
  readonly next_trial: string | null;
  /** Whether that time has passed, so that the next request tries it. */
  readonly due: boolean;
  /** With several workers: the numbers of those that block it, from 1. */
  readonly workers?: readonly number[];
}

export interface TargetStatus {
  readonly model: string;
  readonly breaker: string;
  readonly calls: number;
  readonly success_rate: number | null;
  /** Until the first content of a stream. */
  readonly first_content_p95_ms: number | null;
  /** How long it is still blocked, and why. */
  readonly resting: { readonly fault: string; readonly ms: number } | null;
}

export interface HealthSummary {
  readonly status: HealthState;
  readonly providers: Readonly<Record<HealthState | 'disabled', number>>;
}

/** What is currently known about an enabled provider. */
export function providerStatus(
  provider: BaseProvider,
  { pool, clock, models }: { pool: TargetPool; clock: Clock; models: ListStatus | null },
): ProviderStatus {
  const nowMs = clock.monotonic();
  const state = pool.state(provider);
  const { health } = state;
  const targets = pool.targets(provider.name);
  const breakers = { closed: 0, open: 0, half_open: 0 };
  for (const target of targets) breakers[target.breaker.state(nowMs)] += 1;
  const { calls, success } = health.rate(nowMs);
  const judged = judge(targets, state, nowMs);
  const shown = (held: Held, model: string | null) => heldStatus(held, model, clock);
  return {
    name: provider.name,
    type: provider.settings.type,
    state: judged.state,
    reasons: judged.reasons,
    in_flight: state.inFlight,
    keys: { total: state.keys.length, down: state.keys.filter((key) => key.hold(nowMs)).length },
    calls,
    success_rate: success,
    p50_ms: rounded(health.latencies.quantile(0.5)),
    p95_ms: rounded(health.latencies.quantile(0.95)),
    breaker: state.breaker.state(nowMs),
    breakers,
    last_error: health.lastError
      ? {
          fault: health.lastError.fault,
          message: health.lastError.message,
          at: new Date(health.lastError.atMs).toISOString(),
        }
      : null,
    next_probe: nextProbe(targets, state, nowMs),
    redacts: namesOf(provider.settings.redact),
    models,
    held: [
      ...ofProvider(state, nowMs).map((held) => shown(held, null)),
      ...targets.flatMap((target) => target.holds(nowMs).map((held) => shown(held, target.model))),
    ],
    targets: targets.map((target) => targetStatus(target, nowMs)),
  };
}

/** The state of an enabled provider, and why it is not healthy. */
export function providerHealth(
  provider: BaseProvider,
  pool: TargetPool,
  nowMs: number,
): { readonly state: HealthState; readonly reasons: readonly string[] } {
  return judge(pool.targets(provider.name), pool.state(provider), nowMs);
}

/** A provider that is disabled in the configuration. */
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
    breaker: 'closed',
    breakers: { closed: 0, open: 0, half_open: 0 },
    last_error: null,
    next_probe: null,
    redacts: [],
    models: null,
    held: [],
    targets: [],
  };
}

/** The state of all providers together: unhealthy if none can answer, degraded if one cannot or is degraded. */
export function summarize(statuses: readonly ProviderStatus[]): HealthSummary {
  const providers = { healthy: 0, degraded: 0, unhealthy: 0, disabled: 0 };
  for (const { state } of statuses) providers[state] += 1;
  const answering = providers.healthy + providers.degraded;
  const troubled = providers.degraded + providers.unhealthy;
  return { status: answering === 0 ? 'unhealthy' : troubled > 0 ? 'degraded' : 'healthy', providers };
}

/** When it is probed next; a provider that is up is probed only if `health.probe` is `always`. */
function nextProbe(targets: readonly Target[], state: ProviderState, nowMs: number): string | null {
  const { nextProbeMs, probed } = state;
  const down = () =>
    ofProvider(state, nowMs).length > 0 || targets.some(({ breaker }) => breaker.cooldown.hold(nowMs));
  return nextProbeMs !== undefined && (probed === 'always' || down())
    ? new Date(nextProbeMs).toISOString()
    : null;
}

/** What applies to all models of a provider. */
function ofProvider({ breaker, keys }: ProviderState, nowMs: number): Held[] {
  const all = [
    { cooldown: breaker.cooldown, whom: { scope: 'provider' as const } },
    ...keys.map((cooldown, key) => ({ cooldown, whom: { scope: 'key' as const, key } })),
  ];
  return all.flatMap(({ cooldown, whom }) => {
    const hold = cooldown.hold(nowMs);
    return hold ? [{ ...whom, hold, trying: cooldown.trying(nowMs) }] : [];
  });
}

function heldStatus(
  { scope, endpoint, key, hold, trying }: Held,
  model: string | null,
  clock: Clock,
): HeldStatus {
  const at = (ms: number) => new Date(clock.now() + ms - clock.monotonic()).toISOString();
  return {
    scope,
    model,
    endpoint: endpoint ?? null,
    key: key ?? null,
    ...(hold.only === undefined ? {} : { only: hold.only }),
    fault: hold.error.fault,
    message: wordsOf(hold.error),
    since: at(hold.sinceMs),
    next_trial: trying ? null : at(Math.max(hold.untilMs, clock.monotonic())),
    due: !trying && hold.untilMs <= clock.monotonic(),
  };
}

/** The provider's message, if there was one. Messages to clients may leave out what it says about our key. */
function wordsOf({ upstream, message }: ProxyError): string {
  return upstream?.message ? `${upstream.status}: ${upstream.message}` : message;
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
  // What the next request tries does not make it unhealthy: without requests it could never recover.
  // Neither does what is on hold for a single caller.
  const out = (cooldown: Cooldown) => {
    const hold = cooldown.hold(nowMs);
    return hold !== undefined && hold.only === undefined && cooldown.readyAt(nowMs) > 0;
  };
  const worst = (all: readonly Cooldown[], among: number): HealthState =>
    all.filter(out).length === among ? 'unhealthy' : 'degraded';
  const refused = provider.keys.filter((key) => key.hold(nowMs));
  const total = provider.keys.length;
  const fault = refused[0]?.hold(nowMs)?.error.fault;
  if (fault !== undefined) {
    const which = refused.length === total ? '' : `${refused.length} of ${total} keys `;
    const state = refused.some(out) ? 'down' : 'to be tried again';
    worsen(worst(refused, total), `${which}${state} after ${fault}`);
  }
  const { cooldown } = provider.breaker;
  const unreached = cooldown.hold(nowMs);
  if (unreached) worsen(worst([cooldown], 1), `unreachable: ${unreached.error.message}`);
  const open = targets.filter(({ breaker }) => breaker.cooldown.hold(nowMs));
  if (open.length > 0) {
    const breakers = open.map(({ breaker }) => breaker.cooldown);
    worsen(worst(breakers, targets.length), `breaker open for ${open.map(({ model }) => model).join(', ')}`);
  }
  // An error of one endpoint of a model says nothing about the provider's health.
  const limited = targets.filter((target) => target.holds(nowMs).some(({ scope }) => scope === 'key'));
  if (limited.length > 0) worsen('degraded', `rate limited: ${limited.map(({ model }) => model).join(', ')}`);
  return { state, reasons };
}

function targetStatus(target: Target, nowMs: number): TargetStatus {
  const { calls, success } = target.health.rate(nowMs);
  const [rest] = target.holds(nowMs).filter(({ scope }) => scope !== 'target');
  return {
    model: target.model,
    breaker: target.breaker.state(nowMs),
    calls,
    success_rate: success,
    first_content_p95_ms: rounded(target.firstContent.quantile(0.95)),
    resting: rest
      ? { fault: rest.hold.error.fault, ms: Math.max(0, Math.round(rest.hold.untilMs - nowMs)) }
      : null,
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
