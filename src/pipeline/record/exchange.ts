import type { Clock } from '../../clock.ts';
import type { ProxyError } from '../../errors.ts';
import type { Fault } from '../../faults.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { ProviderModel } from '../../providers/base.ts';
import type { Recorded } from '../../wire/endpoints.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Defects } from '../streams/defects.ts';
import type { Lease } from '../../limits/lease.ts';
import type { Expected } from '../../limits/asking.ts';
import type { Sinks } from '../streams/sinks.ts';
import type { Target } from '../targets/target.ts';
import type { Trace, TracedAttempt } from './trace.ts';
import type { Ahead, Ended, Pricer, Source } from './charge.ts';
import type { Answered, Asker, Ending, Opinion, Question, Settled, Used } from './exchange-facts.ts';
import { RECORD_VERSION } from '../../logs/record.ts';
import { encodeIterations } from '../../wire/iterations.ts';
import { encodeUnits } from '../../wire/units.ts';
import { tidyText } from '../../wire/json.ts';
import { Charge, namesOf } from './charge.ts';
import { Waits } from './waits.ts';

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly sinks: Sinks;
  readonly defects: Defects;
  readonly price: Pricer;
  /** The longest request or response kept in a record, bytes. */
  readonly maxContent: number;
  /** Called once for each finished exchange. */
  readonly over: () => void;
  /** Called with the usage of each exchange that called a provider. */
  readonly used: (exchange: Used) => void;
}

/** The longest finish reason and error message in a record, characters: providers choose both. */
const MAX_FINISH = 100;
const MAX_ERROR = 4_000;

type AttemptEntry = LogRecord['attempt_log'][number];

const NOBODY: Asker = { key: null, content: 'full', conversation: null };
const NOTHING: Question = { model: '', stream: false, text: undefined, user: null, tags: null };
const NO_ANSWER: Answered = { usage: undefined, finish: null, bytes: 0, text: () => undefined, malformed: 0 };

/**
 * Everything known about one request, from its arrival to its single record, in this order: the caller, the request,
 * the targets that were tried, the one that answered, the end. `finish` makes the record and passes it to the sinks,
 * once.
 */
export class Exchange {
  readonly id: string;
  readonly endpoint: Recorded;
  /** Arrival on the monotonic clock. */
  readonly arrivedMs: number;
  readonly attempts: LogRecord['attempt_log'] = [];
  readonly #epochMs: number;
  readonly #userAgent: string | null;
  readonly #deps: ExchangeDeps;
  #asker = NOBODY;
  #requestBytes = 0;
  #question = NOTHING;
  #opinion: Opinion | undefined;
  /** The target that was tried last, or that answers. */
  #source: Source | undefined;
  #passed: { readonly provider: string; readonly method: string; readonly path: string } | undefined;
  /** Its attempt, if the request is passed through and traced. */
  #passing: TracedAttempt | undefined;
  #lane: 'relay' | 'translate' | null = null;
  #firstContentMs: number | null = null;
  /** When the answer began to be sent, since arrival; `undefined` for one that is sent whole. */
  #givenMs: number | undefined;
  /** When it waited for others: the client, providers, delays between attempts. */
  readonly #waits = new Waits();
  readonly #charge: Charge;
  /** Its place in a trace, if requests are traced. */
  trace: Trace | undefined;
  /** Headers that inform the caller about its limits. */
  limitHeaders: Readonly<Record<string, string>> | undefined;
  readonly #afterwards: (() => void)[] = [];
  #keep: ((settled: Settled) => void) | undefined;
  #finished = false;

  constructor(id: string, endpoint: Recorded, userAgent: string | null, deps: ExchangeDeps) {
    this.id = id;
    this.endpoint = endpoint;
    this.#userAgent = userAgent;
    this.#deps = deps;
    this.arrivedMs = deps.clock.monotonic();
    this.#epochMs = deps.clock.now();
    this.#charge = new Charge(deps.price, this.#epochMs);
  }

