import type { Usage } from '../wire/usage.ts';
import type { Assembler } from '../wire/openai/assemble.ts';
import type { JsonObject } from '../wire/json.ts';
import { ProxyError } from '../errors.ts';
import { classifyBody } from '../wire/classify.ts';
import { isObject, parseJson } from '../wire/json.ts';

/**
 * Watches a stream of the client's protocol as it passes and remembers what the record and the router need:
 * whether content came, how it finished, what it used, and whether it carried an error.
 */
export class Tap {
  readonly #make: () => Assembler;
  readonly #maxBytes: number;
  readonly #choices: number;
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
  /** Usage from elsewhere than the client's stream, when the client did not ask to see it. */
  hiddenUsage: Usage | undefined;

  /**
   * @param maxBytes how much of the answer is assembled for the record
   * @param choices how many answers were asked for
   */
  constructor(make: () => Assembler, maxBytes: number, choices: number) {
    this.#make = make;
    this.#choices = choices;
    this.#assembler = make();
    this.#maxBytes = maxBytes;
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
    return this.#assembler.usage ?? this.#usage ?? this.hiddenUsage;
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
    return this.#overflowed || this.#bytes === 0 ? undefined : JSON.stringify(this.#assembler.result());
  }

  /** One event's data of the client's protocol. @returns whether it may go on to the client */
  event(data: string, target: string): boolean {
    if (this.done || this.error) return false;
    if (data === '[DONE]') return (this.done = true);
    const value = parseJson(data);
    if (!isObject(value)) {
      this.malformed += 1;
      return false;
    }
    if (('error' in value || value.object === 'error') && this.#classify(value, target)) return false;
    this.chunk(value, data.length);
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
      this.#assembler = this.#make();
      this.#bytes = 0;
    }
    this.#assembler.push(value);
  }

  #classify(value: JsonObject, target: string): boolean {
    const found = classifyBody(value);
    if (!found) return false;
    const message = `Cannot complete the answer of ${target}: ${found.upstream.message}`;
    this.error = new ProxyError(found.fault, message, { target, upstream: found.upstream });
    return true;
  }
}
