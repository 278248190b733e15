import type { ChatChunk } from '../../wire/chat.ts';
import type { Steps } from '../../turns.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Assembler } from '../../wire/assembler.ts';
import type { Events } from '../../wire/long-events.ts';
import type { Ending } from '../../wire/endings.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Begun } from '../../wire/protocol.ts';
import type { Verdict } from '../../wire/shapes/events.ts';
import type { Lost } from '../../wire/parts/lost.ts';
import type { Passing } from './passing.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody, safeMessage } from '../../wire/classify.ts';
import { endingError, endingOf, fails, missingEnding } from '../../wire/endings.ts';
import { eachOutputText } from '../../wire/output-text.ts';
import { roughTokens } from '../../wire/rough-tokens.ts';
import { errorIn } from '../../wire/error-event.ts';
import type { SseEvent } from '../../wire/sse.ts';
import { eventJson } from '../../wire/event-json.ts';
import { isObject, numberOf, PIECE_BOUNDS, stringOf } from '../../wire/json.ts';
import { readingFirst } from '../../wire/json-ahead.ts';
import { writeJson } from '../../wire/json-write.ts';
import { brokenEvent } from '../../wire/shapes/events.ts';

/** The size of the rest of a discarded answer above which that is discarded as well, bytes. */
const REST = 64 * 1024;

/**
 * Watches a stream in the client's protocol as it passes and remembers what the record and the router need: whether
 * content arrived, the finish reason, the usage, and whether it contained an error.
 */
export class Tap {
  readonly #passing: Passing;
  readonly #maxBytes: number;
  readonly #choices: number;
  readonly #shown: (answer: JsonObject) => JsonObject;
  #assembler: Assembler;
  #bytes = 0;
  /** The estimated tokens of the model's output, and the number of events they came in. */
  #outputTokens = 0;
  #contentEvents = 0;
  #overflowed = false;
  #content = false;
  /** What a discarded assembler knew about the end. */
  #ended = false;
  #finish: string | null = null;
  #usage: Usage | undefined;
  /** The number of chunks that have passed. */
  chunks = 0;
  /** Whether the last event has passed, after which a terminator may follow: the client has everything. */
  closed = false;
  /** Whether the terminator has arrived. */
  done = false;
  /** The number of invalid events. */
  malformed = 0;
  /** An error event of the provider, which is kept from the client. */
  error: ProxyError | undefined;
  /** Whether usage was requested. */
  awaitsUsage = false;
  /** The usage that the provider reported before the end. */
  early: Usage | undefined;
  /** Whether no provider sent a finish reason, so that the client's is our own. */
  untold = false;
  /** Whether every choice has its finish reason, which is held back until the end. */
  heldFinish = false;
  /** What the client's protocol cannot express of a translated answer. */
  lost: Lost | undefined;
  /** Whether it contained something that must be sent back. */
  sealed = false;
  /** Shown each event that may be passed on to the client. */
  watch: ((event: JsonObject) => void) | undefined;

  /**
   * @param maxBytes how much of the answer is assembled for the record
   * @param choices the number of requested answers
   * @param shown converts the assembled answer to the client's, if that differs
   */
  constructor(
    passing: Passing,
    maxBytes: number,
    choices: number,
    shown: (answer: JsonObject) => JsonObject = (answer) => answer,
  ) {
    this.#passing = passing;
    this.#choices = choices;
    this.#assembler = passing.assembler();
    this.#maxBytes = maxBytes;
    this.#shown = shown;
  }

