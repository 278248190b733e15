import type { Clock } from '../clock.ts';
import type { Attempt, Opened } from './attempt.ts';
import type { Candidate } from './models.ts';
import type { Inbound } from './inbound.ts';
import type { Target, TargetPool, Ticket } from './target.ts';
import { sleep } from '../clock.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { nextStep } from './retry.ts';
import { order } from './select.ts';

export interface RouterPolicy {
  /** All attempts together, milliseconds. */
  readonly deadline: number;
  readonly max_attempts: number;
  readonly max_retry_delay: number;
  readonly wait_budget: number;
}

export interface RouterDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly pool: TargetPool;
  readonly attempt: (inbound: Inbound, target: Target, signal: AbortSignal) => Attempt;
}

/** A request on its way to an answer. */
export interface Job {
  readonly inbound: Inbound;
  readonly candidates: readonly Candidate[];
  /** Aborts with a ProxyError when the client leaves. */
  readonly signal: AbortSignal;
  /** Told of each attempt as it ends. */
  readonly attempted: (attempt: AttemptReport) => void;
}

export interface AttemptReport {
  readonly target: Target;
  readonly ms: number;
  readonly error: ProxyError | undefined;
  /** HTTP status of the provider. */
  readonly status: number | null;
}

/** A target that answered. The ticket is open until the answer has ended. */
export interface Routed {
  readonly opened: Opened;
  readonly ticket: Ticket;
  /** When the attempt began, on the monotonic clock. */
  readonly beganMs: number;
}

/** How one request stands with a target it may go to. */
interface Contender {
  readonly target: Target;
  attempts: number;
  /** Not asked again for this request. */
  out: boolean;
}

/**
 * The only loop that retries and fails over. It asks one target at a time, in order, within one deadline, and
 * decides after each failure by the rules table alone.
 */
export class RequestRouter {
  readonly #policy: RouterPolicy;
  readonly #deps: RouterDeps;

  constructor(policy: RouterPolicy, deps: RouterDeps) {
    this.#policy = policy;
    this.#deps = deps;
  }

  /** @throws ProxyError: the last target's own error, or `unavailable` or `deadline` */
  async route(job: Job): Promise<Routed> {
    const deadline = new AbortController();
    const expire = () =>
      deadline.abort(new ProxyError('deadline', 'Cannot answer in time: routing.deadline has passed'));
    const cancel = this.#deps.clock.after(this.#policy.deadline, expire);
    const leave = () => deadline.abort(job.signal.reason);
    job.signal.addEventListener('abort', leave, { once: true });
    if (job.signal.aborted) leave();
    try {
      return await this.#loop(job, deadline.signal);
    } finally {
      cancel();
      job.signal.removeEventListener('abort', leave);
    }
  }

  async #loop(job: Job, signal: AbortSignal): Promise<Routed> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonic() + this.#policy.deadline;
    const contenders = this.#line(job.candidates);
    let waitBudgetMs = this.#policy.wait_budget;
    let again: Contender | undefined;
    let last: ProxyError | undefined;
    for (let attempts = 0; attempts < this.#policy.max_attempts;) {
      signal.throwIfAborted();
      const nowMs = clock.monotonic();
      const { contender, readyAtMs } = soonest(contenders, nowMs, again);
      if (!contender) break;
      if (readyAtMs > nowMs) {
        const waitMs = readyAtMs - nowMs;
        if (waitMs > waitBudgetMs || readyAtMs > untilMs) break;
        waitBudgetMs -= waitMs;
        await sleep(clock, waitMs, signal);
        continue;
      }
      attempts += 1;
      const outcome = await this.#try(job, contender.target, signal);
      if (!(outcome instanceof ProxyError)) return outcome;
      last = outcome;
      contender.attempts += 1;
      const leftMs = Math.min(waitBudgetMs, untilMs - clock.monotonic());
      const step = this.#decide(contenders, contender, outcome, leftMs);
      if (step.action === 'give_up') throw outcome;
      contender.out = step.action === 'failover';
      again = undefined;
      if (step.action === 'retry') {
        again = contender;
        if (outcome.retryAfterMs !== undefined) waitBudgetMs -= step.delayMs;
        await sleep(clock, step.delayMs, signal);
      }
    }
    throw last ?? this.#unavailable(job, contenders);
  }

  #line(candidates: readonly Candidate[]): Contender[] {
    return order(candidates, this.#deps.random).map(({ provider, model, price }) => ({
      target: this.#deps.pool.target(provider, model, price),
      attempts: 0,
      out: false,
    }));
  }

  async #try(job: Job, target: Target, signal: AbortSignal): Promise<Routed | ProxyError> {
    const { clock } = this.#deps;
    const beganMs = clock.monotonic();
    const ticket = target.begin();
    const attempt = this.#deps.attempt(job.inbound, target, job.signal);
    const stop = () => attempt.cancel(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const opened = await attempt.open();
      job.attempted({ target, ms: clock.monotonic() - beganMs, error: undefined, status: attempt.status });
      return { opened, ticket, beganMs };
    } catch (thrown) {
      const error = toProxyError(thrown);
      const nowMs = clock.monotonic();
      target.fail(ticket, error, nowMs, clock.now());
      job.attempted({ target, ms: nowMs - beganMs, error, status: attempt.status });
      return error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #decide(contenders: readonly Contender[], failed: Contender, error: ProxyError, waitBudgetMs: number) {
    const { settings } = failed.target.provider;
    const nowMs = this.#deps.clock.monotonic();
    const others = contenders.filter((contender) => contender !== failed);
    const { readyAtMs } = soonest(others, nowMs);
    return nextStep(
      {
        error,
        attemptsHere: failed.attempts,
        othersReadyInMs: Math.max(0, readyAtMs - nowMs),
        waitBudgetMs,
      },
      { maxRetries: settings.maxRetries, baseMs: settings.retryDelayMs, capMs: this.#policy.max_retry_delay },
      this.#deps.random(),
    );
  }

  #unavailable(job: Job, contenders: readonly Contender[]): ProxyError {
    const nowMs = this.#deps.clock.monotonic();
    const { readyAtMs } = soonest(contenders, nowMs);
    const names = contenders.map(({ target }) => target.id).join(', ');
    return new ProxyError(
      'unavailable',
      `Cannot answer for model "${job.inbound.model}": no target is available (${names}); see /providers`,
      { retryAfterMs: Number.isFinite(readyAtMs) ? Math.max(0, readyAtMs - nowMs) : 1_000 },
    );
  }
}

/**
 * The contender that is ready first, the earlier in line among equals; `again` goes before all others when it is
 * ready. `readyAtMs` is `Infinity` when there is none.
 */
function soonest(
  contenders: readonly Contender[],
  nowMs: number,
  again?: Contender,
): { contender: Contender | undefined; readyAtMs: number } {
  let best: { contender: Contender | undefined; readyAtMs: number } = {
    contender: undefined,
    readyAtMs: Infinity,
  };
  for (const contender of contenders) {
    if (contender.out) continue;
    const readyAtMs = Math.max(nowMs, contender.target.readyAt(nowMs, contender === again));
    if (contender === again && readyAtMs <= nowMs) return { contender, readyAtMs };
    if (readyAtMs < best.readyAtMs) best = { contender, readyAtMs };
  }
  return best;
}
