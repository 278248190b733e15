import { Abort } from '../../abort.ts';
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { Clock } from '../../clock.ts';
import type { UpstreamReply } from '../../providers/base.ts';
import type { Turns } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { LaneContext, Local } from '../lanes/lane.ts';
import type { Attempting, AttemptPlan, Opened, Whole } from './attempting.ts';
import type { BoundedReplay } from './replay.ts';
import type { Defects } from '../streams/defects.ts';
import type { Usage } from '../../wire/usage.ts';
import { ProxyError } from '../../errors.ts';
import { Call } from '../../providers/call.ts';
import { pluginError, sendGuarded } from '../../providers/guard.ts';
import { classifyStatus } from '../../wire/classify.ts';
import { ENDPOINTS } from '../../wire/endpoints.ts';
import { continued } from './continuation.ts';
import type { Redact, RedactedInbound } from '../redaction.ts';
import { Restorer } from '../../redact/outward/restorer.ts';
import { redacted } from '../redaction.ts';
import { laneFor } from '../lanes/choose.ts';
import { embed } from '../lanes/embed.ts';
import { tokenLists } from '../../wire/openai/embeddings.ts';
import { AnswerReading } from './answer-reading.ts';
import { refusal } from './refusal.ts';
import { ReplyReader } from '../streams/reply-reader.ts';
import { statusFlaw } from '../streams/reading.ts';
import { AttemptTimers, limitsOf } from '../streams/timers.ts';

export interface AttemptLimits {
  /** The largest answer, bytes. */
  readonly maxResponse: number;
  /** How much of an answer is kept for the record, bytes. */
  readonly maxContent: number;
}

export interface AttemptDeps extends Pick<LaneContext, 'newId'> {
  readonly memory: BoundedReplay;
  /** Counts tokens in OpenAI's newest vocabulary; the signal cancels the wait. */
  readonly countTokens: (texts: readonly string[], signal: AbortSignal) => Promise<number>;
  /** Decodes lists of tokens to texts. */
  readonly readTokens: (
    lists: readonly (readonly number[])[],
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
  readonly redact: Redact;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly limits: AttemptLimits;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
  readonly defects: Defects;
}

/** One request to one target, until its answer may be sent to the client. Nothing here is retried. */
export class Attempt implements Attempting {
  readonly #inbound: Inbound;
  readonly #plan: AttemptPlan;
  readonly #deps: AttemptDeps;
  readonly #abort = new Abort();
  readonly #timers: AttemptTimers;
  readonly #unfollow: () => void;
  /** The answer, once the provider responded. */
  #reading: AnswerReading | undefined;
  /** Whether usage is requested in addition to what the client requests. */
  #asksUsage = false;
  /** Whether the request contains something signed or encrypted by the provider. */
  #sealed = false;
  #schemas = false;
  /** The redacted request, if something was redacted. */
  #hidden: RedactedInbound | undefined;
  #restorer: Restorer | undefined;
  /** The provider's HTTP status, once it responded. */
  status: number | null = null;
  #sentMs: number | undefined;
  #failedMs: number | undefined;

