import type { Clock } from '../clock.ts';
import type { RoutePolicy } from '../config/schema.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Attempt, AttemptPlan, Opened } from './attempt.ts';
import type { Contender } from './contender.ts';
import type { Candidate } from './models.ts';
import type { Inbound } from './inbound.ts';
import type { TargetPool } from './target-pool.ts';
import type { Target, Ticket } from './target.ts';
import { sleep } from '../clock.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { contextWindowIn } from '../wire/context-window.ts';
import { keepLarger, leastBad, soonest, worthWaiting } from './contender.ts';
import { HedgeBudget } from './hedge.ts';
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
  readonly attempt: (inbound: Inbound, plan: AttemptPlan, signal: AbortSignal) => Attempt;
  /** Tokens a model takes, where they are known. */
  readonly contextWindow: (target: Target, offer: ProviderModel) => number | undefined;
}

/** A request on its way to an answer. */
export interface Job {
  readonly inbound: Inbound;
  readonly candidates: readonly Candidate[];
  readonly policy: RoutePolicy;
  /** Aborts with a ProxyError when the client leaves or the deadline passes. */
  readonly abort: AbortController;
  /** The caller's own deadline until the answer begins, milliseconds from now. */
  readonly deadlineMs: number;
  /** Told of each attempt as it ends. */
  readonly attempted: (attempt: AttemptReport) => void;
}

export interface AttemptReport {
  readonly target: Target;
  readonly offer: ProviderModel;
  readonly ms: number;
  readonly error: ProxyError | undefined;
  /** HTTP status of the provider. */
  readonly status: number | null;
}

/** A target that answered. The ticket is open until the answer has ended. */
export interface Routed {
  readonly opened: Opened;
  readonly target: Target;
  readonly offer: ProviderModel;
  readonly ticket: Ticket;
  /** When the attempt began, on the monotonic clock. */
  readonly beganMs: number;
}

type Hedge = Exclude<RoutePolicy['hedge'], boolean>;

interface Failure {
  readonly contender: Contender;
  readonly error: ProxyError;
}

/** An attempt that runs. */
interface Trial {
  readonly contender: Contender;
  readonly outcome: Promise<Routed | Failure>;
  /** Ends it without a word about its target: another one answered first. */
  readonly lose: () => void;
}

/** Measurements before a quantile of them decides anything. */
const MIN_SAMPLES = 20;

/**
 * The only loop that retries and fails over. It asks one target at a time, in order, within one deadline, and
 * decides after each failure by the rules table and the route's policy alone.
 */
export class RequestRouter {
  readonly #policy: RouterPolicy;
  readonly #deps: RouterDeps;
  /** By the route's own words: each has its budget. */
  readonly #hedges = new WeakMap<object, HedgeBudget>();

  constructor(policy: RouterPolicy, deps: RouterDeps) {
    this.#policy = policy;
    this.#deps = deps;
  }

