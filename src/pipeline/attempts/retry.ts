import type { ProxyError } from '../../errors.ts';

export interface RetryPolicy {
  /** The number of further attempts at one target. */
  readonly maxRetries: number;
  /** Base of the backoff, milliseconds. */
  readonly baseMs: number;
  /** The longest backoff, milliseconds. */
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter: with base 500 and cap 8000 the n-th retry waits up to
 * 0.5 s, 1 s, 2 s, 4 s, 8 s, 8 s ...
 * @param retry which retry this is, from 1
 * @param random uniform in [0, 1)
 * @returns milliseconds
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoff(policy: RetryPolicy, retry: number, random: number): number {
  return random * Math.min(policy.capMs, policy.baseMs * 2 ** (retry - 1));
}

/** What to do after a failed attempt. */
export type NextStep =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'failover' }
  | { readonly action: 'give_up' };

export interface Situation {
  readonly error: ProxyError;
  /** The number of attempts at this target for this request that count, including the failed one. */
  readonly attemptsHere: number;
  /** Whether another key of this target may be used now, if the key was at fault. */
  readonly otherKey: boolean;
  /** Whether this target may be tried again: the failure has not put it on hold. */
  readonly open: boolean;
  /** Whether this failure leads to the next target on this route. */
  readonly failover: boolean;
  /** When another target of this request is ready, milliseconds from now: 0 for now, `Infinity` for none. */
  readonly othersReadyInMs: number;
  /** Whether there are more attempts left than targets that have not been tried. */
  readonly spare: boolean;
  /** The longest wait that is still allowed: the wait budget within the deadline. */
  readonly waitBudgetMs: number;
}

const AT_ONCE: NextStep = { action: 'retry', delayMs: 0 };

/**
 * Decides after a failed attempt, by the table of faults. A provider's own Retry-After is never shortened: it is waited
 * out on the same target if no other is ready sooner and the budget allows; otherwise the target is given up. If the
 * backoff is longer, it is waited out, so that a Retry-After of 0 does not cause a tight loop.
 * @param random uniform in [0, 1)
 */
export function nextStep(situation: Situation, policy: RetryPolicy, random: number): NextStep {
  const { error, attemptsHere, otherKey, open, failover, othersReadyInMs, spare, waitBudgetMs } = situation;
  const { retry } = error.rule;
  const elsewhere: NextStep = failover ? { action: 'failover' } : { action: 'give_up' };
  if (retry === 'at_once') return AT_ONCE;
  if (!spare && failover) return elsewhere;
  if (otherKey) return AT_ONCE;
  if (retry === 'never' || !open || attemptsHere > policy.maxRetries) return elsewhere;
  if (retry === 'last' && othersReadyInMs === 0) return elsewhere;
  const delayMs = Math.max(error.retryAfterMs ?? 0, backoff(policy, attemptsHere, random));
  if (delayMs > waitBudgetMs) return elsewhere;
  if (error.retryAfterMs !== undefined && othersReadyInMs < delayMs) return elsewhere;
  return { action: 'retry', delayMs };
}
