import type { Abort } from '../../abort.ts';
import type { RoutePolicy } from '../../config/schema.ts';
import type { Expected } from '../../limits/asking.ts';
import type { ProviderModel } from '../../providers/base.ts';
import type { AnyAnswer, Opened, Streamed, Whole } from '../attempts/attempting.ts';
import type { Exchange } from '../record/exchange.ts';
import type { Contender } from '../attempts/contender.ts';
import type { Candidate } from './offers.ts';
import type { Inbound } from '../inbound.ts';
import type { Failure, RunnerDeps, Turn } from '../attempts/runner.ts';
import type { TargetPool } from '../targets/target-pool.ts';
import type { Call, Target, Ticket } from '../targets/target.ts';
import { sleep } from '../../clock.ts';
import { ProxyError } from '../../errors.ts';
import { bothRules } from '../../redact/outward/rule.ts';
import { contextWindowIn } from '../../wire/context-window.ts';
import { leastBad, leaveOutSmaller, soonest, worthWaitingMs } from '../attempts/contender.ts';
import { callOf } from './fingerprint.ts';
import { nextStep } from '../attempts/retry.ts';
import { AttemptRunner } from '../attempts/runner.ts';
import { order } from './select.ts';
import { shareOf } from '../attempts/share.ts';

export interface RouterPolicy {
  /** The limit on all attempts together, milliseconds. */
  readonly deadline: number;
  readonly max_attempts: number;
  readonly max_retry_delay: number;
  readonly wait_budget: number;
}

export interface RouterDeps<A extends AnyAnswer = Whole | Streamed> extends RunnerDeps<A> {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly pool: TargetPool;
  /** Whether callers have keys of their own; `false` by default. */
  readonly apart?: boolean;
  /** The context window of a model in tokens, if known. */
  readonly contextWindow: (target: Target, offer: ProviderModel) => number | undefined;
}

/** A request on its way to an answer. */
export interface Job {
  readonly inbound: Inbound;
  readonly candidates: readonly Candidate[];
  readonly policy: RoutePolicy;
  /** Its estimated usage. */
  readonly expected: () => Expected;
  /** Aborts with a ProxyError when the client disconnects or the deadline passes. */
  readonly abort: Abort;
  /** The caller's own deadline until the answer begins, milliseconds from now. */
  readonly deadlineMs: number;
  /** Called for each attempt when it ends. */
  readonly exchange: Exchange;
}

/** What is left of a request's budgets. */
interface Left {
  attempts: number;
  /** The time that it may wait for targets, milliseconds. */
  waitMs: number;
  /** Whether its route allows trying a target on hold at once. */
  lastResort: boolean;
}

/** A target that answered. The ticket is open until the answer has ended. */
export interface Routed<A extends AnyAnswer = Whole | Streamed> {
  readonly opened: Opened<A>;
  readonly target: Target;
  readonly offer: ProviderModel;
  readonly ticket: Ticket;
  /** When the attempt began, on the monotonic clock. */
  readonly beganMs: number;
}

/**
 * The only loop that retries and fails over. It tries one target at a time, in order, within one deadline, and decides
 * after each failure by the table of faults and the route's policy alone.
 */
export class RequestRouter<A extends AnyAnswer = Whole | Streamed> {
  readonly #policy: RouterPolicy;
  readonly #deps: RouterDeps<A>;
  readonly #runner: AttemptRunner<A>;

  constructor(policy: RouterPolicy, deps: RouterDeps<A>) {
    this.#policy = policy;
    this.#deps = deps;
    this.#runner = new AttemptRunner(deps);
  }

  /** @throws ProxyError: a target's own error, or `unavailable`, `deadline`, or why the client disconnected */
  async route(job: Job): Promise<Routed<A>> {
    const { clock } = this.#deps;
    const limitMs = Math.min(this.#policy.deadline, job.deadlineMs);
    const ofCaller = limitMs < this.#policy.deadline;
    const cancel = clock.after(limitMs, () => job.abort.abort(tooLate(ofCaller)));
    try {
      const nowMs = clock.monotonic();
      const turn = this.#turn(job, { untilMs: nowMs + limitMs, ofCaller });
      this.#runner.deposit(job.policy);
      job.abort.throwIfAborted();
      // Nearly always the first target is ready and answers.
      const [first] = turn.contenders;
      const isReady = first !== undefined && first.target.readyAt(first.call, nowMs) <= nowMs;
      const place = isReady ? first.target.reserve(first.call, nowMs) : undefined;
      const outcome = place ? await this.#runner.ask(turn, first!, place) : [];
      return Array.isArray(outcome) ? await this.#loop(turn, outcome) : outcome;
    } finally {
      cancel();
    }
  }

  #turn(job: Job, deadline: { readonly untilMs: number; readonly ofCaller: boolean }): Turn {
    const { clock, apart = false } = this.#deps;
    const call = callOf(job.inbound, job.expected, apart);
    const contenders = this.#line(job.candidates, call);
    const { stream } = job.inbound;
    const { untilMs, ofCaller } = deadline;
    const share = (contender: Contender) =>
      contenders.length < 2
        ? undefined
        : shareOf(contender, { contenders, nowMs: clock.monotonic(), stream, untilMs, ofCaller });
    return { job, call, contenders, untilMs, share };
  }

