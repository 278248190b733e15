import type { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { Place } from '../../limits/limits.ts';
import type { RoutePolicy } from '../../config/schema.ts';
import type { AnyAnswer, Attempting, AttemptPlan, Opened, Streamed, Whole } from './attempting.ts';
import type { Contender } from './contender.ts';
import type { Inbound } from '../inbound.ts';
import type { Job, Routed } from '../routing/router.ts';
import type { Share } from './share.ts';
import type { Call, Target, Ticket } from '../targets/target.ts';
import type { Exchange } from '../record/exchange.ts';
import type { TracedAttempt } from '../record/trace.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { rateLimitsIn } from '../../wire/rate-limits.ts';
import { soonest } from './contender.ts';
import { HedgeBudget } from './hedge.ts';
import { MIN_SAMPLES } from '../targets/samples.ts';

export interface RunnerDeps<A extends AnyAnswer = Whole | Streamed> {
  readonly clock: Clock;
  readonly attempt: (inbound: Inbound, plan: AttemptPlan, client: Abort) => Attempting<A>;
}

/** A failed attempt. */
export interface Failure {
  readonly contender: Contender;
  readonly error: ProxyError;
}

type Hedge = Exclude<RoutePolicy['hedge'], boolean>;

/** The context of an attempt. */
export interface Turn {
  readonly job: Job;
  readonly call: Call;
  readonly contenders: readonly Contender[];
  /** When the deadline passes, on the monotonic clock. */
  readonly untilMs: number;
  /** The share of the deadline for an attempt that begins now. */
  readonly share: (contender: Contender) => Share | undefined;
}

/** Makes attempts and reports their outcomes to the targets; if a route hedges, two in parallel. */
export class AttemptRunner<A extends AnyAnswer = Whole | Streamed> {
  readonly #deps: RunnerDeps<A>;
  /** By the route's settings: each has its own budget. */
  readonly #hedges = new WeakMap<object, HedgeBudget>();

  constructor(deps: RunnerDeps<A>) {
    this.#deps = deps;
  }

  /** A request adds to its route's hedging budget. */
  deposit({ hedge }: RoutePolicy): void {
    if (hedge) this.#budgetOf(hedge).deposit(hedge.budget);
  }

  /**
   * Tries a target, and a second one in parallel if the route hedges and the first is slow to begin.
   * @param place the room that was taken for it
   */
  async ask(turn: Turn, contender: Contender, place: Place): Promise<Routed<A> | Failure[]> {
    const first = this.#start(turn, contender, place);
    const { hedge } = turn.job.policy;
    const second = hedge && hedge.budget > 0 ? await this.#hedge(turn, hedge, first) : undefined;
    if (!second) {
      const outcome = await first.outcome;
      return 'opened' in outcome ? outcome : [outcome];
    }
    const failures: Failure[] = [];
    const race = [first, second];
    const { promise: won, resolve } = Promise.withResolvers<Running<A> | undefined>();
    const run = async (running: Running<A>): Promise<void> => {
      const outcome = await running.outcome;
      if ('opened' in outcome) resolve(running);
      else if (failures.push(outcome) === race.length) resolve(undefined);
    };
    for (const running of race) void run(running);
    const winner = await won;
    for (const running of race) if (winner && running !== winner) running.lose();
    return winner ? ((await winner.outcome) as Routed<A>) : failures;
  }

  /** The hedge, started; `undefined` when the first attempt ended before, or no hedge is possible. */
  async #hedge(turn: Turn, hedge: Hedge, first: Running<A>): Promise<Running<A> | undefined> {
    const { job, contenders } = turn;
    const budget = this.#budgetOf(hedge);
    const delayMs = hedge.delay ?? slowBeginning(first.contender.target, job.inbound.stream);
    if (delayMs === undefined) return undefined;
    const { clock } = this.#deps;
    const { promise: slow, resolve } = Promise.withResolvers<undefined>();
    const cancel = clock.after(delayMs, () => resolve(undefined));
    const early = await Promise.race([first.outcome, slow]);
    cancel();
    if (early || job.abort.aborted) return undefined;
    const nowMs = clock.monotonic();
    const others = contenders.filter((contender) => contender !== first.contender);
    const { contender, readyAtMs } = soonest(others, nowMs);
    if (!contender || readyAtMs > nowMs || !budget.allowsOne) return undefined;
    const place = contender.target.reserve(contender.call, nowMs);
    if (!place) return undefined;
    budget.take();
    return this.#start(turn, contender, place);
  }

  #budgetOf(hedge: Hedge): HedgeBudget {
    let budget = this.#hedges.get(hedge);
    if (!budget) this.#hedges.set(hedge, (budget = new HedgeBudget()));
    return budget;
  }

  #start(turn: Turn, contender: Contender, place: Place): Running<A> {
    return new Running(turn, contender, place, this.#deps);
  }
}

