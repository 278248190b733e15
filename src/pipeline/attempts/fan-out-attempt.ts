import type { Abort } from '../../abort.ts';
import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Usage } from '../../wire/usage.ts';
import type { AttemptDeps } from './attempt.ts';
import type { AttemptPlan, Attempting, Opened, Streamed, Whole } from './attempting.ts';
import type { Inbound } from '../inbound.ts';
import { ProxyError } from '../../errors.ts';
import { encodeInSteps } from '../../wire/bytes.ts';
import { objectOf } from '../../wire/json.ts';
import { exactly } from '../../wire/json-exact.ts';
import { writeJson } from '../../wire/json-write.ts';
import { chunksOf } from '../../wire/openai/chunks.ts';
import { joinedAnswers } from '../../wire/openai/several.ts';
import { findModel } from '../../wire/splice.ts';
import { addUsage } from '../../wire/usage.ts';
import { Attempt } from './attempt.ts';
import { fanOutCount } from './fan-out-count.ts';
import { FanOutFlow } from '../streams/fan-out-flow.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';

/** One request to one target, or one for each requested answer if the target returns only one at a time. */
export function attemptFor(
  inbound: Inbound,
  plan: AttemptPlan,
  client: Abort,
  deps: AttemptDeps,
): Attempting {
  const count = fanOutCount(inbound, plan.target);
  return count > 1
    ? new FanOutAttempt(inbound, plan, count, client, deps)
    : new Attempt(inbound, plan, client, deps);
}

/** Several parallel requests to one target. If one fails, all are aborted, like a single failed request. */
class FanOutAttempt implements Attempting {
  readonly #inbound: Inbound;
  readonly #plan: AttemptPlan;
  readonly #count: number;
  readonly #client: Abort;
  readonly #deps: AttemptDeps;
  #attempts: readonly Attempt[] = [];

  constructor(inbound: Inbound, plan: AttemptPlan, count: number, client: Abort, deps: AttemptDeps) {
    this.#inbound = inbound;
    this.#plan = plan;
    this.#count = count;
    this.#client = client;
    this.#deps = deps;
  }

  get status(): number | null {
    const statuses = this.#attempts.flatMap(({ status }) => status ?? []);
    return statuses.find((status) => status > 299) ?? statuses[0] ?? null;
  }

  get redacted(): Readonly<Record<string, number>> | undefined {
    return this.#attempts[0]?.redacted;
  }

  get reported(): Usage | undefined {
    return sumOf(this.#attempts.map(({ reported }) => reported));
  }

  cancel(reason: unknown): void {
    for (const attempt of this.#attempts) attempt.cancel(reason);
  }

  discard({ answer }: Opened): void {
    if (answer.kind !== 'stream') return;
    answer.release();
    void answer.flow.cancel('not wanted');
  }

  async open(): Promise<Opened> {
    const one = await this.#deps.turns.run(single(this.#inbound));
    this.#attempts = Array.from(
      { length: this.#count },
      () => new Attempt(one, this.#plan, this.#client, this.#deps),
    );
    const opening = this.#attempts.map((attempt) => attempt.open());
    try {
      return await this.#joined(await Promise.all(opening));
    } catch (thrown) {
      for (const [at, opened] of (await this.#ended(opening, thrown)).entries())
        if (opened) this.#attempts[at]!.discard(opened);
      throw thrown;
    }
  }

  /** Aborts all of them. @returns those that had opened */
  async #ended(
    opening: readonly Promise<Opened>[],
    thrown: unknown,
  ): Promise<readonly (Opened | undefined)[]> {
    const { id } = this.#plan.target;
    const reason = new ProxyError(
      'hedge_lost',
      `Cannot use ${id}: another answer to the same request failed`,
      {
        cause: thrown,
      },
    );
    this.cancel(reason);
    const settled = await Promise.allSettled(opening);
    return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
  }

  async #joined(opened: readonly Opened[]): Promise<Opened> {
    const [first] = opened;
    const dropped = [...new Set(opened.flatMap((each) => each.dropped))];
    const streams = opened.flatMap(({ answer }) => (answer.kind === 'stream' ? [answer] : []));
    const wholes = opened.flatMap(({ answer }) => (answer.kind === 'whole' ? [answer] : []));
    if (streams.length > 0 && wholes.length > 0)
      throw new ProxyError(
        'malformed',
        `Cannot use the answers of ${this.#plan.target.id}: some are streams and some are not`,
        { target: this.#plan.target.id },
      );
    const answer = streams.length > 0 ? this.#stream(streams) : await this.#whole(wholes);
    return { ...first!, lane: 'translate', dropped, answer };
  }

  #stream(streams: readonly Streamed[]): Streamed {
    const { value } = this.#inbound.json!;
    const reportsUsage = objectOf(value.stream_options).include_usage === true;
    const tap = new Tap(passingOf('chat'), this.#deps.limits.maxContent, this.#count);
    tap.awaitsUsage = reportsUsage;
    const flow = new FanOutFlow({ streams, tap, reportsUsage, target: this.#plan.target.id });
    const release = () => {
      for (const each of streams) each.release();
    };
    return { kind: 'stream', flow, held: undefined, release };
  }

  async #whole(wholes: readonly Whole[]): Promise<Whole> {
    const usage = sumOf(wholes.map((whole) => whole.usage));
    const answers = wholes.map(({ text, body }) =>
      objectOf(JSON.parse(text ?? new TextDecoder().decode(body)) as JsonObject),
    );
    const joined = joinedAnswers(answers, usage);
    const text = await this.#deps.turns.run(writeJson(joined));
    // From a server that does not stream.
    const { stream } = this.#inbound;
    const body = await this.#deps.turns.run(encodeInSteps(stream ? eventsOf(joined) : text));
    const finish = wholes.find(({ finish: each }) => each !== wholes[0]!.finish && each !== 'stop')?.finish;
    const lost = [...new Set(wholes.flatMap((whole) => whole.lost ?? []))];
    return {
      kind: 'whole',
      body,
      text,
      finish: finish ?? wholes[0]!.finish,
      usage,
      lost,
      made: stream ? 'text/event-stream' : 'application/json',
    };
  }
}

function eventsOf(answer: JsonObject): string {
  const events = chunksOf(answer).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  return `${events.join('')}data: [DONE]\n\n`;
}

/** The same request for one answer. */
function* single(inbound: Inbound): Steps<Inbound> {
  const { text: original, value } = inbound.json!;
  const { n: _, ...one } = exactly(original, value);
  const text = yield* writeJson(one);
  const bytes = yield* encodeInSteps(text);
  const modelAt = yield* findModel(bytes, typeof value.model === 'string');
  return { ...inbound, json: { text, value: one, modelAt }, bytes };
}

function sumOf(usages: readonly (Usage | undefined)[]): Usage | undefined {
  let sum: Usage | undefined;
  for (const usage of usages) if (usage) sum = addUsage(sum, usage);
  return sum;
}