  /** Continues until a target answers or nothing is left to try. @param failures of the attempts made so far */
  async #loop(turn: Turn, failures: readonly Failure[]): Promise<Routed<A>> {
    const { job, contenders, untilMs } = turn;
    const errors: ProxyError[] = [];
    const left: Left = {
      attempts: this.#policy.max_attempts,
      waitMs: this.#policy.wait_budget,
      lastResort: job.policy.last_resort,
    };
    let failed = failures;
    for (;;) {
      left.attempts -= failed.filter(costsAnAttempt).length;
      let again: Contender | undefined;
      for (const failure of failed) {
        job.abort.throwIfAborted();
        errors.push(failure.error);
        const waitMs = Math.min(left.waitMs, untilMs - this.#deps.clock.monotonic());
        const step = this.#decide(job, contenders, failure, { waitMs, attempts: left.attempts });
        if (step.action === 'give_up') throw this.#final(errors, contenders);
        failure.contender.out = step.action === 'failover';
        if (step.action !== 'retry') continue;
        again = failure.contender;
        if (failure.error.retryAfterMs !== undefined) left.waitMs -= step.delayMs;
        if (step.delayMs > 0) await this.#pause(step.delayMs, job);
      }
      const next = left.attempts > 0 ? await this.#next(turn, left, again) : undefined;
      if (!next) break;
      const outcome = await next.pending;
      if (!Array.isArray(outcome)) return outcome;
      failed = outcome;
    }
    throw errors.length > 0 ? this.#final(errors, contenders) : this.#unavailable(job, contenders);
  }

  /**
   * Tries the next target as soon as that is allowed; `undefined` when there is none in time. Checking and starting are
   * one step: many requests wake up at the same moment, and each must see what the previous ones have taken.
   */
  async #next(
    turn: Turn,
    left: Left,
    again: Contender | undefined,
  ): Promise<{ readonly pending: ReturnType<AttemptRunner<A>['ask']> } | undefined> {
    const { clock } = this.#deps;
    const { job, contenders, untilMs } = turn;
    for (;;) {
      job.abort.throwIfAborted();
      const nowMs = clock.monotonic();
      const first = soonest(contenders, nowMs, again);
      const isReady = first.readyAtMs <= nowMs;
      let { contender } = first;
      if (!isReady) {
        const waitMs = worthWaitingMs(contenders, nowMs, again);
        if (waitMs <= left.waitMs && nowMs + waitMs < untilMs) {
          left.waitMs -= waitMs;
          await this.#pause(waitMs, job);
          continue;
        }
        contender = leastBad(contenders, nowMs, !left.lastResort);
      }
      if (!contender) return undefined;
      // Another process may have taken the room since: it is checked again.
      const place = contender.target.reserve(contender.call, nowMs);
      if (!place) continue;
      if (!isReady) left.lastResort = false;
      return { pending: this.#runner.ask(turn, contender, place) };
    }
  }

  /** @throws the reason of an abort */
  async #pause(ms: number, { exchange, abort }: Job): Promise<void> {
    const { clock } = this.#deps;
    const fromMs = clock.monotonic();
    try {
      await sleep(clock, ms, abort);
    } finally {
      exchange.waited(fromMs, clock.monotonic());
    }
  }

  #line(candidates: readonly Candidate[], call: Call): Contender[] {
    const { pool, random, clock } = this.#deps;
    const nowMs = clock.monotonic();
    return order(candidates, random).map(({ provider, model, offer, redact }) => ({
      target: pool.target(provider, model, nowMs),
      offer,
      call,
      redact: bothRules(redact, provider.settings.redact),
      attempts: 0,
      rotations: 0,
      out: false,
      fresh: false,
      unsealed: false,
      schemaless: false,
    }));
  }

  /** @param left the attempts and the waiting time that a request has left */
  #decide(
    job: Job,
    contenders: readonly Contender[],
    { contender, error }: Failure,
    left: { readonly waitMs: number; readonly attempts: number },
  ) {
    const { target, call } = contender;
    const { settings } = target.provider;
    const { retry, failover } = error.rule;
    const nowMs = this.#deps.clock.monotonic();
    const otherKey = hasOtherKey(contender, error, nowMs);
    if (error.fault === 'seals_refused') contender.unsealed = true;
    else if (error.fault === 'schema_refused') contender.schemaless = true;
    else if (retry === 'at_once') contender.fresh = true;
    else if (otherKey) contender.rotations += 1;
    else contender.attempts += 1;
    if (failover === 'larger') {
      const windowOf = (each: Contender) => this.#deps.contextWindow(each.target, each.offer);
      leaveOutSmaller(contenders, contender, windowOf, contextWindowIn(error.message));
    }
    const others = contenders.filter((each) => each !== contender && !each.out);
    const { readyAtMs } = soonest(others, nowMs);
    const untried = others.filter(
      (each) => isUntried(each) && each.target.readyAt(each.call, nowMs) <= nowMs,
    );
    return nextStep(
      {
        error,
        attemptsHere: contender.attempts,
        otherKey,
        open: target.held(call, nowMs).every(({ hold }) => !hold.trial),
        failover:
          failover === 'yes' ||
          (failover === 'larger' && others.length > 0) ||
          (failover === 'policy' && job.policy.content_policy === 'failover'),
        othersReadyInMs: Math.max(0, readyAtMs - nowMs),
        spare: left.attempts > untried.length,
        waitBudgetMs: left.waitMs,
      },
      { maxRetries: settings.maxRetries, baseMs: settings.retryDelayMs, capMs: this.#policy.max_retry_delay },
      this.#deps.random(),
    );
  }

  /** The most informative of the errors, with the time at which a target will be ready again. */
  #final(errors: readonly ProxyError[], contenders: readonly Contender[]): ProxyError {
    // A provider's message is more informative than a broken connection, and the operator's key does not concern the
    // caller.
    const reported = errors.findLast((error) => error.upstream && !error.refusesKey);
    const error = reported ?? errors.at(-1)!;
    if (error.rule.health === 'none') return error;
    return error.waiting(recoveryMs(contenders, this.#deps.clock.monotonic()) ?? statedMs(errors));
  }

  #unavailable(job: Job, contenders: readonly Contender[]): ProxyError {
    const nowMs = this.#deps.clock.monotonic();
    const retryAfterMs = recoveryMs(contenders, nowMs) ?? LAST_RESORT_HINT_MS;
    const held = contenders.map(({ target, call }) => target.held(call, nowMs)[0]);
    const limits = contenders.map((contender) => limitOf(contender, nowMs));
    if (limits.every((limit) => limit !== undefined)) return full(job, limits, retryAfterMs);
    const [first] = held;
    // If all of them agree, one error speaks for all.
    if (first && held.every((each) => each?.scope === 'endpoint')) {
      return first.hold.error.waiting(retryAfterMs);
    }
    const states = contenders.map(({ target }, at) => {
      const { scope, hold } = held[at] ?? {};
      return `${target.id}: ${hold ? `${scope} held back after ${hold.error.fault}` : 'busy'}`;
    });
    return new ProxyError(
      'unavailable',
      `Cannot answer for model "${job.inbound.model}": every target is held back (${states.join(', ')})`,
      { retryAfterMs },
    );
  }
}