  /** Whether its record is written. */
  get over(): boolean {
    return this.#finished;
  }

  /** Milliseconds since arrival. */
  get elapsedMs(): number {
    return this.#deps.clock.monotonic() - this.arrivedMs;
  }

  /** The caller and the request, as far as known. */
  get requested(): { readonly key: string | null; readonly model: string; readonly stream: boolean } {
    const { model, stream } = this.#question;
    return { key: this.#asker.key, model, stream };
  }

  /** From arrival to the first content of a stream, milliseconds; `null` before that. */
  get firstContentMs(): number | null {
    return this.#firstContentMs;
  }

  /** The target that was tried last, or that answers. */
  get target(): Target | undefined {
    return this.#source?.target;
  }

  /** The names of that target, as limits know it. */
  get targetNames(): readonly string[] {
    return this.#source ? namesOf(this.#source) : [];
  }

  /** USD; known at the end. `null` if the price is unknown or invalid. */
  get cost(): number | null {
    return this.#charge.cost;
  }

  comesFrom(asker: Asker): void {
    this.#asker = asker;
  }

  /** The request's body has arrived. */
  received(bytes: number): void {
    this.#requestBytes = bytes;
  }

  /**
   * Adds a time during which it waited for others, on the monotonic clock, which does not count as the proxy's own
   * time.
   */
  waited(fromMs: number, toMs: number): void {
    this.#waits.add(fromMs, toMs);
  }

  asks(question: Question): void {
    this.#question = question;
  }

  /** It is admitted. @param expected the estimate, used if the usage is not reported */
  admitted(lease: Lease | undefined, expected: () => Expected): void {
    this.#charge.admitted(lease, expected);
  }

  /** It is feedback. */
  says(opinion: Opinion): void {
    this.#opinion = opinion;
  }

  attempted(
    target: Target,
    offer: ProviderModel,
    ms: number,
    fault: Fault | null,
    status: number | null,
    traced?: TracedAttempt,
  ): AttemptEntry {
    // An attempt to continue an answer that is already being sent does not change its author.
    if (this.#lane === null) this.#source = { target, offer };
    const entry = { target: target.id, fault, status, ms: round(ms) };
    this.attempts.push(entry);
    if (traced) this.trace?.attempts.push(traced);
    return entry;
  }

  /** Adds the usage reported by an attempt whose answer is not used. */
  failed(entry: AttemptEntry, target: Target, offer: ProviderModel, usage: Usage | undefined): void {
    if (!usage || usage.untold || this.#finished) return;
    Object.assign(entry, this.#charge.failed({ target, offer }, usage));
  }

  /** It is passed through unchanged. @param path without ids */
  passes(provider: string, method: string, path: string): void {
    this.#passed = { provider, method, path };
  }

  /** Begins its single attempt. @returns the headers that connect the provider to the trace, if requests are traced */
  joinTrace(): Readonly<Record<string, string>> | undefined {
    const { trace } = this;
    this.#passing = trace?.attempt(this.elapsedMs);
    return this.#passing && trace!.headersFor(this.#passing);
  }

  /** The provider of a passed-through request has responded, or failed. */
  passed(ms: number, fault: Fault | null, status: number | null): void {
    const target = `${this.#passed!.provider}/passthrough`;
    this.attempts.push({ target, fault, status, ms: round(ms) });
    if (this.#passing) this.trace?.attempts.push(this.#passing);
  }

  /** The target whose answer is used. */
  answers(target: Target, offer: ProviderModel, lane: 'relay' | 'translate'): void {
    this.#source = { target, offer };
    this.#lane = lane;
  }

  /** Reserves more for an answer that has grown. @returns why it must not continue if there is no room */
  overuse(written: number): ProxyError | undefined {
    return this.#charge.overuse(written);
  }

  /** Whether the limit that has no room left for a session ends it. */
  get isCutOff(): boolean {
    return this.#charge.isCutOff;
  }

  /**
   * Charges what a session has used so far.
   * @param ahead what it has asked for
   * @returns why it must not request more now, if a limit is used up
   */
  spends(usage: Usage, ahead: Ahead): ProxyError | undefined {
    return this.#charge.spends(usage, ahead, this.#source);
  }

  /** Other limits apply to a session from now on. */
  moves(lease: Lease | undefined): void {
    this.#charge.moves(lease, this.#source);
  }

  /** A message of the session was refused for that reason. */
  refuses(): void {
    this.#charge.refuses();
  }

  /** Sets the request, if it is only known at the end. @param text as JSON */
  setRequest(text: string | undefined): void {
    this.#question = { ...this.#question, text };
  }

  /** The first content of a stream is being sent. */
  begins(): void {
    this.#firstContentMs ??= round(this.elapsedMs);
  }

  /** From now on the answer is sent as it arrives. */
  streams(): void {
    this.#givenMs ??= this.elapsedMs;
  }

  /** Runs a callback at the end, whether or not there is a record. */
  finally(action: () => void): void {
    this.#afterwards.push(action);
  }

  /** Sets who receives this answer when it is complete, in order to store it. */
  keeps(keep: (settled: Settled) => void): void {
    this.#keep = keep;
  }

  /** Writes the single record. Later calls do nothing. @returns whether it is kept */
  finish(given: Ending): boolean {
    if (this.#finished) return true;
    this.#finished = true;
    const ending = this.#inItsTier(given);
    this.#part('release', this.#deps.over);
    for (const action of this.#afterwards) this.#part('release', action);
    this.#settle(ending);
    const keep = this.#keep;
    if (!keep) return this.#deps.sinks.take(this.#record(ending), this.trace);
    const ended = madeOnce(ending);
    this.#part('store', () => keep(this.#settled(ended)));
    return this.#deps.sinks.take(this.#record(ended), this.trace);
  }

  /** The answer of a vendor that does not say in which service tier it was computed, in the requested one. */
  #inItsTier(ending: Ending): Ending {
    const { answer } = ending;
    const usage = answer?.usage;
    if (!usage || usage.tiers || !this.target?.provider.settings.quirks.hidesTier) return ending;
    const tiered = { ...usage, ...this.#charge.requestedTiers };
    return { ...ending, answer: { ...answer, usage: tiered, text: () => answer.text() } };
  }

  #settled({ outcome, error, answer }: Ending): Settled {
    const issuer = this.#lane === 'relay' ? this.target?.provider.name : undefined;
    const part = () => this.#part('response', () => answer?.text());
    return {
      outcome,
      error,
      issuer,
      // It is assembled when it is needed.
      get text() {
        return part();
      },
    };
  }

  #settle({ answer, error }: Ending): void {
    const { id, endpoint, attempts } = this;
    const source = this.#source;
    const isAnswered = this.#lane !== null;
    const ended: Ended = {
      endpoint,
      attempts,
      source,
      isAnswered,
      answer,
      error,
      isFeedback: !!this.#opinion,
    };
    const usage = answer?.usage;
    if (source && usage) this.#part('cost', () => this.#charge.tell(usage, source));
    this.#part('estimate', () => this.#charge.estimates(ended));
    this.#part('limits', () => {
      const { sent, tokens, usd } = this.#charge.settle(ended);
      if (sent) this.#deps.used({ id, key: this.#asker.key, tokens, usd });
    });
  }

  /** A step at the end that must not prevent the others: `undefined` when it throws. */
  #part<T>(name: string, make: () => T): T | undefined {
    try {
      return make();
    } catch (thrown) {
      this.#deps.defects.tell(`Cannot finish a request completely (${name})`, thrown);
      return undefined;
    }
  }

  #record({ outcome, status, error, answer = NO_ANSWER, session }: Ending): LogRecord {
    const { key, content, conversation, group, labels } = this.#asker;
    const { model, stream, text, user, tags } = this.#question;
    const { usage, finish, parts, malformed, lost } = answer;
    const tokens = usage?.untold ? undefined : usage;
    const hasContent = content !== 'none';
    const record: LogRecord = {
      v: RECORD_VERSION,
      ts: new Date(this.#epochMs).toISOString(),
      id: this.id,
      outcome,
      status,
      endpoint: this.endpoint,
      stream,
      model,
      provider: this.target?.provider.name ?? this.#passed?.provider ?? null,
      upstream_model: this.target?.model ?? null,
      finish: finish === null ? null : tidyText(finish, MAX_FINISH),
      fault: error?.fault ?? null,
      attempts: this.attempts.length,
      input_tokens: tokens?.input ?? null,
      cached_tokens: tokens?.cached ?? null,
      cache_write_tokens: tokens?.cacheWrite ?? null,
      output_tokens: tokens?.output ?? null,
      reasoning_tokens: tokens?.reasoning ?? null,
      cost: this.#charge.cost,
      latency_ms: round(this.elapsedMs),
      first_content_ms: this.#firstContentMs,
      key,
      conversation: hasContent ? conversation : null,
      score: this.#opinion?.score ?? null,
      user: hasContent ? user : null,
      tags: hasContent ? tags : null,
      group,
      labels: labels && someOf(labels),
      estimate: this.#charge.estimate,
      failed: this.#charge.failedSum,
      units: usage && encodeUnits(usage),
      iterations: usage && encodeIterations(usage),
      tiers: usage?.tiers && [...usage.tiers],
      reported_cost: usage?.usd,
      feedback: this.#opinion?.feedback,
      trace_id: this.trace?.traceId,
      lane: this.#lane,
      overhead_ms: session || this.#passed || this.#opinion ? undefined : this.#overheadMs,
      request_bytes: this.#requestBytes,
      response_bytes: answer.bytes,
      user_agent: hasContent ? this.#userAgent : null,
      error: error && hasContent ? tidyText(error.message, MAX_ERROR) : null,
      // A rival attempt may end later, and must not change the record.
      attempt_log: this.attempts.slice(),
      parts,
      session,
      passed: this.#passed && { method: this.#passed.method, path: this.#passed.path },
      malformed: malformed > 0 ? malformed : undefined,
      answer_dropped: lost && lost.length > 0 ? [...lost] : undefined,
      content,
    };
    // The content of feedback is in a field of its own.
    if (content === 'full' && this.endpoint !== 'feedback') this.#keepBodies(record, text, answer);
    return record;
  }

  /** The proxy's own time until the answer was sent, or began to be. */
  get #overheadMs(): number {
    return round(Math.max(0, (this.#givenMs ?? this.elapsedMs) - this.#waits.totalMs));
  }

  /** Adds the content of request and answer, or marks that it was left out. */
  #keepBodies(record: LogRecord, request: string | undefined, answer: Answered): void {
    const response = this.#part('response', answer.text);
    const omitted: string[] = [];
    if (this.#keeps(request)) record.request = request;
    else if (this.#requestBytes > 0) omitted.push('request');
    if (this.#keeps(response)) record.response = response;
    else if (record.outcome === 'success' || answer.bytes > 0) omitted.push('response');
    if (omitted.length > 0) record.omitted = omitted;
  }

  #keeps(text: string | undefined): text is string {
    return text !== undefined && text.length <= this.#deps.maxContent;
  }
}

/** The same end, with an answer that is assembled at most once. */
function madeOnce(ending: Ending): Ending {
  const { answer } = ending;
  if (!answer) return ending;
  let made: { readonly text: string | undefined } | undefined;
  return { ...ending, answer: { ...answer, text: () => (made ??= { text: answer.text() }).text } };
}

/** Names, or nothing if there are none: empty fields are omitted. */
function someOf(labels: Readonly<Record<string, string>>): Record<string, string> | undefined {
  for (const _ in labels) return labels;
  return undefined;
}

/** Rounds to microseconds: more digits would be noise in a log. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
