import type { Events } from '../long-events.ts';
import { dataEvent, eventsAfter } from '../long-events.ts';
import type { ProxyError } from '../../errors.ts';
import type { ChatChunk } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatWriter } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import type { AnswerOptions } from './client-answer.ts';
import type { MessagePiece } from './client-pieces.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { Lost } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { answerOf, encodeLogprobs, endingOf } from './client-answer.ts';
import { ollamaErrorEvent } from './client-error.ts';
import { OllamaPieces } from './client-pieces.ts';

/**
 * Encodes chat chunks as Ollama's stream, in events that the server writes as lines: each has the next piece, and the
 * last one the done reason and the usage.
 */
export class LineWriter implements ChatWriter {
  readonly #options: AnswerOptions;
  readonly #lost: Lost;
  readonly #pieces: OllamaPieces;
  #begunMs: number | undefined;
  #finish: string | null = null;
  #usage: Usage | undefined;
  #ended = false;

  constructor(options: AnswerOptions, lost = new Lost()) {
    this.#options = options;
    this.#lost = lost;
    this.#pieces = new OllamaPieces({ newId: options.newId, lost, thoughts: options.thoughts });
  }

  push(chunk: ChatChunk): Events {
    this.#usage = openaiUsage(chunk.usage) ?? this.#usage;
    const choices = listOf(chunk.choices).filter(isObject);
    const choice = choices.find(({ index }) => (numberOf(index) ?? 0) === 0);
    if (choices.some(({ index }) => (numberOf(index) ?? 0) > 0)) this.#lost.once('choice');
    if (!choice || this.#finish !== null) return '';
    this.#pieces.read(objectOf(choice.delta));
    this.#finish = stringOf(choice.finish_reason) || null;
    if (this.#finish !== null) this.#pieces.end();
    const logprobs = encodeLogprobs(choice.logprobs);
    const ready = this.#pieces.take();
    if (ready.length > 0) this.#begunMs ??= this.#options.elapsedMs();
    if (ready.length === 0 && logprobs.logprobs !== undefined) return this.#piece({}, logprobs);
    return eventsAfter('', ...ready.map((piece, at) => this.#piece(piece, at === 0 ? logprobs : {})));
  }

  end(): Events {
    if (this.#ended) return '';
    this.#ended = true;
    this.#pieces.end();
    const rest = this.#pieces.take().map((piece) => this.#piece(piece, {}));
    const timing = { begunMs: this.#begunMs, endMs: this.#options.elapsedMs() };
    const last = { ...answerOf(this.#options, {}, true), ...endingOf(this.#finish, this.#usage, timing) };
    return eventsAfter('', ...rest, [dataEvent(last)]);
  }

  fail(error: ProxyError): string {
    return ollamaErrorEvent(error);
  }

  #piece(ready: MessagePiece, more: JsonObject): Events {
    return [dataEvent({ ...answerOf(this.#options, ready, false), ...more })];
  }
}
