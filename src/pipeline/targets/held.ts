import type { Scope } from '../../faults.ts';
import type { Cooldown, Hold } from './cooldown.ts';
import type { Caller } from './failing-callers.ts';
import type { Call, Target } from './target.ts';
import type { ReportedLimits } from './reported-limits.ts';
import { ProxyError } from '../../errors.ts';

/** What puts calls on hold, and the scope. */
export interface Held {
  readonly scope: Exclude<Scope, 'request'>;
  /** The endpoint, if one is at fault. */
  readonly endpoint?: string;
  /** The index of the key, if one is at fault. */
  readonly key?: number;
  readonly hold: Hold;
  /** Whether a call is trying it now. */
  readonly trying: boolean;
}

/**
 * The hold of a cooldown; nothing if none is in effect.
 * @param caller the caller whom it must concern; by default anyone
 */
export function heldBy(
  cooldown: Cooldown | undefined,
  nowMs: number,
  whom: Omit<Held, 'hold' | 'trying'>,
  caller?: Caller,
): readonly Held[] {
  const hold = cooldown?.hold(nowMs, caller);
  return cooldown && hold ? [{ ...whom, hold, trying: cooldown.trying(nowMs) }] : [];
}

/** The limit of a key that is used up according to the provider; nothing if there is none. */
export function usedUp(
  reported: ReportedLimits,
  { id }: Pick<Target, 'id'>,
  { key, call, nowMs }: { readonly key: number; readonly call: Call | undefined; readonly nowMs: number },
): readonly Held[] {
  const limit = reported.usedUp(call, nowMs);
  if (!limit) return [];
  const { counts, remaining, fromMs, untilMs } = limit;
  const what = counts === 'requests' || counts === 'tokens' ? counts : `${counts} tokens`;
  const error = new ProxyError('rate_limited', `Cannot use ${id}: its limit leaves ${remaining} ${what}`, {
    target: id,
    retryAfterMs: untilMs - nowMs,
  });
  const times = { sinceMs: fromMs, imposedMs: fromMs, untilMs, toldMs: untilMs, times: 1 };
  return [{ scope: 'key', key, hold: { error, ...times, trial: false }, trying: false }];
}

/**
 * The holds on those keys that may be used first, since one key is enough: nothing if one is free, otherwise the
 * pauses that end by themselves, otherwise the pending trials.
 */
export function nearest(ofKeys: readonly (readonly Held[])[], nowMs: number): Held[] {
  const pauses = ({ hold }: Held) => !hold.trial;
  const tells = (held: Held) => pauses(held) || held.trying || held.hold.untilMs <= nowMs;
  for (const soon of [() => false, pauses, tells]) {
    const keys = ofKeys.filter((each) => each.every(soon));
    if (keys.length > 0) return keys.flat();
  }
  return ofKeys.flat();
}
