import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { ProviderModel } from '../../providers/base.ts';
import type { Call, Target } from '../targets/target.ts';

/** The state of one request with regard to one possible target. */
export interface Contender {
  readonly target: Target;
  /** The model that the request's name resolved to. */
  readonly offer: ProviderModel;
  readonly call: Call;
  /** What is redacted in a request before it is sent to the target. */
  readonly redact?: OutwardRule | undefined;
  /** The number of failed attempts that count. */
  attempts: number;
  /** How often another key of the same target was tried at once. */
  rotations: number;
  /** Whether it is no longer tried for this request. */
  out: boolean;
  /** Whether the next attempt uses a new connection. */
  fresh: boolean;
  /** Whether the next attempt leaves out everything signed or encrypted. */
  unsealed: boolean;
  /** Whether the next attempt requests nothing for which the provider has to compile a schema. */
  schemaless: boolean;
}

export interface Soonest {
  readonly contender: Contender | undefined;
  /** On the monotonic clock; `Infinity` when there is none. */
  readonly readyAtMs: number;
}

/**
 * The contender that is ready first, the earlier in order among equals; `again` takes precedence over all others when
 * it is ready.
 */
export function soonest(contenders: readonly Contender[], nowMs: number, again?: Contender): Soonest {
  let best: Soonest = { contender: undefined, readyAtMs: Infinity };
  for (const contender of contenders) {
    if (contender.out) continue;
    const { target, call } = contender;
    const readyAtMs = Math.max(nowMs, target.readyAt(call, nowMs, contender === again));
    if (contender === again && readyAtMs <= nowMs) return { contender, readyAtMs };
    if (readyAtMs < best.readyAtMs) best = { contender, readyAtMs };
  }
  return best;
}

/** Checking this often whether a trial has ended costs little and adds little delay. */
const TRIAL_POLL_MS = 50;

/**
 * How long a request may wait for one of them, milliseconds: until a pause that ends by itself is over or, if another
 * request is trying a target, until it is worth checking again. The end of any other cooldown promises nothing.
 */
export function worthWaitingMs(contenders: readonly Contender[], nowMs: number, again?: Contender): number {
  let shortestMs = Infinity;
  for (const contender of contenders) {
    const { out, target, call } = contender;
    if (out) continue;
    const held = target.held(call, nowMs);
    if (held.some(({ trying, hold }) => hold.trial && !trying && hold.untilMs > nowMs)) continue;
    const readyMs = target.readyAt(call, nowMs, contender === again) - nowMs;
    const pollMs = held.some(({ trying }) => trying) ? TRIAL_POLL_MS : Infinity;
    shortestMs = Math.min(shortestMs, Math.max(0, readyMs), pollMs);
  }
  return shortestMs;
}

/**
 * The one to call when all are on hold: not before a time that its provider named, and the soonest of these.
 * @param alone one request at a time, with a pause between two
 */
export function leastBad(
  contenders: readonly Contender[],
  nowMs: number,
  alone: boolean,
): Contender | undefined {
  const askable = contenders.filter(
    ({ out, target, call }) => !out && target.lastResortAt(call, nowMs, alone) <= nowMs,
  );
  const at = ({ target, call }: Contender) => target.readyAt(call, nowMs);
  return askable.sort((a, b) => at(a) - at(b))[0];
}

/**
 * Excludes those whose context is known to be no larger than the one that was exceeded. Targets with an unknown context
 * stay: being configured is reason enough to try them.
 * @param windowOf the context of a contender in tokens, if known
 * @param reported the context of the failed target, according to its error message
 */
export function leaveOutSmaller(
  contenders: readonly Contender[],
  failed: Contender,
  windowOf: (contender: Contender) => number | undefined,
  reported: number | undefined,
): void {
  failed.out = true;
  const tooSmall = reported ?? windowOf(failed);
  if (tooSmall === undefined) return;
  for (const contender of contenders) {
    const window = windowOf(contender);
    if (window !== undefined && window <= tooSmall) contender.out = true;
  }
}