/** A running attempt. */
class Running<A extends AnyAnswer> {
  readonly contender: Contender;
  readonly outcome: Promise<Routed<A> | Failure>;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #attempt: Attempting<A>;
  readonly #ticket: Ticket;
  readonly #beganMs: number;
  readonly #traced: TracedAttempt | undefined;
  /** Another one answered first. */
  #lost = false;
  #failed = false;
  #opened: Opened<A> | undefined;
  #entry: ReturnType<Exchange['attempted']> | undefined;

  constructor({ job, share }: Turn, contender: Contender, place: Place, { clock, attempt }: RunnerDeps<A>) {
    this.contender = contender;
    this.#clock = clock;
    this.#exchange = job.exchange;
    const { target, offer, call, fresh, unsealed, schemaless, redact } = contender;
    const within = share(contender);
    this.#beganMs = clock.monotonic();
    this.#ticket = target.begin(call, this.#beganMs, place);
    const { unsupported } = job.policy;
    const { key } = this.#ticket.key;
    const answered = (headers: HeaderMap) =>
      target.reported(this.#ticket, rateLimitsIn(headers, clock.now()), clock.monotonic());
    const { trace } = job.exchange;
    this.#traced = trace?.attempt(job.exchange.elapsedMs);
    const traceHeaders = this.#traced && trace!.headersFor(this.#traced);
    const plan = {
      target,
      offer,
      key,
      fresh,
      unsealed,
      schemaless,
      redact,
      unsupported,
      share: within,
      answered,
      traceHeaders,
    };
    this.#attempt = attempt(job.inbound, plan, job.abort);
    this.outcome = this.#run();
  }

  async #run(): Promise<Routed<A> | Failure> {
    const { target, offer } = this.contender;
    const ticket = this.#ticket;
    let opened: Opened<A>;
    try {
      opened = await this.#attempt.open();
    } catch (thrown) {
      return this.#fail(toProxyError(thrown));
    }
    this.#succeed(opened);
    return { opened, target, offer, ticket, beganMs: this.#beganMs };
  }

  #fail(error: ProxyError): Failure {
    const { contender } = this;
    this.#failed = true;
    if (!this.#lost) {
      const { reported } = this.#attempt;
      if (reported) contender.target.used(this.#ticket, reported);
      contender.target.fail(this.#ticket, error, this.#clock.monotonic(), this.#clock.now());
      this.#report(error);
    }
    return { contender, error };
  }

  #succeed(opened: Opened<A>): void {
    this.#opened = opened;
    if (this.#lost) return this.#discard(opened);
    const { target } = this.contender;
    const nowMs = this.#clock.monotonic();
    const firstContentMs = opened.answer.kind === 'whole' ? undefined : nowMs - this.#beganMs;
    // An answer that was made without the target is no evidence about it.
    if (this.#attempt.status === null) {
      this.#ticket.tokens = 0;
      target.abandon(this.#ticket, nowMs);
    } else target.opened(this.#ticket, nowMs, firstContentMs);
    this.#report(undefined);
  }

  /** Aborts it without evidence about its target: another one answered first. */
  lose(): void {
    // A failure before that was already reported.
    if (this.#failed) return;
    this.#lost = true;
    const { target } = this.contender;
    const message = `Cannot use ${target.id}: another target answered first`;
    const error = new ProxyError('hedge_lost', message);
    const { reported } = this.#attempt;
    if (reported) target.used(this.#ticket, reported);
    target.abandon(this.#ticket, this.#clock.monotonic());
    if (this.#opened) return this.#discard(this.#opened);
    this.#report(error);
    this.#attempt.cancel(error);
  }

  #report(error: ProxyError | undefined): void {
    const { target, offer } = this.contender;
    const ms = this.#clock.monotonic() - this.#beganMs;
    const { heard, redacted } = this.#attempt;
    if (heard) this.#exchange.waited(heard.fromMs, heard.untilMs);
    const fault = error?.fault ?? null;
    this.#entry = this.#exchange.attempted(target, offer, ms, fault, this.#attempt.status, this.#traced);
    if (redacted) this.#entry.redacted = redacted;
    if (error) this.#exchange.failed(this.#entry, target, offer, this.#attempt.reported);
  }

  /** Cancels an answer that is not used. Its reported usage is charged, unless that was done before. */
  #discard(opened: Opened<A>): void {
    const { target, offer } = this.contender;
    const entry = this.#entry;
    if (entry && entry.input_tokens === undefined)
      this.#exchange.failed(entry, target, offer, this.#attempt.reported);
    this.#attempt.discard(opened);
  }
}

/**
 * The time after which a target is slower to begin than for 95 of 100 of its answers; `undefined` before it is known.
 */
function slowBeginning({ firstContent, health }: Target, stream: boolean): number | undefined {
  const samples = stream ? firstContent : health.latencies;
  return samples.count < MIN_SAMPLES ? undefined : (samples.quantile(0.95) ?? undefined);
}
