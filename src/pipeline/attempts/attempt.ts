import { Abort } from '../../abort.ts';
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { Clock } from '../../clock.ts';
import type { UpstreamReply } from '../../providers/base.ts';
import type { Steps, Turns } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { LaneContext, Local, Prepared } from '../lanes/lane.ts';
import type { Attempting, AttemptPlan, Opened, Streamed, Whole } from './attempting.ts';
import type { BoundedReplay } from './replay.ts';
import type { Defects } from '../streams/defects.ts';
import type { Tap } from '../streams/tap.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { ProtocolName } from '../../wire/protocol.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Usage } from '../../wire/usage.ts';
import { ProxyError } from '../../errors.ts';
import { Call } from '../../providers/call.ts';
import { pluginError, sendGuarded } from '../../providers/guard.ts';
import { classifyStatus } from '../../wire/classify.ts';
import { decodeInSteps, encodeInSteps } from '../../wire/bytes.ts';
import { askedUnits } from '../../wire/charged.ts';
import { ENDPOINTS } from '../../wire/endpoints.ts';
import { continued } from './continuation.ts';
import type { Redact, RedactedInbound } from '../redaction.ts';
import { Restorer } from '../../redact/outward/restorer.ts';
import { redacted, restoredText } from '../redaction.ts';
import { laneFor } from '../lanes/choose.ts';
import { embed } from '../lanes/embed.ts';
import { tokenLists } from '../../wire/openai/embeddings.ts';
import { toldIn } from '../streams/told-usage.ts';
import { UsageFinder } from '../streams/usage-finder.ts';
import { refusal } from './refusal.ts';
import { ReplyReader } from '../streams/reply-reader.ts';
import { statusFlaw, unread } from '../streams/reading.ts';
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
  /** How its answer is read, and the state of reading it. */
  #spoken: { readonly name: ProtocolName | Endpoint; readonly quirks: Quirks } | undefined;
  #text: string | undefined;
  #tap: Tap | undefined;
  /** Whether usage is requested in addition to what the client requests. */
  #asksUsage = false;
  /** Whether the request contains something signed or encrypted by the provider. */
  #sealed = false;
  /** The redacted request, if something was redacted. */
  #hidden: RedactedInbound | undefined;
  #restorer: Restorer | undefined;
  /** The provider's HTTP status, once it responded. */
  status: number | null = null;
  #sentMs: number | undefined;
  #heardMs: number | undefined;

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
      this.#hears();
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
    return { fromMs, untilMs: this.#heardMs ?? this.#deps.clock.monotonic() };
  }

  /** The usage that its answer has reported so far. */
  get told(): Usage | undefined {
    if (this.#tap) return this.#tap.usage;
    const spoken = this.#spoken;
    return spoken && this.#text !== undefined ? toldIn(this.#text, spoken.name, spoken.quirks) : undefined;
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
    const { target, offer, unsealed } = this.#plan;
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
      elapsedMs,
      redaction:
        this.#hidden && this.#hidden.values.length > 0
          ? { asked: whole, restorer: this.#restorer }
          : undefined,
    };
    const prepared = await turns.run(lane.prepare(inbound, context));
    this.#abort.throwIfAborted();
    if ('local' in prepared) return await this.#local(prepared);
    const { dropped } = prepared;
    this.#asksUsage = prepared.asksUsage ?? false;
    const name = prepared.protocol ?? (lane.kind === 'relay' ? inbound.endpoint : provider.protocol(model));
    this.#spoken = { name, quirks: provider.quirks(model) };
    if (dropped.length > 0 && this.#plan.unsupported === 'error') {
      const message = `Cannot ask ${target.id}: it does not take ${dropped.join(', ')}`;
      throw new ProxyError('unsupported', message, { target: target.id, param: dropped[0]! });
    }
    this.#sealed = prepared.sealed ?? false;
    const { stream } = inbound;
    const { traceHeaders } = this.#plan;
    const asked = traceHeaders
      ? { ...prepared, headers: { ...prepared.headers, ...traceHeaders } }
      : prepared;
    const call = new Call(asked, model, stream, this.#plan);
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
    const answer = await this.#answer(reader, prepared);
    return { lane: lane.kind, status: reply.status, headers: shown, dropped, answer };
  }

  /** The request without what its rule redacts: what cannot be searched is not sent. */
  async #redacted(inbound: Inbound, rule: OutwardRule): Promise<Inbound> {
    const memory = this.#deps.memory.of(inbound.caller);
    const { signal } = this.#abort;
    this.#hidden = await redacted(inbound, rule, memory, signal, this.#deps);
    this.#abort.throwIfAborted();
    const { values } = this.#hidden;
    if (rule.restore && values.length > 0) this.#restorer = new Restorer(values);
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

  #answer(reader: ReplyReader, prepared: Prepared): Promise<Whole | Streamed> | Streamed {
    if (!ENDPOINTS[this.#inbound.endpoint].understood) return this.#pass(reader);
    if (!this.#inbound.stream) return this.#whole(reader, prepared);
    const type = reader.headers['content-type'] ?? '';
    return /\b(?:json|html)\b/.test(type) ? this.#doubtful(reader, prepared) : this.#stream(reader, prepared);
  }

  /**
   * A streamed answer with another content type: an error page, a server that does not stream, or one that only labels
   * its stream wrongly. Its first byte decides.
   */
  async #doubtful(reader: ReplyReader, prepared: Prepared): Promise<Whole | Streamed> {
    const first = await reader.peek();
    const packed = reader.encoding !== 'identity';
    return packed || /^\s*(?:[<{[]|$)/.test(first)
      ? this.#unstreamed(reader, prepared)
      : this.#stream(reader, prepared);
  }

  async #whole(reader: ReplyReader, prepared: Prepared): Promise<Whole> {
    const bytes = await reader.bytes();
    this.#hears();
    this.#release();
    const given = (this.#text = await reader.text(bytes));
    const text = await this.#restored(given);
    const {
      text: translated,
      finish,
      usage,
      lost,
    } = await this.#read((target) => prepared.whole(text, target));
    const { turns } = this.#deps;
    if (translated === undefined) {
      const body = reader.unpacks || text !== given ? await turns.run(encodeInSteps(text)) : bytes;
      const made = text === given ? {} : { made: 'application/json' as const };
      return { kind: 'whole', body, text, finish, usage, ...made };
    }
    const body = typeof translated === 'string' ? await turns.run(encodeInSteps(translated)) : translated;
    return {
      kind: 'whole',
      body,
      text: await this.#textOf(translated),
      finish,
      usage,
      lost,
      made: 'application/json',
    };
  }

  /** A whole answer with the redacted values of its request restored. */
  #restored(text: string): string | Promise<string> {
    const restorer = this.#restorer;
    return restorer?.occursIn(text) ? this.#deps.turns.run(restoredText(text, restorer)) : text;
  }

  /** An answer made here, as text for the record; `undefined` when it is too long. */
  #textOf(made: string | Uint8Array): string | undefined | Promise<string> {
    if (typeof made === 'string') return made;
    const { limits, turns } = this.#deps;
    return made.length > limits.maxContent ? undefined : turns.run(decodeInSteps(made, false));
  }

  /** Converts a whole answer to a stream, if a stream was requested. */
  async #unstreamed(reader: ReplyReader, prepared: Prepared): Promise<Whole> {
    const bytes = await reader.bytes();
    this.#hears();
    this.#release();
    const given = await this.#restored((this.#text = await reader.text(bytes)));
    const { text: made, finish, usage, lost } = await this.#read((target) => prepared.whole(given, target));
    const { wholeAsStream } = prepared;
    const events = wholeAsStream && (await this.#read((target) => wholeAsStream(given, target)));
    if (events === undefined) throw reader.malformed('it is no stream');
    const body = await this.#deps.turns.run(encodeInSteps(events));
    const text = await this.#textOf(made ?? given);
    return { kind: 'whole', body, text, finish, usage, lost, made: 'text/event-stream' };
  }

  async #stream(reader: ReplyReader, prepared: Prepared): Promise<Streamed> {
    const tap = (this.#tap = prepared.tap(this.#deps.limits.maxContent));
    const flow = reader.flow({ tap, fold: prepared.fold(tap, this.#plan.target.id) });
    const held: Uint8Array[] = [];
    while (!tap.content && !tap.finished && !tap.done) {
      const bytes = await flow.next();
      this.#hears();
      if (bytes === undefined) {
        // Complete with its last event, or cut off before any content: `finish` tells.
        held.push(flow.finish() ?? new Uint8Array());
        break;
      }
      if (tap.error && !tap.content) throw tap.error;
      if (bytes.length > 0) held.push(bytes);
    }
    if (!tap.content && !tap.finished) throw reader.malformed('it ends without having said anything');
    this.#timers.begun();
    const beginning = held.length > 0 ? Buffer.concat(held) : undefined;
    return { kind: 'stream', flow, held: beginning, release: this.#release };
  }

  /** An answer that is not parsed, such as audio or images. Its usage is searched for as it passes. */
  #pass(reader: ReplyReader): Streamed {
    this.#hears();
    const finder = new UsageFinder(this.#inbound.endpoint, askedUnits(this.#inbound));
    const flow = reader.flow(undefined, { unpacks: reader.unpacks, finder });
    return { kind: 'stream', flow, held: undefined, release: this.#release };
  }

  /** Data from the provider has arrived. */
  #hears(): void {
    this.#heardMs = this.#deps.clock.monotonic();
  }

  #read<T>(steps: (target: string) => Steps<T>): T | Promise<T> {
    const { turns, defects } = this.#deps;
    const { id } = this.#plan.target;
    const fail = (thrown: unknown): never => {
      throw unread(id, defects, thrown);
    };
    try {
      const read = turns.run(steps(id));
      return read instanceof Promise ? read.catch(fail) : read;
    } catch (thrown) {
      return fail(thrown);
    }
  }

  /** The provider's error response as a typed error. */
  async #failed(reply: UpstreamReply, reader: ReplyReader, verbatim: boolean): Promise<ProxyError> {
    const body = await reader.error();
    this.#hears();
    const { status, headers } = reply;
    return refusal(classifyStatus(status, headers, body, verbatim), {
      inbound: this.#inbound,
      target: this.#plan.target,
      asksUsage: this.#asksUsage,
      sealed: this.#sealed,
      body,
      nowMs: this.#deps.clock.now(),
    });
  }

  readonly #release = (): void => {
    this.#timers.stop();
    this.#unfollow();
  };
}