  /** @throws ProxyError: a target's own error, or `unavailable`, `deadline`, or why the client left */
  async route(job: Job): Promise<Routed> {
    const { clock } = this.#deps;
    const limitMs = Math.min(this.#policy.deadline, job.deadlineMs);
    const own = limitMs < this.#policy.deadline;
    const what = own ? "the caller's deadline" : 'routing.deadline';
    const expire = () =>
      job.abort.abort(new ProxyError('deadline', `Cannot answer in time: ${what} has passed`));
    const cancel = clock.after(limitMs, expire);
    try {
      return await this.#loop(job, clock.monotonic() + limitMs);
    } finally {
      cancel();
    }
  }

  async #loop(job: Job, untilMs: number): Promise<Routed> {
    const { clock } = this.#deps;
    const { signal } = job.abort;
    const contenders = this.#line(job.candidates);
    const { hedge } = job.policy;
    if (hedge) this.#budgetOf(hedge).deposit(hedge.budget);
    const errors: ProxyError[] = [];
    let waitBudgetMs = this.#policy.wait_budget;
    let again: Contender | undefined;
    let lastResort = job.policy.last_resort;
    for (let attempts = 0; attempts < this.#policy.max_attempts;) {
      signal.throwIfAborted();
      const nowMs = clock.monotonic();
      let { contender, readyAtMs } = soonest(contenders, nowMs, again);
      if (readyAtMs > nowMs) {
        ({ contender, readyAtMs } = soonest(worthWaiting(contenders, nowMs), nowMs, again));
        const waitMs = readyAtMs - nowMs;
        if (contender && waitMs <= waitBudgetMs && readyAtMs < untilMs) {
          waitBudgetMs -= waitMs;
          await sleep(clock, waitMs, signal);
          continue;
        }
        contender = lastResort ? leastBad(contenders, nowMs) : undefined;
        lastResort = false;
      }
      if (!contender) break;
      const outcome = await this.#ask(job, contenders, contender);
      if (!Array.isArray(outcome)) return outcome;
      attempts += outcome.length;
      again = undefined;
      for (const failure of outcome) {
        signal.throwIfAborted();
        errors.push(failure.error);
        const step = this.#decide(
          job,
          contenders,
          failure,
          Math.min(waitBudgetMs, untilMs - clock.monotonic()),
        );
        if (step.action === 'give_up') throw this.#final(errors, contenders);
        failure.contender.out = step.action === 'failover';
        if (step.action !== 'retry') continue;
        again = failure.contender;
        if (failure.error.retryAfterMs !== undefined) waitBudgetMs -= step.delayMs;
        if (step.delayMs > 0) await sleep(clock, step.delayMs, signal);
      }
    }
    throw errors.length > 0 ? this.#final(errors, contenders) : this.#unavailable(job, contenders);
  }

  #line(candidates: readonly Candidate[]): Contender[] {
    return order(candidates, this.#deps.random).map(({ provider, model, offer }) => ({
      target: this.#deps.pool.target(provider, model),
      offer,
      attempts: 0,
      rotations: 0,
      out: false,
      fresh: false,
    }));
  }

  /** Asks a target, and a second one beside it where the route hedges and the first is slow to begin. */
  async #ask(job: Job, contenders: readonly Contender[], contender: Contender): Promise<Routed | Failure[]> {
    const first = this.#start(job, contender);
    const { hedge } = job.policy;
    const second = hedge && hedge.budget > 0 ? await this.#hedge(job, hedge, contenders, first) : undefined;
    if (!second) {
      const outcome = await first.outcome;
      return 'opened' in outcome ? outcome : [outcome];
    }
    const failures: Failure[] = [];
    const race = [first, second];
    const { promise: won, resolve } = Promise.withResolvers<Trial | undefined>();
    const run = async (trial: Trial): Promise<void> => {
      const outcome = await trial.outcome;
      if ('opened' in outcome) resolve(trial);
      else if (failures.push(outcome) === race.length) resolve(undefined);
    };
    for (const trial of race) void run(trial);
    const winner = await won;
    for (const trial of race) if (winner && trial !== winner) trial.lose();
    return winner ? ((await winner.outcome) as Routed) : failures;
  }

  /** The hedge, begun; `undefined` when the first came to its end before, or there is none to be made. */
  async #hedge(
    job: Job,
    hedge: Hedge,
    contenders: readonly Contender[],
    first: Trial,
  ): Promise<Trial | undefined> {
    const budget = this.#budgetOf(hedge);
    const delayMs = hedge.delay ?? slowBeginning(first.contender.target, job.inbound.stream);
    if (delayMs === undefined) return undefined;
    const { clock } = this.#deps;
    const { promise: slow, resolve } = Promise.withResolvers<undefined>();
    const cancel = clock.after(delayMs, () => resolve(undefined));
    const early = await Promise.race([first.outcome, slow]);
    cancel();
    if (early || job.abort.signal.aborted) return undefined;
    const nowMs = clock.monotonic();
    const others = contenders.filter((contender) => contender !== first.contender);
    const { contender, readyAtMs } = soonest(others, nowMs);
    if (!contender || readyAtMs > nowMs || !budget.take()) return undefined;
    return this.#start(job, contender);
  }

  #budgetOf(hedge: Hedge): HedgeBudget {
    let budget = this.#hedges.get(hedge);
    if (!budget) this.#hedges.set(hedge, (budget = new HedgeBudget()));
    return budget;
  }

  #start(job: Job, contender: Contender): Trial {
    const { clock } = this.#deps;
    const { target, offer } = contender;
    const beganMs = clock.monotonic();
    const ticket = target.begin(beganMs);
    const { unsupported } = job.policy;
    const plan = { target, offer, key: ticket.key, fresh: contender.fresh, unsupported };
    const attempt = this.#deps.attempt(job.inbound, plan, job.abort.signal);
    let lost = false;
    let answer: Opened | undefined;
    const report = (error: ProxyError | undefined) => {
      const ms = clock.monotonic() - beganMs;
      job.attempted({ target, offer, ms, error, status: attempt.status });
    };
    const succeeded = (opened: Opened): Routed => {
      answer = opened;
      if (lost) void discard(opened);
      else {
        const nowMs = clock.monotonic();
        target.opened(ticket, nowMs, opened.answer.kind === 'stream' ? nowMs - beganMs : undefined);
        report(undefined);
      }
      return { opened, target, offer, ticket, beganMs };
    };
    const failed = (thrown: unknown): Failure => {
      const error = toProxyError(thrown);
      if (!lost) {
        target.fail(ticket, error, clock.monotonic(), clock.now());
        report(error);
      }
      return { contender, error };
    };
    const lose = () => {
      lost = true;
      const error = new ProxyError('hedge_lost', `Cannot use ${target.id}: another target answered first`);
      target.abandon(ticket, clock.monotonic());
      if (answer) return void discard(answer);
      report(error);
      attempt.cancel(error);
    };
    return { contender, outcome: attempt.open().then(succeeded, failed), lose };
  }

  #decide(job: Job, contenders: readonly Contender[], { contender, error }: Failure, waitBudgetMs: number) {
    const { settings } = contender.target.provider;
    const { retry, failover } = error.rule;
    const nowMs = this.#deps.clock.monotonic();
    const otherKey = hasOtherKey(contender, error, nowMs);
    if (retry === 'at_once') contender.fresh = true;
    else if (otherKey) contender.rotations += 1;
    else contender.attempts += 1;
    if (failover === 'larger') {
      const windowOf = (each: Contender) => this.#deps.contextWindow(each.target, each.offer);
      keepLarger(contenders, contender, windowOf, contextWindowIn(error.message));
    }
    const { readyAtMs } = soonest(
      contenders.filter((each) => each !== contender),
      nowMs,
    );
    const left = contenders.some((each) => each !== contender && !each.out);
    return nextStep(
      {
        error,
        attemptsHere: contender.attempts,
        otherKey,
        failover:
          failover === 'yes' ||
          (failover === 'larger' && left) ||
          (failover === 'policy' && job.policy.content_policy === 'failover'),
        othersReadyInMs: Math.max(0, readyAtMs - nowMs),
        waitBudgetMs,
      },
      { maxRetries: settings.maxRetries, baseMs: settings.retryDelayMs, capMs: this.#policy.max_retry_delay },
      this.#deps.random(),
    );
  }

  /** The best of the errors, saying when a target will be ready again. */
  #final(errors: readonly ProxyError[], contenders: readonly Contender[]): ProxyError {
    // A provider's own words say more than a broken connection, and our key is none of the caller's business.
    const told = errors.findLast((error) => error.upstream && error.rule.health !== 'down');
    const error = told ?? errors.at(-1)!;
    if (error.rule.health === 'none') return error;
    return error.waiting(recoveryMs(contenders, this.#deps.clock.monotonic()));
  }

  #unavailable(job: Job, contenders: readonly Contender[]): ProxyError {
    const nowMs = this.#deps.clock.monotonic();
    const missing = contenders.map(({ target }) => target.missing(nowMs));
    if (missing[0] && missing.every((each) => each)) return missing[0];
    const states = contenders.map(
      ({ target }) => `${target.id}: ${target.blocked(nowMs)?.reason ?? 'ready'}`,
    );
    return new ProxyError(
      'unavailable',
      `Cannot answer for model "${job.inbound.model}": no target may be asked now (${states.join(', ')})`,
      { retryAfterMs: recoveryMs(contenders, nowMs) ?? UNKNOWN_RECOVERY_MS },
    );
  }
}

