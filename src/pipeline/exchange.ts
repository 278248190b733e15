import type { LogContent, Price } from '../config/schema.ts';
import type { Clock } from '../clock.ts';
import type { Fault, ProxyError } from '../errors.ts';
import type { LogRecord, Outcome } from '../logs/record.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { Usage } from '../wire/usage.ts';
import type { Defects } from './defects.ts';
import type { Sinks } from './sinks.ts';
import type { Target } from './target.ts';
import { RECORD_VERSION } from '../logs/record.ts';
import { tidyText } from '../wire/json.ts';

/** USD for an answer of a target, or `null` when its price is unknown. */
export type Pricer = (target: Target, usage: Usage, configured: Price | undefined) => number | null;

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly sinks: Sinks;
  readonly defects: Defects;
  readonly price: Pricer;
  /** Longest request or response kept in a record, bytes. */
  readonly maxContent: number;
}

/** Longest finish reason and longest words of an error in a record, characters: providers write both. */
const MAX_FINISH = 100;
const MAX_ERROR = 4_000;

/** How an answer ended. */
export interface Ending {
  readonly outcome: Outcome;
  readonly status: number;
  readonly error?: ProxyError;
}

/**
 * What is known of one request, from its arrival to its one record. The parts of the pipeline write down what
 * they learn; `finish` makes the record and hands it to the sinks, once.
 */
export class Exchange {
  readonly id: string;
  readonly endpoint: Recorded;
  /** Arrival on the monotonic clock. */
  readonly arrivedMs: number;
  model = '';
  stream = false;
  key: string | null = null;
  content: LogContent = 'full';
  conversation: string | null = null;
  /** Who the client says its end user is. */
  user: string | null = null;
  tags: Record<string, string> | null = null;
  /** What was said of another answer, when this is feedback. */
  feedback: LogRecord['feedback'];
  score: number | null = null;
  userAgent: string | null = null;
  requestBytes = 0;
  responseBytes = 0;
  /** The request body as JSON text; left out when it is no JSON. */
  requestText: string | undefined;
  /** Makes the response as JSON text, or `undefined` when it is none; asked once, at the end. */
  responseText: (() => string | undefined) | undefined;
  target: Target | undefined;
  /** Of a resumed answer: what came from where. */
  parts: LogRecord['parts'];
  /** Events of the answer that were no JSON, or none of the protocol, and were left out. */
  malformed = 0;
  lane: 'relay' | 'translate' | null = null;
  finishReason: string | null = null;
  usage: Usage | undefined;
  readonly attempts: LogRecord['attempt_log'] = [];
  readonly #epochMs: number;
  readonly #deps: ExchangeDeps;
  #firstContentMs: number | null = null;
  #offer: ProviderModel | undefined;
  readonly #afterwards: (() => void)[] = [];
  #finished = false;

  constructor(id: string, endpoint: Recorded, deps: ExchangeDeps) {
    this.id = id;
    this.endpoint = endpoint;
    this.#deps = deps;
    this.arrivedMs = deps.clock.monotonic();
    this.#epochMs = deps.clock.now();
  }

  /** Whether its record is written. */
  get over(): boolean {
    return this.#finished;
  }

  /** Milliseconds since arrival. */
  get elapsedMs(): number {
    return this.#deps.clock.monotonic() - this.arrivedMs;
  }

  firstContent(): void {
    this.#firstContentMs ??= round(this.elapsedMs);
  }

  attempted(
    target: Target,
    offer: ProviderModel,
    ms: number,
    fault: Fault | null,
    status: number | null,
  ): void {
    // An attempt to go on with an answer that is given already makes nobody else its author.
    if (this.lane === null) {
      this.target = target;
      this.#offer = offer;
    }
    this.attempts.push({ target: target.id, fault, status, ms: round(ms) });
  }

  /** Whose answer it is. */
  answers(target: Target, offer: ProviderModel, lane: 'relay' | 'translate'): void {
    this.target = target;
    this.#offer = offer;
    this.lane = lane;
  }

  /** USD of the answer so far; `null` where the price is unknown, or is no amount. */
  get cost(): number | null {
    const { target, usage } = this;
    if (!target || !usage) return null;
    const usd = this.#part('cost', () => this.#deps.price(target, usage, this.#offer?.price)) ?? null;
    return usd !== null && Number.isFinite(usd) && usd >= 0 ? usd : null;
  }

  /** Does this when all is over, whatever becomes of the record. */
  finally(action: () => void): void {
    this.#afterwards.push(action);
  }

  /** Writes the one record. Later calls do nothing. @returns whether it is kept */
  finish(ending: Ending): boolean {
    if (this.#finished) return true;
    this.#finished = true;
    for (const action of this.#afterwards) this.#part('release', action);
    return this.#deps.sinks.take(this.#record(ending));
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

  #record({ outcome, status, error }: Ending): LogRecord {
    const { usage, content } = this;
    const full = content === 'full';
    const request = full ? this.requestText : undefined;
    const response = full ? this.#part('response', () => this.responseText?.()) : undefined;
    const omitted: string[] = [];
    const record: LogRecord = {
      v: RECORD_VERSION,
      ts: new Date(this.#epochMs).toISOString(),
      id: this.id,
      outcome,
      status,
      endpoint: this.endpoint,
      stream: this.stream,
      model: this.model,
      provider: this.target?.provider.name ?? null,
      upstream_model: this.target?.model ?? null,
      finish: this.finishReason === null ? null : tidyText(this.finishReason, MAX_FINISH),
      fault: error?.fault ?? null,
      attempts: this.attempts.length,
      input_tokens: usage?.input ?? null,
      cached_tokens: usage?.cached ?? null,
      cache_write_tokens: usage?.cacheWrite ?? null,
      output_tokens: usage?.output ?? null,
      reasoning_tokens: usage?.reasoning ?? null,
      cost: this.cost,
      latency_ms: round(this.elapsedMs),
      first_content_ms: this.#firstContentMs,
      key: this.key,
      conversation: content === 'none' ? null : this.conversation,
      score: this.score,
      user: content === 'none' ? null : this.user,
      tags: content === 'none' ? null : this.tags,
      ...(this.feedback ? { feedback: this.feedback } : {}),
      lane: this.lane,
      request_bytes: this.requestBytes,
      response_bytes: this.responseBytes,
      user_agent: content === 'none' ? null : this.userAgent,
      error: error === undefined || content === 'none' ? null : tidyText(error.message, MAX_ERROR),
      attempt_log: this.attempts,
      ...(this.parts ? { parts: this.parts } : {}),
      ...(this.malformed > 0 ? { malformed: this.malformed } : {}),
      content,
    };
    // Of feedback all that is kept is in a field of its own.
    if (full && this.endpoint !== 'feedback') {
      if (this.#keeps(request)) record.request = request;
      else if (this.requestBytes > 0) omitted.push('request');
      if (this.#keeps(response)) record.response = response;
      else if (outcome === 'success' || this.responseBytes > 0) omitted.push('response');
      if (omitted.length > 0) record.omitted = omitted;
    }
    return record;
  }

  #keeps(text: string | undefined): text is string {
    return text !== undefined && text.length <= this.#deps.maxContent;
  }
}

/** Microsecond digits are noise in a log. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
