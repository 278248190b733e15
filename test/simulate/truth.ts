import type { KindName } from './faults.ts';
import type { Asked, Outage } from './outages.ts';
import type { SimProvider, SimTarget } from './world.ts';
import { kindOf } from './faults.ts';
import { concerns, isTrue, lastTrue } from './outages.ts';

/** The first fault that a call to a provider meets, if any. */
export function metBy(
  { provider, model }: SimTarget,
  key: number,
  asked: Asked,
  atMs: number,
): Outage | undefined {
  return provider.outages.find(
    (outage) =>
      isTrue(outage, atMs) &&
      (outage.key === undefined || outage.key === key) &&
      concerns(outage, provider.protocol, model, asked),
  );
}

/** What the probe of an honest provider meets: a fault of the whole provider, or of the key. */
export function metByProbe(provider: SimProvider, key: number, atMs: number): Outage | undefined {
  return provider.outages.find(
    (outage) =>
      isTrue(outage, atMs) &&
      (outage.key === undefined || outage.key === key) &&
      [outage.model, outage.path, outage.only].every((limit) => limit === undefined) &&
      kindOf(outage.kind).act.does !== 'spoil',
  );
}

/** Whether it makes the target unavailable for all requests, including those that it does not concern. */
function takesTarget({ kind, model }: Outage, target: SimTarget): boolean {
  const { blame } = kindOf(kind);
  return (model === undefined || model === target.model) && blame !== 'request' && blame !== 'endpoint';
}

/**
 * Since when no fault concerns such requests, whatever their key, and none met by other requests makes the target
 * unavailable to them; slowness counts as a fault. `undefined` if there is one now.
 */
export function fineSince(target: SimTarget, asked: Asked, atMs: number): number | undefined {
  const { provider, model } = target;
  let sinceMs = -Infinity;
  for (const outage of provider.outages) {
    if (outage.fromMs > atMs) break;
    if (!concerns(outage, provider.protocol, model, asked) && !takesTarget(outage, target)) continue;
    if (isTrue(outage, atMs)) return undefined;
    sinceMs = Math.max(sinceMs, lastTrue(outage, atMs));
  }
  return sinceMs;
}

/** The kind of the last fault that concerned such requests. */
export function lastWrong(target: SimTarget, asked: Asked, atMs: number): KindName | undefined {
  const { provider, model } = target;
  const past = provider.outages.filter(
    (outage) =>
      outage.fromMs <= atMs &&
      (concerns(outage, provider.protocol, model, asked) || takesTarget(outage, target)),
  );
  return past.sort((a, b) => lastTrue(b, atMs) - lastTrue(a, atMs))[0]?.kind;
}

/** Whether no fault concerns such requests from one time to another; slowness counts as a fault. */
export function fineDuring(target: SimTarget, asked: Asked, fromMs: number, untilMs: number): boolean {
  const { provider, model } = target;
  return provider.outages.every(
    (outage) =>
      outage.fromMs > untilMs ||
      outage.untilMs < fromMs ||
      !concerns(outage, provider.protocol, model, asked),
  );
}

/** Since when a target has been down for all requests and keys without interruption. */
export function downSince({ provider, model }: SimTarget, atMs: number): number | undefined {
  const outage = provider.outages.find(
    (each) =>
      isTrue(each, atMs) &&
      each.flapMs === undefined &&
      kindOf(each.kind).act.does !== 'dawdle' &&
      (each.model === undefined || each.model === model) &&
      (each.key === undefined || provider.keys === 1) &&
      each.path === undefined &&
      each.stream === undefined &&
      each.only === undefined,
  );
  return outage?.fromMs;
}