  /** @param client aborts with a ProxyError when the client disconnects, or the deadline passes */
  constructor(inbound: Inbound, plan: AttemptPlan, client: Abort, deps: AttemptDeps) {
    this.#inbound = inbound;
    this.#plan = plan;
    this.#deps = deps;
    const { provider, id } = plan.target;
    this.#timers = new AttemptTimers({
      clock: deps.clock,
      limits: limitsOf(inbound.stream, provider.settings.timeouts, plan.offer.timeouts),
      target: id,
      stream: inbound.stream && ENDPOINTS[inbound.endpoint].understood,
      share: plan.share,
      reachable: (ms) => provider.reachable(ms),
      expired: (error) => this.#abort.abort(error),
    });
    this.#unfollow = client.onAbort(() => this.#abort.abort(client.reason));
  }

  /**
   * Sends the request and reads until the answer may be committed: the whole body of an unstreamed answer, the first
   * content of a streamed one.
   * @throws ProxyError for the fault that occurred
   */
  async open(): Promise<Opened> {
    try {
      const opened = await this.#open();
      if (opened.answer.kind === 'stream') this.#timers.committed();
      return opened;
    } catch (thrown) {
      this.#failedMs = this.#deps.clock.monotonic();
      this.#release();
      const known = this.#understood(thrown);
      const error = known instanceof ProxyError ? known.reworded(this.#deps.mask) : known;
      this.#abort.abort(error);
      throw error;
    }
  }

  /** Errors thrown by a plugin's code are the plugin's fault, wherever it was called. */
  #understood(thrown: unknown): unknown {
    const { provider } = this.#plan.target;
    return provider.settings.plugin && !this.#abort.aborted ? pluginError(provider, thrown) : thrown;
  }

  get redacted(): Readonly<Record<string, number>> | undefined {
    return this.#hidden?.counts;
  }

  get heard(): { readonly fromMs: number; readonly untilMs: number } | undefined {
    const fromMs = this.#sentMs;
    if (fromMs === undefined) return undefined;
    // An attempt that lost a race has waited until now.
    const untilMs = this.#failedMs ?? this.#reading?.heardMs ?? this.#deps.clock.monotonic();
    return { fromMs, untilMs };
  }

  /** The usage that its answer has reported so far. */
  get reported(): Usage | undefined {
    return this.#reading?.reported;
  }

  /** Aborts an attempt that has not opened yet. @param reason a ProxyError */
  cancel(reason: unknown): void {
    this.#abort.abort(reason);
  }

  discard({ answer }: Opened): void {
    if (answer.kind !== 'stream') return;
    answer.release();
    void answer.flow.cancel('not wanted');
  }

  async #open(): Promise<Opened> {
    const { target, offer, unsealed, schemaless } = this.#plan;
    const { provider, model } = target;
    const { clock, newId, memory, turns } = this.#deps;
    const whole =
      this.#inbound.continuation === undefined
        ? this.#inbound
        : await turns.run(continued(this.#inbound, target, offer));
    const given = this.#plan.redact ? await this.#redacted(whole, this.#plan.redact) : whole;
    const lane = laneFor(given, provider, model);
    const inbound = lane === embed ? await this.#inTexts(given) : given;
    const usage = target.usageAsking;
    const ofCaller = memory.of(inbound.caller);
    const beganMs = clock.monotonic();
    const elapsedMs = () => clock.monotonic() - beganMs;
    const context = {
      provider,
      model,
      nowMs: clock.now(),
      newId,
      memory: ofCaller,
      usage,
      unsealed,
      schemaless,
      signsCalls: target.demandsSignatures || undefined,
      elapsedMs,
      redaction:
        this.#hidden && this.#hidden.values.length > 0
          ? { requested: whole, restorer: this.#restorer }
          : undefined,
    };
    const prepared = await turns.run(lane.prepare(inbound, context));
    this.#abort.throwIfAborted();
    if ('local' in prepared) return await this.#local(prepared);
    const { dropped } = prepared;
    this.#asksUsage = prepared.asksUsage ?? false;
    if (dropped.length > 0 && this.#plan.unsupported === 'error') {
      const message = `Cannot use ${target.id}: it does not support ${dropped.join(', ')}`;
      throw new ProxyError('unsupported', message, { target: target.id, param: dropped[0]! });
    }
    this.#sealed = prepared.sealed ?? false;
    this.#schemas = prepared.schemas ?? false;
    const { stream } = inbound;
    const { traceHeaders } = this.#plan;
    const outgoing = traceHeaders
      ? { ...prepared, headers: { ...prepared.headers, ...traceHeaders } }
      : prepared;
    const call = new Call(outgoing, model, stream, this.#plan);
    const { signal } = this.#abort;
    this.#sentMs = clock.monotonic();
    const reply = await (provider.settings.plugin
      ? sendGuarded(provider, call, signal)
      : provider.send(call, signal));
    this.status = reply.status;
    const read = stream && ENDPOINTS[inbound.endpoint].understood;
    this.#timers.answered(read && reply.status === 200);
    const reader = this.#readerOf(reply);
    this.#plan.answered?.(reader.headers);
    const flaw = statusFlaw(reply.status);
    if (flaw !== undefined) throw reader.malformed(flaw);
    if (reply.status > 299) throw await this.#failed(reply, reader, lane.kind === 'relay');
    const { shown } = reader;
    const { limits, defects } = this.#deps;
    this.#reading = new AnswerReading(reader, prepared, {
      inbound: this.#inbound,
      target: target.id,
      protocol: prepared.protocol ?? (lane.kind === 'relay' ? inbound.endpoint : provider.protocol(model)),
      quirks: provider.quirks(model),
      restorer: this.#restorer,
      timers: this.#timers,
      release: this.#release,
      maxContent: limits.maxContent,
      clock,
      turns,
      defects,
    });
    const answer = await this.#reading.answer();
    return { lane: lane.kind, status: reply.status, headers: shown, dropped, answer };
  }

  /** The request without what its rule redacts: what cannot be searched is not sent. */
  async #redacted(inbound: Inbound, rule: OutwardRule): Promise<Inbound> {
    const memory = this.#deps.memory.of(inbound.caller);
    const { turns } = this.#deps;
    const { signal } = this.#abort;
    this.#hidden = await redacted(inbound, rule, memory, signal, this.#deps);
    this.#abort.throwIfAborted();
    const { values } = this.#hidden;
    if (rule.restore && values.length > 0) this.#restorer = await turns.run(Restorer.inSteps(values));
    return this.#hidden.inbound;
  }

  /** Lists of tokens are specific to OpenAI's clients: other providers do not understand them. */
  async #inTexts(inbound: Inbound): Promise<Inbound> {
    const { json, endpoint } = inbound;
    const lists = endpoint === 'embeddings' && json && tokenLists(json.value.input);
    if (!lists) return inbound;
    const input = await this.#deps.readTokens(lists, this.#abort.signal);
    return { ...inbound, json: { ...json, value: { ...json.value, input: [...input] } } };
  }

  #readerOf(reply: UpstreamReply): ReplyReader {
    const { limits, clock, turns, defects } = this.#deps;
    return new ReplyReader(reply, {
      target: this.#plan.target.id,
      accepted: this.#inbound.headers['accept-encoding'],
      maxBytes: limits.maxResponse,
      abort: this.#abort,
      timers: this.#timers,
      clock,
      turns,
      defects,
    });
  }

  async #local({ texts, local, finish }: Local): Promise<Opened> {
    // The target is not called, so its limits do not apply.
    this.#timers.stop();
    const { countTokens } = this.#deps;
    const text = local(texts.length > 0 ? await countTokens(texts, this.#abort.signal) : 0);
    this.#release();
    const body = new TextEncoder().encode(text);
    const answer: Whole = {
      kind: 'whole',
      body,
      text,
      finish: finish ?? null,
      usage: undefined,
      made: 'application/json',
    };
    return { lane: 'translate', status: 200, headers: {}, dropped: [], answer };
  }

  /** The provider's error response as a typed error. */
  async #failed(reply: UpstreamReply, reader: ReplyReader, verbatim: boolean): Promise<ProxyError> {
    const body = await reader.error();
    const { status, headers } = reply;
    return refusal(classifyStatus(status, headers, body, verbatim), {
      inbound: this.#inbound,
      target: this.#plan.target,
      asksUsage: this.#asksUsage,
      sealed: this.#sealed,
      schemas: this.#schemas,
      body,
      nowMs: this.#deps.clock.now(),
    });
  }

  readonly #release = (): void => {
    this.#timers.stop();
    this.#unfollow();
  };
}
