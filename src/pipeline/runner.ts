import type { Abort } from '../abort.ts';
import type { Clock } from '../clock.ts';
import type { RoutePolicy } from '../config/schema.ts';
import type { Attempt, AttemptPlan, Opened } from './attempt.ts';
import type { Contender } from './contender.ts';
import type { Inbound } from './inbound.ts';
import type { Job, Routed } from './router.ts';
import type { Share } from './share.ts';
import type { Call, Target } from './target.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { soonest } from './contender.ts';
import { HedgeBudget } from './hedge.ts';
import { MIN_SAMPLES } from './samples.ts';

export interface RunnerDeps {
  readonly clock: Clock;
  readonly attempt: (inbound: Inbound, plan: AttemptPlan, client: Abort) => Attempt;
}

/** An attempt that failed. */
export interface Failure {
  readonly contender: Contender;
  readonly error: ProxyError;
}

type Hedge = Exclude<RoutePolicy['hedge'], boolean>;

/** What an attempt is made with. */
export interface Turn {
  readonly job: Job;
  readonly call: Call;
  readonly contenders: readonly Contender[];
  /** The share of the deadline of an attempt that begins now. */
  readonly share: (contender: Contender) => Share | undefined;
}

/** An attempt that runs. */
interface Running {
  readonly contender: Contender;
  readonly outcome: Promise<Routed | Failure>;
  /** Ends it without a word about its target: another one answered first. */
  readonly lose: () => void;
}

/** Makes attempts and tells their targets what came of them; where a route hedges, two side by side. */
export class AttemptRunner {
  readonly #deps: RunnerDeps;
  /** By the route's own words: each has its budget. */
  readonly #hedges = new WeakMap<object, HedgeBudget>();

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /** A request adds to what its route may hedge. */
  deposit({ hedge }: RoutePolicy): void {
    if (hedge) this.#budgetOf(hedge).deposit(hedge.budget);
  }

  /** Asks a target, and a second one beside it where the route hedges and the first is slow to begin. */
  async ask(turn: Turn, contender: Contender): Promise<Routed | Failure[]> {
    const first = this.#start(turn, contender);
    const { hedge } = turn.job.policy;
    const second = hedge && hedge.budget > 0 ? await this.#hedge(turn, hedge, first) : undefined;
    if (!second) {
      const outcome = await first.outcome;
      return 'opened' in outcome ? outcome : [outcome];
    }
    const failures: Failure[] = [];
    const race = [first, second];
    const { promise: won, resolve } = Promise.withResolvers<Running | undefined>();
    const run = async (running: Running): Promise<void> => {
      const outcome = await running.outcome;
      if ('opened' in outcome) resolve(running);
      else if (failures.push(outcome) === race.length) resolve(undefined);
    };
    for (const running of race) void run(running);
    const winner = await won;
    for (const running of race) if (winner && running !== winner) running.lose();
    return winner ? ((await winner.outcome) as Routed) : failures;
  }

  /** The hedge, begun; `undefined` when the first came to its end before, or there is none to be made. */
  async #hedge(turn: Turn, hedge: Hedge, first: Running): Promise<Running | undefined> {
    const { job, call, contenders } = turn;
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
    if (!contender || readyAtMs > nowMs || !budget.take()) return undefined;
    return this.#start({ ...turn, call }, contender);
  }

  #budgetOf(hedge: Hedge): HedgeBudget {
    let budget = this.#hedges.get(hedge);
    if (!budget) this.#hedges.set(hedge, (budget = new HedgeBudget()));
    return budget;
  }

  #start({ job, call, share }: Turn, contender: Contender): Running {
    const { clock } = this.#deps;
    const { target, offer, fresh } = contender;
    const within = share(contender);
    const beganMs = clock.monotonic();
    const ticket = target.begin(call, beganMs);
    const { unsupported } = job.policy;
    const plan = { target, offer, key: ticket.key.key, fresh, unsupported, share: within };
    const attempt = this.#deps.attempt(job.inbound, plan, job.abort);
    let lost = false;
    let answer: Opened | undefined;
    const report = (error: ProxyError | undefined) => {
      const ms = clock.monotonic() - beganMs;
      job.exchange.attempted(target, offer, ms, error?.fault ?? null, attempt.status);
    };
    const succeeded = (opened: Opened): Routed => {
      answer = opened;
      if (lost) void discard(opened);
      else {
        const nowMs = clock.monotonic();
        const firstContentMs = opened.answer.kind === 'stream' ? nowMs - beganMs : undefined;
        // What was answered without the target says nothing about it.
        if (attempt.status === null) target.abandon(ticket);
        else target.opened(ticket, nowMs, firstContentMs);
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
      target.abandon(ticket);
      if (answer) return void discard(answer);
      report(error);
      attempt.cancel(error);
    };
    return { contender, outcome: attempt.open().then(succeeded, failed), lose };
  }
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
