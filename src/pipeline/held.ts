import type { Scope } from '../errors.ts';
import type { Cooldown, Hold } from './cooldown.ts';
import type { Call, Target } from './target.ts';
import type { ToldLimits } from './told-limits.ts';
import { ProxyError } from '../errors.ts';

/** What holds calls back, and whom it blames. */
export interface Held {
  readonly scope: Exclude<Scope, 'request'>;
  /** Which endpoint, where one is blamed. */
  readonly endpoint?: string;
  /** Which key, from 0, where one is blamed. */
  readonly key?: number;
  readonly hold: Hold;
  /** Whether a call is trying it now. */
  readonly trying: boolean;
}

/** What a cooldown holds back; nothing when it holds nothing. */
export function heldBy(
  cooldown: Cooldown | undefined,
  nowMs: number,
  whom: Omit<Held, 'hold' | 'trying'>,
): readonly Held[] {
  const hold = cooldown?.hold(nowMs);
  return cooldown && hold ? [{ ...whom, hold, trying: cooldown.trying(nowMs) }] : [];
}

/** The limit of a key that is used up by the provider's own word; nothing where there is none. */
export function usedUp(
  told: ToldLimits,
  { id }: Pick<Target, 'id'>,
  { key, call, nowMs }: { readonly key: number; readonly call: Call | undefined; readonly nowMs: number },
): readonly Held[] {
  const limit = told.usedUp(call, nowMs);
  if (!limit) return [];
  const { counts, remaining, fromMs, untilMs } = limit;
  const what = counts === 'requests' || counts === 'tokens' ? counts : `${counts} tokens`;
  const error = new ProxyError('rate_limited', `Cannot ask ${id}: its limit leaves ${remaining} ${what}`, {
    target: id,
    retryAfterMs: untilMs - nowMs,
  });
  const times = { sinceMs: fromMs, imposedMs: fromMs, untilMs, toldMs: untilMs, times: 1 };
  return [{ scope: 'key', key, hold: { error, ...times, trial: false }, trying: false }];
}

/**
 * What holds those keys back that may be used first, as one key is enough: nothing where one is free, else the
 * pauses that end by themselves, else the trials that will soon tell.
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
