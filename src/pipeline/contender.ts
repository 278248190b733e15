import type { OutwardRule } from '../config/redact-schema.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Call, Target } from './target.ts';

/** How one request stands with a target it may go to. */
export interface Contender {
  readonly target: Target;
  /** The model as this request's name led to it. */
  readonly offer: ProviderModel;
  readonly call: Call;
  /** What is taken out of a request before the target is asked. */
  readonly redact?: OutwardRule | undefined;
  /** Failed attempts that count. */
  attempts: number;
  /** How often another key of the same target was tried at once. */
  rotations: number;
  /** Not asked again for this request. */
  out: boolean;
  /** The next attempt opens a connection of its own. */
  fresh: boolean;
  /** The next attempt gives nothing back that is signed or encrypted. */
  unsealed: boolean;
}

export interface Soonest {
  readonly contender: Contender | undefined;
  /** On the monotonic clock; `Infinity` when there is none. */
  readonly readyAtMs: number;
}

/**
 * The contender that is ready first, the earlier in line among equals; `again` goes before all others when it is
 * ready.
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

/** Looking this often whether a trial has come to an end costs little, and nobody waits long for good news. */
const TRIAL_POLL_MS = 50;

/**
 * How long a request may wait for one of them, milliseconds: until a pause that ends by itself is over, or, where
 * another request is trying a target, until it is worth looking again. Of other cooldowns the end promises nothing.
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
 * The one to ask when all are held back: not before a time that its provider named, and the soonest of these.
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
 * Takes those out of a request whose context is known to be no larger than the one that was too small. Of others
 * nobody knows: that they are listed is reason enough to ask them.
 * @param windowOf tokens of a contender's context, where they are known
 * @param told the size of the failed one's context by its own words
 */
export function leaveOutSmaller(
  contenders: readonly Contender[],
  failed: Contender,
  windowOf: (contender: Contender) => number | undefined,
  told: number | undefined,
): void {
  failed.out = true;
  const tooSmall = told ?? windowOf(failed);
  if (tooSmall === undefined) return;
  for (const contender of contenders) {
    const window = windowOf(contender);
    if (window !== undefined && window <= tooSmall) contender.out = true;
  }
}
