import type { ChatChunk } from '../wire/chat.ts';
import type { Usage } from '../wire/usage.ts';
import type { Assembler } from '../wire/assembler.ts';
import type { Ending } from '../wire/endings.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Begun } from '../wire/protocol.ts';
import type { Verdict } from '../wire/shapes/events.ts';
import type { Lost } from '../wire/parts/lost.ts';
import type { Passing } from './passing.ts';
import { ProxyError } from '../errors.ts';
import { classifyBody, tellable } from '../wire/classify.ts';
import { endingError, endingOf, fails, untoldEnding } from '../wire/endings.ts';
import { eachSaid } from '../wire/said.ts';
import { weightOf } from '../wire/weight.ts';
import { errorIn } from '../wire/error-event.ts';
import type { SseEvent } from '../wire/sse.ts';
import { eventJson } from '../wire/event-json.ts';
import { isObject, numberOf, stringOf } from '../wire/json.ts';
import { brokenEvent } from '../wire/shapes/events.ts';

/** Bytes of the rest of an answer that was let go, before that is let go as well. */
const REST = 64 * 1024;

/**
 * Watches a stream of the client's protocol as it passes and remembers what the record and the router need:
 * whether content came, how it finished, what it used, and whether it carried an error.
 */
export class Tap {
  readonly #passing: Passing;
  readonly #maxBytes: number;
  readonly #choices: number;
  readonly #shown: (answer: JsonObject) => JsonObject;
  #assembler: Assembler;
  #bytes = 0;
  /** Tokens of what the model wrote, about, and in how many events it came. */
  #said = 0;
  #sayings = 0;
  #overflowed = false;
  #content = false;
  /** What an assembler that was let go knew of the end. */
  #ended = false;
  #finish: string | null = null;
  #usage: Usage | undefined;
  /** How many chunks passed. */
  chunks = 0;
  /** The last event passed, behind which a terminator may come: the client has all of it. */
  closed = false;
  /** The terminator arrived. */
  done = false;
  /** Events that were no JSON, or none of the protocol. */
  malformed = 0;
  /** An error event of the provider, which is kept from the client. */
  error: ProxyError | undefined;
  /** Whether the usage was asked for. */
  awaitsUsage = false;
  /** What the provider said of the usage before the end. */
  early: Usage | undefined;
  /** No provider said why the answer ended: what its client is told is our own word. */
  untold = false;
  /** Every choice has its finish reason, which is held back until the end. */
  heldFinish = false;
  /** What of the answer its client's protocol has no word for, where it is translated. */
  lost: Lost | undefined;
  /** Whether there was something in it that must be given back. */
  sealed = false;
  /** Shown each event that may go on to the client. */
  watch: ((event: JsonObject) => void) | undefined;

