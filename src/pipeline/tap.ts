import type { Usage } from '../wire/usage.ts';
import type { Assembler } from '../wire/openai/assemble.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Passing } from './passing.ts';
import { ProxyError } from '../errors.ts';
import { classifyBody, tellable } from '../wire/classify.ts';
import { isObject, parseJson, PIECE_BOUNDS } from '../wire/json.ts';

/** An event is passed on as it came, so it may be deeper than what could be written again. */
const PASSING_BOUNDS = { ...PIECE_BOUNDS, maxDepth: Infinity, maxValues: 250_000 };

/**
 * Watches a stream of the client's protocol as it passes and remembers what the record and the router need:
 * whether content came, how it finished, what it used, and whether it carried an error.
 */
export class Tap {
  readonly #passing: Pick<Passing, 'assembler' | 'isLast'>;
  readonly #maxBytes: number;
  readonly #choices: number;
  readonly #shown: (answer: JsonObject) => JsonObject;
  #assembler: Assembler;
  #bytes = 0;
  #overflowed = false;
  #content = false;
  /** What an assembler that was let go knew of the end. */
  #ended = false;
  #finish: string | null = null;
  #usage: Usage | undefined;
  /** How many chunks passed. */
  chunks = 0;
  /** The terminator arrived. */
  done = false;
  /** Events that were no JSON. */
  malformed = 0;
  /** An error event of the provider, which is kept from the client. */
  error: ProxyError | undefined;
  /** What the provider said of the usage before the end. */
  early: Usage | undefined;
  /** Events that went to the client. */
  sent = 0;

  /**
   * @param maxBytes how much of the answer is assembled for the record
   * @param choices how many answers were asked for
   * @param shown makes the client's answer of what was assembled, where that is another
   */
  constructor(
    passing: Pick<Passing, 'assembler' | 'isLast'>,
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
    return this.#ended || (this.#assembler.finished && this.#assembler.seen >= this.#choices);
  }

  /** All that was asked for has come to its end; only the terminator is missing. */
  get complete(): boolean {
    return !this.done && this.finished;
  }

  get finish(): string | null {
    return this.#finish ?? this.#assembler.finish;
  }

  get usage(): Usage | undefined {
    return this.#assembler.usage ?? this.#usage ?? this.early;
  }

  /** The fields by which a client knows the answer. */
  name(): JsonObject {
    const { id, model, created } = this.#assembler.result();
    return { id, model, created };
  }

  /** The text so far, when the answer so far is one plain text, known in full. */
  plainText(): string | undefined {
    return this.#overflowed || this.#choices > 1 ? undefined : this.#assembler.plainText();
  }

  /** The answer in one piece as JSON text; `undefined` when it grew beyond the bound or never began. */
  assembled(): string | undefined {
    if (this.#overflowed || this.#bytes === 0) return undefined;
    return JSON.stringify(this.#shown(this.#assembler.result()));
  }

  /** One event's data of the client's protocol. @returns whether it may go on to the client */
  event(data: string, target: string): boolean {
    if (this.done || this.error) return false;
    if (data === '[DONE]') return (this.done = true);
    const value = parseJson(data, PASSING_BOUNDS);
    if (!isObject(value)) {
      this.malformed += 1;
      return false;
    }
    if (mayBeError(value) && this.#classify(value, target)) return false;
    this.chunk(value, data.length);
    this.done = this.#passing.isLast(value);
    this.sent += 1;
    return true;
  }

  /** One parsed event of `bytes` length. */
  chunk(value: JsonObject, bytes: number): void {
    this.chunks += 1;
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) {
      // What is assembled so far is let go; a fresh assembler reads what is still to come.
      this.#content ||= this.#assembler.content;
      this.#overflowed = true;
      this.#ended ||= this.finished;
      this.#finish ??= this.#assembler.finish;
      this.#usage = this.#assembler.usage ?? this.#usage;
      this.#assembler = this.#passing.assembler();
      this.#bytes = 0;
    }
    this.#assembler.push(value);
  }

  #classify(value: JsonObject, target: string): boolean {
    const found = classifyBody(value);
    if (!found) return false;
    const message = `Cannot complete the answer of ${target}: ${tellable(found)}`;
    this.error = new ProxyError(found.fault, message, { target, upstream: found.upstream });
    return true;
  }
}

function mayBeError(value: JsonObject): boolean {
  return (
    'error' in value || value.object === 'error' || value.type === 'error' || value.type === 'response.failed'
  );
}
