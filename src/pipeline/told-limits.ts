import type { Counted, ToldLimit } from '../wire/rate-limits.ts';
import type { Call } from './target.ts';
import { Refill } from './refill.ts';

/** When the request was sent whose answer told something. */
export interface Sent {
  /** Its place among the requests with the same key for the same model. */
  readonly order: number;
  /** On the monotonic clock. */
  readonly atMs: number;
}

/** How a limit stood. Times are on the monotonic clock. */
interface Told extends Pick<ToldLimit, 'remaining'> {
  readonly order: number;
  /** Where it is known how much all is. */
  readonly refill: Refill | undefined;
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
 * any order: what the request told that was sent last is what holds, and what an earlier one tells after it is old. Requests
 * that were sent after that one have taken theirs of what it told.
 */
export class ToldLimits {
  readonly #told = new Map<Counted, Told>();
  #sent = 0;

  /** A request is sent. */
  send(nowMs: number): Sent {
    this.#sent += 1;
    this.#told.get('requests')?.refill?.take(1, nowMs);
    return { order: this.#sent, atMs: nowMs };
  }

  /** @param believedMs how long a limit is believed to be used up, from now */
  learn(limits: readonly ToldLimit[], sent: Sent, nowMs: number, believedMs: number): void {
    for (const limit of limits) {
      const { counts, remaining, reset } = limit;
      const { order } = sent;
      const known = this.#told.get(counts);
      if (known && known.order > order) continue;
      // A span may have been measured when the request came in: a long answer tells it late.
      const fromMs = reset.moment ? nowMs : sent.atMs;
      const untilMs = fromMs + reset.ms;
      const refill = refillOf(limit, fromMs, untilMs);
      // Whoever was sent meanwhile is counted as if just now: at worst that is too many for a moment.
      if (counts === 'requests') refill?.take(this.#sent - order, nowMs);
      this.#told.set(counts, { order, remaining, refill, fromMs, untilMs, believedMs: nowMs + believedMs });
    }
  }

  /** When a call may be made, on the monotonic clock: 0 for now. */
  readyAt(call: Call | undefined, nowMs: number): number {
    if (this.#told.size === 0) return 0;
    let readyMs = 0;
    for (const [counts, told] of this.#told) readyMs = Math.max(readyMs, freeAt(counts, told, call, nowMs));
    return readyMs > nowMs ? readyMs : 0;
  }

  /** The limit that keeps a call out for the longest; `undefined` where none does. */
  usedUp(call: Call | undefined, nowMs: number): UsedUp | undefined {
    let worst: UsedUp | undefined;
    for (const [counts, told] of this.#told) {
      const untilMs = freeAt(counts, told, call, nowMs);
      if (untilMs <= Math.max(nowMs, worst?.untilMs ?? 0)) continue;
      worst = { counts, remaining: told.remaining, fromMs: told.fromMs, untilMs };
    }
    return worst;
  }
}

/** Both OpenAI and Anthropic refill evenly, and tell when all is there again. */
function refillOf({ limit, remaining }: ToldLimit, atMs: number, fullMs: number): Refill | undefined {
  if (limit === undefined || limit <= remaining) return undefined;
  return new Refill({ limit, left: remaining, atMs, fullMs });
}

/** When there is enough of a limit: of one that refills sooner than all is there. */
function freeAt(counts: Counted, told: Told, call: Call | undefined, nowMs: number): number {
  const { remaining, refill, untilMs, believedMs } = told;
  const needed = neededOf(counts, remaining, call);
  if (refill) return Math.min(believedMs, refill.readyAt(needed, nowMs));
  return needed <= remaining ? 0 : Math.min(believedMs, untilMs);
}

function neededOf(counts: Counted, remaining: number, call: Call | undefined): number {
  if (!call || counts === 'requests' || counts === 'output') return 1;
  // No token is shorter than a byte: mostly that is enough to know.
  return call.bytes <= remaining ? 1 : Math.max(1, call.need().input);
}
