import type { Job, RequestRouter, Routed } from './router.ts';
import type { Streamed } from './attempt.ts';
import type { Usage } from '../wire/usage.ts';
import type { LogRecord } from '../logs/record.ts';
import type { Tap } from './tap.ts';
import type { ProxyError } from '../errors.ts';
import { prefillText } from '../wire/continue.ts';
import { Joiner, MIN_OVERLAP } from '../wire/join.ts';
import { addUsage } from '../wire/usage.ts';
import { prefillStyle } from './continuation.ts';
import { JoinedFlow } from './joined-flow.ts';

type Part = NonNullable<LogRecord['parts']>[number];

/** How often one answer is continued at most. */
const MAX_RESUMES = 3;

/** A target that was given the beginning goes straight on: only a long repetition is one. */
const PREFILL_OVERLAP = 16;

/**
 * Continues a stream that broke after some text at another target, so that the client sees one answer. It asks
 * the router, which alone retries and fails over.
 */
export class Resumer {
  readonly #router: RequestRouter;
  readonly #job: Job;
  readonly #asked = new Set<string>();
  readonly #ended = new Set<Routed['opened']>();
  readonly #parts: Part[] = [];
  /** Tokens of the parts that ended. */
  usage: Usage | undefined;

  constructor(router: RequestRouter, job: Job) {
    this.#router = router;
    this.#job = job;
  }

  /** The parts of the answer; left out where there is but one. */
  get parts(): readonly Part[] | undefined {
    return this.#parts.length > 1 ? this.#parts : undefined;
  }

  /**
   * The rest of the answer. `undefined` when it cannot be continued: another kind of answer, no text yet, a tool
   * call or signed reasoning in it, or nobody left to ask.
   * @param tap of the whole answer
   */
  async resume(
    broken: Routed,
    tap: Tap,
    error: ProxyError,
  ): Promise<{ routed: Routed; streamed: Streamed } | undefined> {
    const text = tap.plainText();
    const { inbound, candidates, policy, abort } = this.#job;
    this.#asked.add(broken.target.id);
    const others = candidates.filter(({ provider, model }) => !this.#asked.has(`${provider.name}/${model}`));
    const wanted = policy.resume && inbound.endpoint === 'chat' && error.rule.health !== 'none';
    if (!wanted || text === undefined || others.length === 0 || abort.signal.aborted) return undefined;
    if (this.#parts.length > MAX_RESUMES) return undefined;
    try {
      const continuing = { ...inbound, continuation: { text } };
      const routed = await this.#router.route({ ...this.#job, inbound: continuing, candidates: others });
      const { answer } = routed.opened;
      if (answer.kind === 'stream') return { routed, streamed: this.#join(routed, answer, tap, text) };
      // A server that does not stream: its answer came whole, as another stream's chunks, and is not taken apart.
      routed.target.abandon(routed.ticket);
      return undefined;
    } catch {
      // The client hears of what broke first; the attempts made here stand in the record.
      return undefined;
    }
  }

  #join({ target, offer }: Routed, answer: Streamed, tap: Tap, text: string): Streamed {
    const prefilled = prefillStyle(target, offer) !== undefined;
    const seen = prefilled ? prefillText(text) : text;
    const joiner = new Joiner(seen, {
      minOverlap: prefilled ? PREFILL_OVERLAP : MIN_OVERLAP,
      unseen: text.slice(seen.length),
    });
    const flow = new JoinedFlow({
      inner: answer.flow,
      held: answer.held,
      tap,
      joiner,
      name: tap.name(),
      before: this.usage,
      target: target.id,
    });
    return { ...answer, flow, held: undefined };
  }

  /** A part came to its end. Of one that broke twice the first end counts. */
  ended({ target, opened }: Routed, error: ProxyError | undefined): void {
    const { answer } = opened;
    if (answer.kind === 'whole' || this.#ended.has(opened)) return;
    this.#ended.add(opened);
    const usage = answer.flow.tap?.usage;
    if (usage) this.usage = addUsage(this.usage, usage);
    this.#parts.push({
      target: target.id,
      fault: error?.fault ?? null,
      input_tokens: usage?.input ?? null,
      output_tokens: usage?.output ?? null,
    });
  }
}