/** The limit that alone keeps a request from a target, in words; `undefined` if something else does. */
function limitOf({ target, call }: Contender, nowMs: number): string | undefined {
  const held = target.held(call, nowMs);
  if (held.some(({ hold }) => hold.error.fault !== 'rate_limited')) return undefined;
  const limit = held.length > 0 ? "the provider's own limit" : target.full(call, nowMs);
  return limit && `${target.id}: ${limit}`;
}

function full({ inbound }: Job, limits: readonly string[], retryAfterMs: number): ProxyError {
  const message = `Cannot answer for model "${inbound.model}" now: every target is at its limit (${limits.join(', ')})`;
  return new ProxyError('full', message, { retryAfterMs: Math.max(LAST_RESORT_HINT_MS, retryAfterMs) });
}

function tooLate(ofCaller: boolean): ProxyError {
  const what = ofCaller ? "the caller's deadline" : 'routing.deadline';
  return new ProxyError('deadline', `Cannot answer in time: ${what} has passed`);
}

/** Attempts that are needed for what the proxy itself added do not count. */
function costsAnAttempt({ error }: Failure): boolean {
  return error.fault !== 'usage_unasked';
}

function isUntried({ attempts, rotations, fresh, unsealed, schemaless }: Contender): boolean {
  return attempts === 0 && rotations === 0 && !fresh && !unsealed && !schemaless;
}

/** Whether the key was at fault, and another one that was not tried yet may be used now. */
function hasOtherKey({ target, call, rotations }: Contender, { rule }: ProxyError, nowMs: number): boolean {
  const free = rotations < target.state.keys.length - 1 && target.readyAt(call, nowMs) <= nowMs;
  return rule.blames === 'key' && free;
}

/** The Retry-After if a target may be tried immediately. */
const LAST_RESORT_HINT_MS = 1_000;

/** The shortest time that targets asked for with their last errors, if all of them did; milliseconds. */
function statedMs(errors: readonly ProxyError[]): number | undefined {
  const last = new Map(errors.map(({ target, retryAfterMs }) => [target, retryAfterMs ?? 0]));
  const soonestMs = Math.min(...last.values());
  return soonestMs > 0 ? soonestMs : undefined;
}

/** Milliseconds until the first of them may be tried again; `undefined` when one may be now. */
function recoveryMs(contenders: readonly Contender[], nowMs: number): number | undefined {
  const times = contenders.map(({ target, call }) =>
    Math.min(target.readyAt(call, nowMs), target.lastResortAt(call, nowMs, true)),
  );
  const soonestMs = Math.min(...times);
  return soonestMs > nowMs && Number.isFinite(soonestMs) ? soonestMs - nowMs : undefined;
}
