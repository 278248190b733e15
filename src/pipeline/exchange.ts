import type { LogContent } from '../config/schema.ts';
import type { Clock } from '../clock.ts';
import type { Fault, ProxyError } from '../errors.ts';
import type { LogRecord, Outcome } from '../logs/record.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { Usage } from '../wire/usage.ts';
import type { Defects } from './defects.ts';
import type { Lease } from '../limits/lease.ts';
import type { Expected } from '../limits/limiter.ts';
import type { Sinks } from './sinks.ts';
import type { Target } from './target.ts';
import type { Trace, TracedAttempt } from './trace.ts';
import type { Ended, Pricer, Source } from './charge.ts';
import { RECORD_VERSION } from '../logs/record.ts';
import { encodeUnits } from '../wire/usage.ts';
import { tidyText } from '../wire/json.ts';
import { Charge } from './charge.ts';
import { Waits } from './waits.ts';

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly sinks: Sinks;
  readonly defects: Defects;
  readonly price: Pricer;
  /** Longest request or response kept in a record, bytes. */
  readonly maxContent: number;
  /** Told once of each exchange that is over. */
  readonly over: () => void;
  /** Told what each exchange used that asked a provider, once it is counted. */
  readonly used: (exchange: Used) => void;
}

/** An answer at its end, as whoever keeps it is told of it. */
export interface Settled {
  readonly outcome: Outcome;
  readonly error: ProxyError | undefined;
  /** The whole answer as JSON text; `undefined` where there is none, or it is too long to be kept. */
  readonly text: string | undefined;
  /** Whose it is; `undefined` where it was made of another protocol's. */
  readonly issuer: string | undefined;
}

/** What a request used. */
export interface Used {
  readonly id: string;
  /** Name of the client's key. */
  readonly key: string | null;
  readonly tokens: number;
  readonly usd: number;
}

/** Longest finish reason and longest words of an error in a record, characters: providers write both. */
const MAX_FINISH = 100;
const MAX_ERROR = 4_000;

type AttemptEntry = LogRecord['attempt_log'][number];

/** Who asks, and how much of it may be kept. */
export interface Asker {
  /** Name of the client's key; `null` without one. */
  readonly key: string | null;
  readonly content: LogContent;
  readonly conversation: string | null;
  /** The group of its key, and the operator's words about it. */
  readonly group?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What is asked. */
export interface Question {
  readonly model: string;
  readonly stream: boolean;
  /** The request body as JSON text; `undefined` when it is no JSON. */
  readonly text: string | undefined;
  /** Who the client says its end user is. */
  readonly user: string | null;
  readonly tags: Record<string, string> | null;
}

/** What is said of another answer. */
export interface Opinion {
  readonly score: number | null;
  readonly feedback: NonNullable<LogRecord['feedback']>;
}

/** An answer, as far as it came. */
export interface Answered {
  readonly usage: Usage | undefined;
  /** In the words of chat; `null` when nobody said why it ended. */
  readonly finish: string | null;
  /** Bytes that were sent to the client. */
  readonly bytes: number;
  /** Tokens of it, about: for when its provider does not tell. */
  readonly written?: () => number;
  /** Makes it as JSON text, or `undefined` when it is none; asked once. */
  readonly text: () => string | undefined;
  /** Of a resumed answer: what came from where. */
  readonly parts?: LogRecord['parts'];
  /** Events that were no JSON, or none of the protocol, and were left out. */
  readonly malformed: number;
  /** What of it the client's protocol has no word for, by name. */
  readonly lost?: readonly string[] | undefined;
}

/** How an exchange ended. */
export interface Ending {
  readonly outcome: Outcome;
  readonly status: number;
  readonly error?: ProxyError | undefined;
  /** Left out when nothing of it came. */
  readonly answer?: Answered;
  /** Of a realtime session: how it went. */
  readonly session?: LogRecord['session'];
}

const NOBODY: Asker = { key: null, content: 'full', conversation: null };
const NOTHING: Question = { model: '', stream: false, text: undefined, user: null, tags: null };
const NO_ANSWER: Answered = { usage: undefined, finish: null, bytes: 0, text: () => undefined, malformed: 0 };

/**
 * What is known of one request, from its arrival to its one record. Its facts come in this order: who asks, what is asked,
 * which targets were tried, whose answer it is, how it ended. `finish` makes the record and hands it to the sinks, once.
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
  /** Who was asked last, or whose answer it is. */
  #source: Source | undefined;
  #passed: { readonly provider: string; readonly method: string; readonly path: string } | undefined;
  /** Its attempt, where it is passed on and traced. */
  #passing: TracedAttempt | undefined;
  #lane: 'relay' | 'translate' | null = null;
  #firstContentMs: number | null = null;
  /** When the answer began to be given, since arrival; `undefined` for one that is given whole. */
  #givenMs: number | undefined;
  /** When it waited for others: the client, providers, pauses between attempts. */
  readonly #waits = new Waits();
  readonly #charge: Charge;
  /** Its place in a trace, where requests are traced. */
  trace: Trace | undefined;
  /** What its caller is told of its limits. */
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

