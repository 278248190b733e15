import type { Clock } from '../../clock.ts';
import type { BoundedReplay } from './replay.ts';
import type { ProxyError } from '../../errors.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Streamed } from './attempting.ts';
import type { Flow } from '../streams/flow.ts';
import type { JoinedFlowOptions } from '../streams/joined-flow.ts';
import type { Job, RequestRouter, Routed } from '../routing/router.ts';
import type { Turns } from '../../turns.ts';
import { prefillText } from '../../wire/continue.ts';
import { Joiner, MIN_OVERLAP } from '../../wire/join.ts';
import { addUsage } from '../../wire/usage.ts';
import { prefillStyle, resumable } from './continuation.ts';
import { JoinedFlow } from '../streams/joined-flow.ts';

type Part = NonNullable<LogRecord['parts']>[number];

/** An interrupted answer, what the client has of it, and how the rest is encoded. */
type Cut = Pick<JoinedFlowOptions, 'first' | 'tap' | 'rest' | 'reportsUsage'> & { readonly text: string };

/** How often one answer is continued at most. */
const MAX_RESUMES = 3;

/** A target that received the prefix continues directly: only a long overlap is a repetition. */
const PREFILL_OVERLAP = 16;

export interface ResumeDeps {
  readonly router: RequestRouter;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly newId: () => string;
  readonly memory: BoundedReplay;
  readonly turns: Turns;
}

/**
 * Continues a stream that broke after some text at another target, so that the client sees one answer. It uses the
 * router, which alone retries and fails over.
 */
export class Resumer {
  readonly #deps: ResumeDeps;
  readonly #job: Job;
  readonly #resumed = new Set<string>();
  readonly #ended = new Set<Routed['opened']>();
  readonly #parts: Part[] = [];
  /** The tokens of the completed parts. */
  usage: Usage | undefined;

  constructor(job: Job, deps: ResumeDeps) {
    this.#deps = deps;
    this.#job = job;
  }

  /** The parts of the answer; omitted if there is only one. */
  get parts(): readonly Part[] | undefined {
    return this.#parts.length > 1 ? this.#parts : undefined;
  }

  /**
   * The rest of the answer. `undefined` when it cannot be continued: another kind of answer, no text yet, a tool call
   * or signed reasoning in it, or no target left.
   * @param flow the answer so far
   */
  async resume(
    broken: Routed,
    flow: Flow,
    error: ProxyError,
  ): Promise<{ routed: Routed; streamed: Streamed } | undefined> {
    const { tap } = flow;
    const text = tap?.begun()?.text;
    const { inbound, candidates, policy, abort } = this.#job;
    this.#resumed.add(broken.target.id);
    const others = candidates.filter(
      ({ provider, model }) => !this.#resumed.has(`${provider.name}/${model}`),
    );
    const wanted = policy.resume && error.rule.health !== 'none';
    if (!wanted || !tap || text === undefined || others.length === 0 || abort.aborted) return undefined;
    if (this.#parts.length > MAX_RESUMES) return undefined;
    try {
      const { clock, newId, memory, router } = this.#deps;
      const created = Math.floor(clock.now() / 1000);
      const ofCaller = memory.of(inbound.caller);
      const { exchange } = this.#job;
      const elapsedMs = () => exchange.elapsedMs;
      const resumed = resumable(inbound, text, { created, newId, memory: ofCaller, elapsedMs });
      if (!resumed) return undefined;
      const routed = await router.route({ ...this.#job, inbound: resumed.inbound, candidates: others });
      const { answer } = routed.opened;
      const rest = answer.kind === 'stream' ? flow.goOn(resumed.client) : undefined;
      if (answer.kind === 'stream' && rest) {
        const reportsUsage = resumed.client.request.stream_options?.include_usage === true;
        return {
          routed,
          streamed: this.#join(routed, answer, { first: flow, tap, text, rest, reportsUsage }),
        };
      }
      // From a server that does not stream: its answer came whole, as another stream's chunks, and is not split.
      routed.target.abandon(routed.ticket, clock.monotonic());
      return undefined;
    } catch {
      // The client is told the first failure; the attempts made here are in the record.
      return undefined;
    }
  }

  #join({ target, offer }: Routed, answer: Streamed, { text, ...cut }: Cut): Streamed {
    const prefilled = prefillStyle(target, offer) !== undefined;
    const seen = prefilled ? prefillText(text) : text;
    const joiner = new Joiner(seen, {
      minOverlap: prefilled ? PREFILL_OVERLAP : MIN_OVERLAP,
      unseen: text.slice(seen.length),
    });
    const flow = new JoinedFlow({
      inner: answer.flow,
      held: answer.held,
      ...cut,
      joiner,
      before: this.usage,
      target: target.id,
      turns: this.#deps.turns,
    });
    return { ...answer, flow, held: undefined };
  }

  /** A part has ended. If it failed twice, the first failure counts. */
  ended({ target, opened }: Routed, error: ProxyError | undefined): void {
    const { answer } = opened;
    if (answer.kind === 'whole' || this.#ended.has(opened)) return;
    this.#ended.add(opened);
    const { usage } = answer.flow;
    if (usage) this.usage = addUsage(this.usage, usage);
    this.#parts.push({
      target: target.id,
      fault: error?.fault ?? null,
      input_tokens: usage?.input ?? null,
      output_tokens: usage?.output ?? null,
    });
  }
}
