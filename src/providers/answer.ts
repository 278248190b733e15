import type { UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import type { JsonObject } from '../wire/json.ts';
import { ProxyError } from '../errors.ts';

/** A piece of an answer: text, or an object for everything else. */
export type Piece = string | AnswerPiece;

export interface AnswerPiece {
  readonly text?: string;
  /** Reasoning, which is shown separately from the text. */
  readonly reasoning?: string;
  /** A call of one of the request's tools. */
  readonly call?: {
    /** Generated if omitted. */
    readonly id?: string;
    readonly name: string;
    /** An object, or its JSON text. */
    readonly arguments: unknown;
  };
  /** Token counts; the last ones given are used. */
  readonly usage?: {
    readonly input: number;
    readonly output: number;
    /** Included in `input`. */
    readonly cached?: number;
    /** Included in `output`. */
    readonly reasoning?: number;
  };
  /** The finish reason; by default `tool_calls` after calls and `stop` otherwise. */
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter';
}

/** Produces an answer: a generator, which is consumed only as fast as the client reads the answer. */
export type Speaker = () => AsyncIterable<Piece> | Iterable<Piece>;

/** The longest answer that is assembled before it is sent, characters. */
const MAX_WHOLE = 64 * 1024 ** 2;

/**
 * Creates an answer from code, in the form of OpenAI's chat: as a stream if the call asks for one, otherwise whole. It
 * is translated for clients of other APIs. If the client disconnects or a timeout expires, the generator is ended: its
 * `finally` runs.
 *
 * ```ts
 * override send(call: Call) {
 *   return answer(call, async function* () {
 *     yield 'Hello';
 *     yield { usage: { input: 3, output: 1 } };
 *   });
 * }
 * ```
 */
export function answer(call: Call, say: Speaker): UpstreamReply {
  const type = call.stream ? 'text/event-stream; charset=utf-8' : 'application/json';
  const telling = new Telling(call);
  let pieces: Iterator<Piece> | AsyncIterator<Piece> | undefined;
  const next = async (): Promise<Piece | undefined> => {
    pieces ??= iteratorOf(say());
    const { done, value } = await pieces.next();
    return done ? undefined : value;
  };
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        for (;;) {
          const piece = await next();
          const text = piece === undefined ? telling.end() : telling.add(piece);
          if (text !== '') controller.enqueue(encoder.encode(text));
          if (piece === undefined) return controller.close();
          if (text !== '') return;
        }
      },
      async cancel() {
        await pieces?.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return { status: 200, headers: new Headers({ 'content-type': type }), body };
}

function iteratorOf(pieces: AsyncIterable<Piece> | Iterable<Piece>): Iterator<Piece> | AsyncIterator<Piece> {
  return Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
}

interface AnsweredCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The answer so far, and how the rest of it is written. */
class Telling {
  readonly #call: Call;
  readonly #head: JsonObject;
  #begun = false;
  #text = '';
  #reasoning = '';
  readonly #calls: AnsweredCall[] = [];
  #usage: AnswerPiece['usage'];
  #finish: AnswerPiece['finish'];

  constructor(call: Call) {
    this.#call = call;
    this.#head = {
      id: `chatcmpl-${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`,
      created: Math.floor(Date.now() / 1000),
      model: call.model,
    };
  }

  /** Adds a piece. @returns its stream events; empty if it is only collected */
  add(piece: Piece): string {
    const { text, reasoning, call } = this.#take(piece);
    if (!this.#call.stream) return this.#remember(text, reasoning);
    const deltas: JsonObject[] = [];
    if (reasoning) deltas.push({ reasoning_content: reasoning });
    if (text) deltas.push({ content: text });
    if (call) deltas.push({ tool_calls: [{ index: this.#calls.length - 1, ...this.#calls.at(-1) }] });
    return deltas.map((delta) => this.#event(delta, null)).join('');
  }

  #remember(text = '', reasoning = ''): '' {
    this.#text += text;
    this.#reasoning += reasoning;
    if (this.#text.length + this.#reasoning.length <= MAX_WHOLE) return '';
    throw new ProxyError('too_long', `Cannot assemble the answer of ${this.#call.model}: it is too long`);
  }

  /** The whole answer, or the last events of a stream. */
  end(): string {
    const finish = this.#finish ?? (this.#calls.length > 0 ? 'tool_calls' : 'stop');
    const usage = this.#usage && { usage: usageOf(this.#usage) };
    if (!this.#call.stream) return JSON.stringify(this.#whole(finish, usage));
    // Clients that did not request usage may fail on a chunk without choices.
    const apart = usage !== undefined && wantsUsage(this.#call);
    const last = this.#event({}, finish, apart ? undefined : usage);
    return `${last}${apart ? this.#data({ choices: [], ...usage }) : ''}data: [DONE]\n\n`;
  }

  #take(piece: Piece): AnswerPiece {
    if (typeof piece === 'string') return { text: piece };
    if (typeof piece !== 'object' || piece === null)
      throw new TypeError(`answer() accepts texts and objects, not ${String(piece)}`);
    const { call, usage, finish } = piece;
    if (call) {
      const { name, arguments: given } = call;
      const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
      const id = call.id ?? `call_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`;
      this.#calls.push({ id, type: 'function', function: { name, arguments: text } });
    }
    this.#usage = usage ?? this.#usage;
    this.#finish = finish ?? this.#finish;
    return piece;
  }

  #whole(finish: string, usage: JsonObject | undefined): JsonObject {
    const hasCalls = this.#calls.length > 0;
    const message = {
      role: 'assistant',
      content: hasCalls && this.#text === '' ? null : this.#text,
      refusal: null,
      ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
      ...(hasCalls ? { tool_calls: this.#calls } : {}),
    };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: finish }];
    return { ...this.#head, object: 'chat.completion', choices, ...usage };
  }

  #event(delta: JsonObject, finish: string | null, more: JsonObject = {}): string {
    const role = this.#begun ? {} : { role: 'assistant' };
    this.#begun = true;
    const choices = [{ index: 0, delta: { ...role, ...delta }, logprobs: null, finish_reason: finish }];
    return this.#data({ choices, ...more });
  }

  #data(fields: JsonObject): string {
    return `data: ${JSON.stringify({ ...this.#head, object: 'chat.completion.chunk', ...fields })}\n\n`;
  }
}

function usageOf({
  input,
  output,
  cached = 0,
  reasoning = 0,
}: NonNullable<AnswerPiece['usage']>): JsonObject {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function wantsUsage(call: Call): boolean {
  return call.json().stream_options?.include_usage === true;
}
