import type { Counted, ReportedLimit } from '../../wire/rate-limits.ts';
import type { Call } from './target.ts';
import { Refill } from './refill.ts';

/** When the request was sent whose response reported the limit. */
export interface Sent {
  /** Its number among the requests with the same key for the same model. */
  readonly order: number;
  /** On the monotonic clock. */
  readonly atMs: number;
}

/** The state of a limit. Times are on the monotonic clock. */
interface KnownLimit extends Pick<ReportedLimit, 'remaining'> {
  readonly order: number;
  /** If the total is known. */
  readonly refill: Refill | undefined;
  readonly fromMs: number;
  /** When all of it is available again. */
  readonly untilMs: number;
  /** The time after which no call waits any more. */
  readonly believedMs: number;
}

/** A limit that keeps a call back. */
export interface UsedUp {
  readonly counts: Counted;
  readonly remaining: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * What a provider reported about its limits for one key and one model. A call waits if less is left than it needs.
 * Responses arrive in any order: the report for the request that was sent last applies, and later reports for earlier
 * requests are outdated. Requests sent after that one have taken their part of what it reported.
 */
export class ReportedLimits {
  readonly #limits = new Map<Counted, KnownLimit>();
  #sent = 0;

  /** A request is sent. */
  send(nowMs: number): Sent {
    this.#sent += 1;
    this.#limits.get('requests')?.refill?.take(1, nowMs);
    return { order: this.#sent, atMs: nowMs };
  }

  /** @param believedMs how long a limit is believed to be used up, from now */
  learn(limits: readonly ReportedLimit[], sent: Sent, nowMs: number, believedMs: number): void {
    for (const limit of limits) {
      const { counts, remaining, reset } = limit;
      const { order } = sent;
      const known = this.#limits.get(counts);
      if (known && known.order > order) continue;
      // A duration may have been computed when the request arrived: a long answer delivers it late.
      const fromMs = reset.moment ? nowMs : sent.atMs;
      const untilMs = fromMs + reset.ms;
      const refill = refillOf(limit, fromMs, untilMs);
      // Requests sent meanwhile are counted as if sent just now: at worst that is too many for a moment.
      if (counts === 'requests') refill?.take(this.#sent - order, nowMs);
      this.#limits.set(counts, { order, remaining, refill, fromMs, untilMs, believedMs: nowMs + believedMs });
    }
  }

  /** When a call may be made, on the monotonic clock: 0 for now. */
  readyAt(call: Call | undefined, nowMs: number): number {
    if (this.#limits.size === 0) return 0;
    let readyMs = 0;
    for (const [counts, known] of this.#limits)
      readyMs = Math.max(readyMs, freeAt(counts, known, call, nowMs));
    return readyMs > nowMs ? readyMs : 0;
  }

  /** The limit that keeps a call back for the longest time; `undefined` if none does. */
  usedUp(call: Call | undefined, nowMs: number): UsedUp | undefined {
    let worst: UsedUp | undefined;
    for (const [counts, known] of this.#limits) {
      const untilMs = freeAt(counts, known, call, nowMs);
      if (untilMs <= Math.max(nowMs, worst?.untilMs ?? 0)) continue;
      worst = { counts, remaining: known.remaining, fromMs: known.fromMs, untilMs };
    }
    return worst;
  }
}

/** Both OpenAI and Anthropic refill evenly, and report when all is available again. */
function refillOf({ limit, remaining }: ReportedLimit, atMs: number, fullMs: number): Refill | undefined {
  if (limit === undefined || limit <= remaining) return undefined;
  return new Refill({ limit, left: remaining, atMs, fullMs });
}

/** When enough of a limit is available: if it refills evenly, before all is. */
function freeAt(counts: Counted, known: KnownLimit, call: Call | undefined, nowMs: number): number {
  const { remaining, refill, untilMs, believedMs } = known;
  const needed = neededOf(counts, remaining, call);
  if (refill) return Math.min(believedMs, refill.readyAt(needed, nowMs));
  return needed <= remaining ? 0 : Math.min(believedMs, untilMs);
}

function neededOf(counts: Counted, remaining: number, call: Call | undefined): number {
  if (!call || counts === 'requests' || counts === 'output') return 1;
  // A token has at least one byte, which usually decides it.
  return call.bytes <= remaining ? 1 : Math.max(1, call.need().input);
}