  /**
   * @param maxBytes how much of the answer is assembled for the record
   * @param choices how many answers were asked for
   * @param shown makes the client's answer of what was assembled, where that is another
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

  /** Content was seen: text, reasoning, a refusal or a tool call. */
  get content(): boolean {
    return (this.#content ||= this.#assembler.content);
  }

  /** Every choice that was asked for came to its end. */
  get finished(): boolean {
    const finished = this.heldFinish || this.#assembler.finished;
    return this.#ended || (finished && this.#assembler.seen >= this.#choices);
  }

  /** All that was asked for has come to its end; only the terminator is missing. */
  get complete(): boolean {
    return !this.done && this.finished;
  }

  /** It is complete and nothing but its terminator is likely to come: no usage, and no other call. */
  get settled(): boolean {
    return this.done || this.usage !== undefined || !(this.awaitsUsage || this.#assembler.called);
  }

  get finish(): string | null {
    return this.untold ? null : (this.#finish ?? this.#assembler.finish);
  }

  get usage(): Usage | undefined {
    return this.#assembler.usage ?? this.#usage ?? this.early;
  }

  /** The fields by which a client of chat knows the answer. */
  name(): Pick<ChatChunk, 'id' | 'object' | 'created' | 'model'> {
    const { id, responseId, model, modelVersion, created } = this.#assembler.result();
    return {
      id: stringOf(id) ?? stringOf(responseId) ?? '',
      object: 'chat.completion.chunk',
      created: numberOf(created) ?? 0,
      model: stringOf(model) ?? stringOf(modelVersion) ?? '',
    };
  }

  /** Tokens of the answer so far, about: one for each event that brings some of it at least. */
  get written(): number {
    return Math.max(this.#sayings, Math.ceil(this.#said));
  }

  /** What the client has, when that is one plain text in progress, known in full. */
  begun(): Begun | undefined {
    return this.#overflowed || this.#choices > 1 ? undefined : this.#assembler.begun();
  }

  /** The answer goes on elsewhere: what broke it is forgotten. */
  goOn(): void {
    this.error = undefined;
    this.untold = false;
    this.heldFinish = false;
    this.#finish = null;
  }

  /** The last events of a stream that failed. */
  fail(error: ProxyError, requestId: string): string {
    return this.#assembler.fail(error, requestId);
  }

  /**
   * Why an answer that ends like this is none. `undefined` when it is one, or when nobody knows its finish reason.
   * @param finish in the words of chat; `null` when the stream ends without a word of why
   * @param strict whether the client's protocol has no way to say that a call cannot be read
   * @param brokenCall whether a call is known to be cut that the client was not told of
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
    // Of an answer that was let go nobody knows how its calls began.
    if (claims && this.#overflowed) return undefined;
    const state = claims
      ? 'the arguments of a tool call are no JSON object'
      : 'its stream ends within a tool call';
    const message = `Cannot complete the answer of ${target}: ${state}`;
    return new ProxyError(claims ? 'failed_generation' : 'truncated', message, { target });
  }

  /** What a complete answer is recorded with when its finish reason is unknown, or was never told. */
  oddity(target: string): ProxyError | undefined {
    if (this.finish !== null) return endingError(endingOf('chat', this.finish), target);
    return untoldEnding(target);
  }

  /** The answer in one piece; `undefined` when it grew beyond the bound or never began. */
  answer(): JsonObject | undefined {
    return this.#overflowed || this.#bytes === 0 ? undefined : this.#assembler.result();
  }

  /** The answer in one piece as JSON text; `undefined` when it grew beyond the bound or never began. */
  assembled(): string | undefined {
    const answer = this.answer();
    return answer && JSON.stringify(this.#shown(answer));
  }

  /**
   * One event of the client's protocol.
   * @returns whether it may go on to the client
   */
  event(event: SseEvent, target: string): boolean {
    if (this.done || this.error) return false;
    const { data, event: name } = event;
    if (data === '[DONE]') return this.#end(target);
    // Behind its last event nothing else belongs to a stream.
    if (this.closed) return false;
    const value = eventJson(event);
    const told = errorIn(value ?? data, name);
    if (told && this.#classify(told, target)) {
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

  /** The last event is here, and a terminator may follow: it passes too. */
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

  /** The terminator is here. Some hosts forget to say why they end, but not within a call. */
  #end(target: string): boolean {
    if (this.finish === null) this.error = this.objection(null, target);
    if (!this.error && this.finish === null && this.#assembler.endsWithCalls) this.#finish = 'tool_calls';
    this.done = !this.error;
    return this.done;
  }

  /** One parsed event of `bytes` length. */
  chunk(value: JsonObject, bytes: number): void {
    this.chunks += 1;
    this.#bytes += bytes;
    this.#listen(value);
    // Of an answer that was let go there is only to be known how it goes on.
    const most = this.#overflowed ? Math.min(REST, this.#maxBytes) : this.#maxBytes;
    if (this.#bytes > most) this.letGo();
    this.#assembler.push(value);
  }

  /** Bytes of the events that the answer is put together of. */
  get kept(): number {
    return this.#bytes;
  }

  /** Forgets what is assembled so far; a fresh assembler reads what is still to come. */
  letGo(): void {
    this.#content ||= this.#assembler.content;
    this.#overflowed = true;
    this.#ended ||= this.finished;
    this.#finish ??= this.#assembler.finish;
    this.#usage = this.#assembler.usage ?? this.#usage;
    this.#assembler = this.#assembler.fresh();
    this.#bytes = 0;
  }

  #listen(value: JsonObject): void {
    const before = this.#said;
    eachSaid(value, (text) => (this.#said += weightOf(text)));
    if (this.#said > before) this.#sayings += 1;
  }

  /** An event without which the rest cannot be read ends the answer. */
  #leaveOut(verdict: Verdict, target: string): false {
    if (verdict === 'odd') this.malformed += 1;
    else this.#classify(brokenEvent(), target);
    return false;
  }

  #classify(value: JsonObject, target: string): boolean {
    const found = classifyBody(value);
    if (!found) return false;
    const message = `Cannot complete the answer of ${target}: ${tellable(found)}`;
    this.error = new ProxyError(found.fault, message, { target, upstream: found.upstream });
    return true;
  }
}
