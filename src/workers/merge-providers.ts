import type { HeldStatus, ProviderStatus, TargetStatus } from '../pipeline/targets/status.ts';
import { mergeReasons } from './merge-reasons.ts';

/** The state of the providers in one worker. */
export interface Seen {
  /** From 1. */
  readonly worker: number;
  readonly providers: readonly ProviderStatus[];
}

/**
 * Merges the workers' views of the providers. A provider is unhealthy if all workers say so, and degraded if they
 * disagree: some of the requests are answered then. Counts are added; rates and latencies are averages weighted by
 * calls; breakers and cooldowns are reported if any worker has them.
 */
export function mergeProviders(seen: readonly Seen[]): ProviderStatus[] {
  const known = seen.flatMap(({ worker, providers }) => providers.map((provider) => ({ worker, provider })));
  return [...Map.groupBy(known, ({ provider }) => provider.name).values()].map(mergeOne);
}

interface Known {
  readonly worker: number;
  readonly provider: ProviderStatus;
}

function mergeOne(known: readonly Known[]): ProviderStatus {
  const all = known.map(({ provider }) => provider);
  const [first] = all;
  if (all.length === 1) return first!;
  const targets = mergeTargets(all.flatMap((each) => each.targets));
  const breakers = { closed: 0, open: 0, half_open: 0 };
  for (const { breaker } of targets) breakers[breaker as keyof typeof breakers] += 1;
  return {
    ...first!,
    state: all.every(({ state }) => state === first!.state) ? first!.state : 'degraded',
    reasons: mergeReasons(known.map(({ worker, provider }) => ({ worker, reasons: provider.reasons }))),
    in_flight: sum(all.map((each) => each.in_flight)),
    keys: { total: first!.keys.total, down: Math.max(...all.map(({ keys }) => keys.down)) },
    calls: sum(all.map(({ calls }) => calls)),
    success_rate: meanOf(all, (each) => each.success_rate),
    p50_ms: tenths(meanOf(all, (each) => each.p50_ms)),
    p95_ms: tenths(meanOf(all, (each) => each.p95_ms)),
    breaker: worstBreaker(all.map(({ breaker }) => breaker)),
    breakers,
    last_error: latest(all.map((each) => each.last_error)),
    next_probe: earliest(all.map((each) => each.next_probe)),
    held: mergeHeld(known),
    targets,
  };
}

function mergeHeld(known: readonly Known[]): HeldStatus[] {
  const held = known.flatMap(({ worker, provider }) => provider.held.map((each) => ({ worker, each })));
  const alike = Map.groupBy(held, ({ each: { scope, model, endpoint, key, only, fault, message } }) =>
    JSON.stringify([scope, model, endpoint, key, only, fault, message]),
  );
  return [...alike.values()].map((group) => {
    const all = group.map(({ each }) => each);
    return {
      ...all[0]!,
      since: earliest(all.map(({ since }) => since))!,
      next_trial: earliest(all.map((each) => each.next_trial)),
      due: all.some(({ due }) => due),
      workers: group.map(({ worker }) => worker),
    };
  });
}

function mergeTargets(all: readonly TargetStatus[]): TargetStatus[] {
  return [...Map.groupBy(all, ({ model }) => model).values()].map((group) => ({
    model: group[0]!.model,
    breaker: worstBreaker(group.map(({ breaker }) => breaker)),
    calls: sum(group.map(({ calls }) => calls)),
    success_rate: meanOf(group, (each) => each.success_rate),
    first_content_p95_ms: tenths(meanOf(group, (each) => each.first_content_p95_ms)),
    resting: group
      .map(({ resting }) => resting)
      .reduce((most, each) => ((each?.ms ?? -1) > (most?.ms ?? -1) ? each : most), null),
  }));
}

const BREAKERS = ['closed', 'half_open', 'open'];

function worstBreaker<B extends string>(all: readonly B[]): B {
  return all.reduce((worst, each) => (BREAKERS.indexOf(each) > BREAKERS.indexOf(worst) ? each : worst));
}

/** The average weighted by calls, over the workers that have a value. */
function meanOf<T extends { readonly calls: number }>(
  all: readonly T[],
  of: (each: T) => number | null,
): number | null {
  const reporting = all.filter((each) => of(each) !== null);
  if (reporting.length === 0) return null;
  const weight = (each: T) => Math.max(1, each.calls);
  return sum(reporting.map((each) => of(each)! * weight(each))) / sum(reporting.map(weight));
}

const tenths = (ms: number | null) => (ms === null ? null : Math.round(ms * 10) / 10);

function latest(errors: readonly ProviderStatus['last_error'][]): ProviderStatus['last_error'] {
  return errors.reduce((last, each) => ((each?.at ?? '') > (last?.at ?? '') ? each : last), null);
}

/** ISO 8601 times in the same zone sort like strings. */
function earliest(times: readonly (string | null)[]): string | null {
  return times.filter((time) => time !== null).toSorted()[0] ?? null;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
