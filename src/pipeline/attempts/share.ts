import type { Contender } from './contender.ts';
import { ProxyError } from '../../errors.ts';

/** Silence of this length counts against a target about which nothing more specific is known, milliseconds. */
const SLOW_MS = 30_000;

/** How long an attempt may take while others wait behind it, and the error if it takes longer. */
export interface Share {
  /** From the beginning of the attempt, milliseconds. */
  readonly ms: number;
  readonly late: ProxyError;
}

export interface ShareOptions {
  readonly contenders: readonly Contender[];
  readonly nowMs: number;
  /** When the deadline passes. */
  readonly untilMs: number;
  /** Whether the deadline is the caller's rather than the operator's. */
  readonly ofCaller: boolean;
  readonly stream: boolean;
}

/**
 * An attempt's share of the remaining time, so that a silent target cannot use up the time of the others: an equal part
 * for each target that will be ready before the deadline. A trial of a target on hold takes no longer than that
 * target's usual pace suggests. `undefined` when no other target waits.
 */
export function shareOf(contender: Contender, options: ShareOptions): Share | undefined {
  const { contenders, nowMs, untilMs, ofCaller, stream } = options;
  const { target, call } = contender;
  const waiting = contenders.filter(
    (each) => each !== contender && !each.out && each.target.readyAt(each.call, nowMs) < untilMs,
  );
  if (waiting.length === 0) return undefined;
  const patienceMs = target.patienceMs(stream);
  const evenMs = (untilMs - nowMs) / (waiting.length + 1);
  const tries = target.held(call, nowMs).length > 0;
  const ms = tries ? Math.min(evenMs, patienceMs ?? Infinity) : evenMs;
  const seconds = Math.round(ms / 100) / 10;
  // A short deadline of a caller is no evidence against a target, unless the target was slower than it ever is.
  const fault = ofCaller && ms < (patienceMs ?? SLOW_MS) ? 'caller_share' : 'timeout_share';
  const message = `Cannot wait longer for ${target.id}: no answer within ${seconds} s, its share of the deadline`;
  return { ms, late: new ProxyError(fault, message, { target: target.id }) };
}
