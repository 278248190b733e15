import type { Counted, ToldLimit } from '../wire/rate-limits.ts';
import type { Call } from './target.ts';

/** When the request was sent whose answer told something. */
export interface Sent {
  /** Its place among the requests with the same key. */
  readonly order: number;
  /** On the monotonic clock. */
  readonly atMs: number;
}

/** How a limit stood. Times are on the monotonic clock. */
interface Told extends Pick<ToldLimit, 'limit' | 'remaining'> {
  readonly order: number;
  readonly fromMs: number;
  /** When all of it is there again. */
  readonly untilMs: number;
  /** No call waits longer. */
  readonly believedMs: number;
}

/** A limit that keeps a call out. */
export interface UsedUp {
  readonly counts: Counted;
  readonly remaining: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * What a provider told of its limits for one key and one model. A call waits where less is left than it needs. Answers come in
 * any order: what the request told that was sent last is what holds, and what an earlier one tells after it is old.
 */
export class ToldLimits {
  readonly #told = new Map<Counted, Told>();

  /** @param believedMs how long a limit is believed to be used up, from now */
  learn(limits: readonly ToldLimit[], { order, atMs }: Sent, nowMs: number, believedMs: number): void {
    for (const { counts, limit, remaining, reset } of limits) {
      const known = this.#told.get(counts);
      if (known && known.order > order) continue;
      // A span may have been measured when the request came in: a long answer tells it late.
      const fromMs = reset.moment ? nowMs : atMs;
      const untilMs = fromMs + reset.ms;
      this.#told.set(counts, { order, limit, remaining, fromMs, untilMs, believedMs: nowMs + believedMs });
    }
  }

  /** When a call may be made, on the monotonic clock: 0 for now. */
  readyAt(call: Call | undefined, nowMs: number): number {
    let readyMs = 0;
    for (const [counts, told] of this.#told) {
      if (told.untilMs <= nowMs) continue;
      readyMs = Math.max(readyMs, freeAt(counts, told, call));
    }
    return readyMs > nowMs ? readyMs : 0;
  }

  /** The limit that keeps a call out for the longest; `undefined` where none does. */
  usedUp(call: Call | undefined, nowMs: number): UsedUp | undefined {
    let worst: UsedUp | undefined;
    for (const [counts, told] of this.#told) {
      const untilMs = told.untilMs <= nowMs ? 0 : freeAt(counts, told, call);
      if (untilMs <= Math.max(nowMs, worst?.untilMs ?? 0)) continue;
      worst = { counts, remaining: told.remaining, fromMs: told.fromMs, untilMs };
    }
    return worst;
  }
}

/**
 * When there is enough of a limit. Both OpenAI and Anthropic refill evenly, and tell when all is there again: what a call lacks is
 * there sooner than that, where it is known how much all is.
 */
function freeAt(counts: Counted, { limit, remaining, ...told }: Told, call: Call | undefined): number {
  if (remaining > 0 && (counts === 'requests' || counts === 'output' || enough(remaining, call))) return 0;
  const needed = counts === 'tokens' || counts === 'input' ? Math.max(1, call?.need().input ?? 1) : 1;
  const { fromMs, untilMs, believedMs } = told;
  const share =
    limit === undefined || limit <= remaining ? 1 : Math.min(1, (needed - remaining) / (limit - remaining));
  return Math.min(believedMs, fromMs + (untilMs - fromMs) * share);
}

/** Whether so many tokens are enough for the call's own text: no token is shorter than a byte. */
function enough(remaining: number, call: Call | undefined): boolean {
  return !call || call.bytes <= remaining || call.need().input <= remaining;
}