/** Whether it was the key that failed, and another one, not tried yet, may be used now. */
function hasOtherKey({ target, rotations }: Contender, { rule }: ProxyError, nowMs: number): boolean {
  const ofKey = rule.health === 'down' || rule.health === 'busy';
  return ofKey && rotations < target.state.keys - 1 && target.readyAt(nowMs) <= nowMs;
}

/** Named where nobody knows when a target comes back: a probe may find it at any time. */
const UNKNOWN_RECOVERY_MS = 30_000;

/** Milliseconds until the first of them may be asked again; `undefined` when one may be now, or nobody knows. */
function recoveryMs(contenders: readonly Contender[], nowMs: number): number | undefined {
  const soonestMs = Math.min(...contenders.map(({ target }) => target.readyAt(nowMs)));
  return soonestMs > nowMs && Number.isFinite(soonestMs) ? soonestMs - nowMs : undefined;
}

/** After how long a target is slower to begin than 95 of 100 of its answers were; `undefined` before it is known. */
function slowBeginning({ firstContent, health }: Target, stream: boolean): number | undefined {
  const samples = stream ? firstContent : health.latencies;
  return samples.count < MIN_SAMPLES ? undefined : (samples.quantile(0.95) ?? undefined);
}

/** Lets go of an answer that nobody wants any more. */
async function discard({ answer }: Opened): Promise<void> {
  if (answer.kind !== 'stream') return;
  answer.release();
  await answer.flow.cancel('not wanted');
}
