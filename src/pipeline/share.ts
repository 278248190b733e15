import type { Contender } from './contender.ts';
import { ProxyError } from '../errors.ts';

/** Silence of this length counts against a target of which nothing better is known, milliseconds. */
const SLOW_MS = 30_000;

/** How long an attempt may take while others wait behind it, and what it fails with then. */
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
  /** Whether the deadline is the caller's and not the operator's. */
  readonly ofCaller: boolean;
  readonly stream: boolean;
}

/**
 * An attempt's share of the time that is left, so that a silent target cannot use up the time of those behind it:
 * an equal part for each target that will be ready before the deadline. One that tries a target which is held back
 * waits no longer than that target's own pace gives reason to. `undefined` when no other target waits.
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
  // A caller in a hurry says nothing about a target, unless this one was slower than it ever is.
  const fault = ofCaller && ms < (patienceMs ?? SLOW_MS) ? 'caller_share' : 'timeout_share';
  const message = `Cannot wait longer for ${target.id}: no answer within ${seconds} s, its share of the deadline`;
  return { ms, late: new ProxyError(fault, message, { target: target.id }) };
}