  /** Who asks for what, as far as it is known by now. */
  get asked(): { readonly key: string | null; readonly model: string; readonly stream: boolean } {
    const { model, stream } = this.#question;
    return { key: this.#asker.key, model, stream };
  }

  /** From arrival to the first content of a stream, milliseconds; `null` before that. */
  get firstContentMs(): number | null {
    return this.#firstContentMs;
  }

  /** The last that was asked, or whose answer it is. */
  get target(): Target | undefined {
    return this.#source?.target;
  }

  /** USD; known when it is over. `null` where the price is unknown, or is no amount. */
  get cost(): number | null {
    return this.#charge.cost;
  }

  comesFrom(asker: Asker): void {
    this.#asker = asker;
  }

  /** The request's body is here, whatever is in it. */
  received(bytes: number): void {
    this.#requestBytes = bytes;
  }

  /** It waited for others, on the monotonic clock: that is no time of ours. */
  waited(fromMs: number, toMs: number): void {
    this.#waits.add(fromMs, toMs);
  }

  asks(question: Question): void {
    this.#question = question;
  }

  /** It is admitted. @param expected what it is expected to use, where it is not told what it used */
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
    // An attempt to go on with an answer that is given already makes nobody else its author.
    if (this.#lane === null) this.#source = { target, offer };
    const entry = { target: target.id, fault, status, ms: round(ms) };
    this.attempts.push(entry);
    if (traced) this.trace?.attempts.push(traced);
    return entry;
  }

  /** What an attempt has told that it used, whose answer nobody is given. */
  failed(entry: AttemptEntry, target: Target, offer: ProviderModel, told: Usage | undefined): void {
    if (!told || told.untold || this.#finished) return;
    Object.assign(entry, this.#charge.failed({ target, offer }, told));
  }

  /** It is passed on, once and as it is. @param path without ids */
  passes(provider: string, method: string, path: string): void {
    this.#passed = { provider, method, path };
  }

  /** Begins its one attempt. @returns the headers by which a provider joins the trace, where requests are traced */
  joinTrace(): Readonly<Record<string, string>> | undefined {
    const { trace } = this;
    this.#passing = trace?.attempt(this.elapsedMs);
    return this.#passing && trace!.headersFor(this.#passing);
  }

  /** What it was passed on to has answered, or has not. */
  passed(ms: number, fault: Fault | null, status: number | null): void {
    const target = `${this.#passed!.provider}/passthrough`;
    this.attempts.push({ target, fault, status, ms: round(ms) });
    if (this.#passing) this.trace?.attempts.push(this.#passing);
  }

  /** Whose answer it is. */
  answers(target: Target, offer: ProviderModel, lane: 'relay' | 'translate'): void {
    this.#source = { target, offer };
    this.#lane = lane;
  }

  /** Takes more of its limits where an answer has grown. @returns why it must not go on, where there is no more */
  overuse(written: number): ProxyError | undefined {
    return this.#charge.overuse(written);
  }

  /** Whether a limit ends it at once when it is used up. */
  get isHard(): boolean {
    return this.#charge.isHard;
  }

  /**
   * Takes of its limits what a session has used so far.
   * @returns why it must not ask for more now, where a limit is used up
   */
  spends(usage: Usage): ProxyError | undefined {
    return this.#charge.spends(usage, this.#source);
  }

  /** Something was refused in the session because of that. */
  refuses(): void {
    this.#charge.refuses();
  }

  /** What was asked, where that is known only at the end. @param text as JSON */
  wasAsked(text: string | undefined): void {
    this.#question = { ...this.#question, text };
  }

  /** The first content of a stream is on its way. */
  begins(): void {
    this.#firstContentMs ??= round(this.elapsedMs);
  }

  /** From now on the answer is given as it comes. */
  streams(): void {
    this.#givenMs ??= this.elapsedMs;
  }

  /** Does this when all is over, whatever becomes of the record. */
  finally(action: () => void): void {
    this.#afterwards.push(action);
  }

  /** Whoever keeps answers is told of this one when all of it is known. */
  keeps(keep: (settled: Settled) => void): void {
    this.#keep = keep;
  }

  /** Writes the one record. Later calls do nothing. @returns whether it is kept */
  finish(ending: Ending): boolean {
    if (this.#finished) return true;
    this.#finished = true;
    this.#part('release', this.#deps.over);
    for (const action of this.#afterwards) this.#part('release', action);
    this.#settle(ending);
    const keep = this.#keep;
    if (!keep) return this.#deps.sinks.take(this.#record(ending), this.trace);
    const told = madeOnce(ending);
    this.#part('store', () => keep(this.#settled(told)));
    return this.#deps.sinks.take(this.#record(told), this.trace);
  }

  #settled({ outcome, error, answer }: Ending): Settled {
    const issuer = this.#lane === 'relay' ? this.target?.provider.name : undefined;
    const part = () => this.#part('response', () => answer?.text());
    return {
      outcome,
      error,
      issuer,
      // It is put together when somebody wants it.
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
      const { asked, tokens, usd } = this.#charge.settle(ended);
      if (asked) this.#deps.used({ id, key: this.#asker.key, tokens, usd });
    });
  }

  /** A part of the end that must not cost the rest of it: `undefined` when it throws. */
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
    const told = content !== 'none';
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
      conversation: told ? conversation : null,
      score: this.#opinion?.score ?? null,
      user: told ? user : null,
      tags: told ? tags : null,
      group,
      labels: labels && someOf(labels),
      estimate: this.#charge.estimate,
      failed: this.#charge.failedSum,
      units: usage && encodeUnits(usage),
      feedback: this.#opinion?.feedback,
      trace_id: this.trace?.traceId,
      lane: this.#lane,
      overhead_ms: session || this.#passed || this.#opinion ? undefined : this.#overheadMs,
      request_bytes: this.#requestBytes,
      response_bytes: answer.bytes,
      user_agent: told ? this.#userAgent : null,
      error: error && told ? tidyText(error.message, MAX_ERROR) : null,
      // A rival attempt may end later; the record is not to change then.
      attempt_log: this.attempts.slice(),
      parts,
      session,
      passed: this.#passed && { method: this.#passed.method, path: this.#passed.path },
      malformed: malformed > 0 ? malformed : undefined,
      answer_dropped: lost && lost.length > 0 ? [...lost] : undefined,
      content,
    };
    // Of feedback all that is kept is in a field of its own.
    if (content === 'full' && this.endpoint !== 'feedback') this.#keepBodies(record, text, answer);
    return record;
  }

  /** What is left of the time until the answer was given, or began to be. */
  get #overheadMs(): number {
    return round(Math.max(0, (this.#givenMs ?? this.elapsedMs) - this.#waits.totalMs));
  }

  /** Adds what was asked and answered, or says that it was left out. */
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

/** The same ending, whose answer is put together once however often it is asked for. */
function madeOnce(ending: Ending): Ending {
  const { answer } = ending;
  if (!answer) return ending;
  let made: { readonly text: string | undefined } | undefined;
  return { ...ending, answer: { ...answer, text: () => (made ??= { text: answer.text() }).text } };
}

/** Words, or nothing where there are none: a field that says nothing is left out. */
function someOf(labels: Readonly<Record<string, string>>): Record<string, string> | undefined {
  for (const _ in labels) return labels;
  return undefined;
}

/** Microsecond digits are noise in a log. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