  /** Whether content was seen: text, reasoning, a refusal or a tool call. */
  get content(): boolean {
    return (this.#content ||= this.#assembler.content);
  }

  /** Whether every requested choice has ended. */
  get finished(): boolean {
    const finished = this.heldFinish || this.#assembler.finished;
    return this.#ended || (finished && this.#assembler.seen >= this.#choices);
  }

  /** Whether everything requested has ended, so that only the terminator is missing. */
  get complete(): boolean {
    return !this.done && this.finished;
  }

  /** Whether it is complete and only its terminator is expected: no usage, and no further call. */
  get settled(): boolean {
    return this.done || this.usage !== undefined || !(this.awaitsUsage || this.#assembler.called);
  }

  get finish(): string | null {
    return this.untold ? null : (this.#finish ?? this.#assembler.finish);
  }

  get usage(): Usage | undefined {
    return this.#assembler.usage ?? this.#usage ?? this.early;
  }

  /** The fields that identify the answer for a chat client. */
  name(): Pick<ChatChunk, 'id' | 'object' | 'created' | 'model'> {
    const { id, responseId, model, modelVersion, created } = this.#assembler.result();
    return {
      id: stringOf(id) ?? stringOf(responseId) ?? '',
      object: 'chat.completion.chunk',
      created: numberOf(created) ?? 0,
      model: stringOf(model) ?? stringOf(modelVersion) ?? '',
    };
  }

  /** The estimated tokens so far: at least one for each event with content. */
  get written(): number {
    return Math.max(this.#contentEvents, Math.ceil(this.#outputTokens));
  }

  /** What the client has received, if it is one plain text in progress, known completely. */
  begun(): Begun | undefined {
    return this.#overflowed || this.#choices > 1 ? undefined : this.#assembler.begun();
  }

  /** The answer is continued elsewhere: its failure is forgotten. */
  goOn(): void {
    this.error = undefined;
    this.untold = false;
    this.heldFinish = false;
    this.#finish = null;
  }

  /** The last events of a stream that failed. */
  fail(error: ProxyError, requestId: string): Events {
    return this.#assembler.fail(error, requestId);
  }

  /**
   * Why an answer with this ending is a fault. `undefined` when it is not, or its finish reason is unknown.
   * @param finish in chat's words; `null` when the stream ends without one
   * @param strict whether the client's protocol cannot express that a call is invalid
   * @param brokenCall whether a truncated call is known that was not sent to the client
   */
  objection(
    finish: string | null,
    target: string,
    { strict = false, brokenCall = false }: { readonly strict?: boolean; readonly brokenCall?: boolean } = {},
  ): ProxyError | undefined {
    const ending = endingOf('chat', finish);
    if (fails(ending)) return this.#failed(ending, target);
    const claims = strict && (finish === 'stop' || finish === 'tool_calls');
    const isBroken = brokenCall || this.#assembler.brokenCall;
    if ((finish !== null && !claims) || !isBroken) return undefined;
    // After the answer was discarded, the beginnings of its calls are unknown.
    if (claims && this.#overflowed) return undefined;
    const state = claims
      ? 'the arguments of a tool call are not a JSON object'
      : 'its stream ends within a tool call';
    const message = `Cannot complete the answer of ${target}: ${state}`;
    return new ProxyError(claims ? 'failed_generation' : 'truncated', message, { target });
  }

  /** The fault with which a complete answer is recorded if its finish reason is unknown or missing. */
  oddity(target: string): ProxyError | undefined {
    if (this.finish !== null) return endingError(endingOf('chat', this.finish), target);
    return missingEnding(target);
  }

  /** The arguments of the calls so far. */
  get callTexts(): readonly string[] {
    return this.#assembler.callTexts ?? [];
  }

  /** The whole answer; `undefined` when it exceeded the limit or never began. */
  answer(): JsonObject | undefined {
    return this.#overflowed || this.#bytes === 0 ? undefined : this.#assembler.result();
  }

  /** The whole answer as JSON text, in steps if it is long; `undefined` when it exceeded the limit or never began. */
  *assembled(): Steps<string | undefined> {
    const answer = this.answer();
    if (!answer) return undefined;
    const shown = yield* readingFirst(this.callTexts, PIECE_BOUNDS, () => this.#shown(answer));
    return yield* writeJson(shown);
  }

  /**
   * Reads one event of the client's protocol.
   * @returns whether it may be passed on to the client
   */
  event(event: SseEvent, target: string): boolean {
    if (this.done || this.error) return false;
    const { data, event: name } = event;
    // Of an answer whose last event says how it ends, this alone says nothing.
    if (data === '[DONE]') return this.#passing.mayTerminate && !this.closed ? false : this.#end(target);
    // Nothing after the last event belongs to a stream.
    if (this.closed) return false;
    const value = eventJson(event);
    const reported = errorIn(value ?? data, name);
    if (reported && this.#classify(reported, target)) {
      if (isObject(value)) this.#assembler.count(value);
      return false;
    }
    if (!isObject(value)) {
      this.malformed += 1;
      return false;
    }
    const verdict = this.#passing.verdict(value);
    if (verdict !== 'sound') return this.#leaveOut(verdict, target);
    const failure = this.#passing.failure(value);
    if (failure) {
      this.error = this.#failed(failure, target);
      this.#assembler.count(value);
      return false;
    }
    this.watch?.(value);
    this.chunk(value, data.length);
    if (!this.#passing.isLast(value)) return true;
    return this.#passing.mayTerminate ? this.#close(target) : this.#end(target);
  }

  /** The last event has arrived, and a terminator may follow, which is passed on as well. */
  #close(target: string): boolean {
    if (this.finish === null) this.error = this.objection(null, target);
    this.#ended = !this.error;
    this.closed = this.#ended;
    return this.#ended;
  }

  #failed(ending: Ending, target: string): ProxyError | undefined {
    this.#finish = ending.finish;
    return endingError(ending, target);
  }

  /** The terminator has arrived. Some hosts omit the finish reason, but not within a call. */
  #end(target: string): boolean {
    if (this.finish === null) this.error = this.objection(null, target);
    if (!this.error && this.finish === null && this.#assembler.endsWithCalls) this.#finish = 'tool_calls';
    this.done = !this.error;
    return this.done;
  }

  /** Reads one parsed event of `bytes` length. */
  chunk(value: JsonObject, bytes: number): void {
    this.chunks += 1;
    this.#bytes += bytes;
    this.#listen(value);
    // After the answer was discarded, only its further course matters.
    const most = this.#overflowed ? Math.min(REST, this.#maxBytes) : this.#maxBytes;
    if (this.#bytes > most) this.discard();
    this.#assembler.push(value);
  }

  /** The number of bytes of the events that the answer is assembled from. */
  get kept(): number {
    return this.#bytes;
  }

  /** Discards what is assembled so far; a new assembler reads the rest. */
  discard(): void {
    this.#content ||= this.#assembler.content;
    this.#overflowed = true;
    this.#ended ||= this.finished;
    this.#finish ??= this.#assembler.finish;
    this.#usage = this.#assembler.usage ?? this.#usage;
    this.#assembler = this.#assembler.fresh();
    this.#bytes = 0;
  }

  #listen(value: JsonObject): void {
    const before = this.#outputTokens;
    eachOutputText(value, (text) => (this.#outputTokens += roughTokens(text)));
    if (this.#outputTokens > before) this.#contentEvents += 1;
  }

  /** An essential event that cannot be read ends the answer. */
  #leaveOut(verdict: Verdict, target: string): false {
    if (verdict === 'odd') this.malformed += 1;
    else this.#classify(brokenEvent(), target);
    return false;
  }

  #classify(value: JsonObject, target: string): boolean {
    const found = classifyBody(value);
    if (!found) return false;
    const message = `Cannot complete the answer of ${target}: ${safeMessage(found)}`;
    this.error = new ProxyError(found.fault, message, { target, upstream: found.upstream });
    return true;
  }
}
