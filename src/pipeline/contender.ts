import type { ProviderModel } from '../providers/base.ts';
import type { Target } from './target.ts';

/** How one request stands with a target it may go to. */
export interface Contender {
  readonly target: Target;
  /** The model as this request's name led to it. */
  readonly offer: ProviderModel;
  /** Failed attempts that count. */
  attempts: number;
  /** How often another key of the same target was tried at once. */
  rotations: number;
  /** Not asked again for this request. */
  out: boolean;
  /** The next attempt opens a connection of its own. */
  fresh: boolean;
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
    const readyAtMs = Math.max(nowMs, contender.target.readyAt(nowMs, contender === again));
    if (contender === again && readyAtMs <= nowMs) return { contender, readyAtMs };
    if (readyAtMs < best.readyAtMs) best = { contender, readyAtMs };
  }
  return best;
}

/** Those that a request may wait for: a rest ends by itself, an open breaker promises nothing. */
export function worthWaiting(contenders: readonly Contender[], nowMs: number): Contender[] {
  return contenders.filter(({ target }) => target.breaker.readyAt(nowMs) <= nowMs);
}

/** The one to ask when all rest: not before a time that its provider named, and the soonest of these. */
export function leastBad(contenders: readonly Contender[], nowMs: number): Contender | undefined {
  const askable = contenders.filter(({ out, target }) => !out && target.lastResortAt(nowMs) <= nowMs);
  return askable.sort((a, b) => a.target.readyAt(nowMs) - b.target.readyAt(nowMs))[0];
}

/**
 * Takes those out of a request that cannot hold a prompt which was too long for `failed`.
 * @param windowOf tokens of a contender's context, where they are known
 * @param told the size of the failed one's context by its own words
 */
export function keepLarger(
  contenders: readonly Contender[],
  failed: Contender,
  windowOf: (contender: Contender) => number | undefined,
  told: number | undefined,
): void {
  const tooSmall = windowOf(failed) ?? told ?? Infinity;
  for (const contender of contenders) {
    if ((windowOf(contender) ?? 0) <= tooSmall) contender.out = true;
  }
}
