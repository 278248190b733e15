import type { Events, LongEvent } from '../long-events.ts';
import { eventOf, eventsAfter } from '../long-events.ts';
import { jsonTextOf } from '../json-written.ts';
import type { ProxyError } from '../../errors.ts';
import type { ChatChunk } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Begun, ChatWriter } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import type { AnswerOptions, Head } from './client-answer.ts';
import type { Piece } from './client-pieces.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { Lost, lostComment } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { endingOf, headOf } from './client-answer.ts';
import { interactionErrorEvent } from './client-error.ts';
import { Pieces } from './client-pieces.ts';

/** Identifies the step that a piece belongs to. */
const STEPS = {
  summary: 'thought',
  signature: 'thought',
  text: 'model_output',
  annotation: 'model_output',
  content: 'model_output',
  call: 'function_call',
} as const satisfies Record<Piece['kind'], string>;

/** The terminator of a stream. */
const DONE = 'event: done\ndata: [DONE]\n\n';

/**
 * Encodes chat chunks as the events of an interaction: steps are started, grow by deltas, and are stopped,
 * one after another.
 * @see https://ai.google.dev/gemini-api/docs/streaming
 */
export class InteractionWriter implements ChatWriter {
  readonly #options: AnswerOptions;
  readonly #lost: Lost;
  readonly #pieces: Pieces;
  #head: Head | undefined;
  #step: { readonly type: string; readonly index: number } | undefined;
  #steps = 0;
  #finish: string | null = null;
  #usage: Usage | undefined;
  #ended = false;

  /** @param begun what the client has already received: the text of a step that is not stopped yet */
  constructor(options: AnswerOptions, begun?: Begun, lost = new Lost()) {
    this.#options = options;
    this.#lost = lost;
    const { thoughts, newId } = options;
    this.#pieces = new Pieces({ thoughts, newId, lost }, begun?.text);
    if (!begun) return;
    this.#step = { type: 'model_output', index: begun.place };
    this.#steps = begun.place + 1;
    this.#head = headOf({}, options);
  }

  push(chunk: ChatChunk): Events {
    this.#usage = openaiUsage(chunk.usage) ?? this.#usage;
    const choices = listOf(chunk.choices).filter(isObject);
    const choice = choices.find(({ index }) => (numberOf(index) ?? 0) === 0);
    if (choices.some(({ index }) => (numberOf(index) ?? 0) > 0)) this.#lost.once('choice');
    if (!choice || this.#finish !== null) return '';
    if (choice.logprobs) this.#lost.once('logprobs');
    const begun = this.#begin(chunk);
    this.#pieces.read(objectOf(choice.delta));
    this.#finish = stringOf(choice.finish_reason) || null;
    if (this.#finish !== null) this.#pieces.end();
    return eventsAfter(begun, this.#tell());
  }

  end(): Events {
    if (this.#ended) return '';
    this.#ended = true;
    const begun = this.#begin({});
    this.#pieces.end();
    const rest = this.#tell();
    const stopped = this.#stop();
    const interaction = { ...this.#head, ...endingOf(this.#finish, this.#usage, this.#head!) };
    const completed = event('interaction.completed', { interaction });
    return eventsAfter(begun, rest, stopped, [completed], lostComment(this.#lost) + DONE);
  }

  fail(error: ProxyError): string {
    return interactionErrorEvent(error);
  }

  #begin(chunk: { readonly id?: unknown; readonly model?: unknown }): Events {
    if (this.#head) return '';
    this.#head = headOf(chunk, this.#options);
    return [event('interaction.created', { interaction: { ...this.#head, status: 'in_progress' } })];
  }

  #tell(): Events {
    return eventsAfter('', ...this.#pieces.take().map((piece) => this.#piece(piece)));
  }

  #piece(piece: Piece): Events {
    const type = STEPS[piece.kind];
    const begun = this.#step?.type === type && type !== 'function_call' ? '' : this.#start(piece, type);
    const { index } = this.#step!;
    const ended = eventsAfter(begun, [event('step.delta', { index, delta: deltaOf(piece) })]);
    // A signature and a call are complete.
    return piece.kind === 'signature' || piece.kind === 'call' ? eventsAfter(ended, this.#stop()) : ended;
  }

  #start(piece: Piece, type: string): Events {
    const stopped = this.#stop();
    this.#step = { type, index: this.#steps };
    this.#steps += 1;
    const more = piece.kind === 'call' ? { id: piece.id, name: piece.name, arguments: {} } : {};
    return eventsAfter(stopped, [event('step.start', { index: this.#step.index, step: { type, ...more } })]);
  }

  #stop(): Events {
    if (!this.#step) return '';
    const { index } = this.#step;
    this.#step = undefined;
    return [event('step.stop', { index })];
  }
}

function deltaOf(piece: Piece): JsonObject {
  switch (piece.kind) {
    case 'summary':
      return { type: 'thought_summary', content: { type: 'text', text: piece.text } };
    case 'signature':
      return { type: 'thought_signature', signature: piece.signature };
    case 'text':
      return { type: 'text', text: piece.text };
    case 'annotation':
      return { type: 'text_annotation_delta', annotations: [piece.annotation] };
    case 'content':
      return piece.content;
    case 'call':
      return { type: 'arguments_delta', arguments: jsonTextOf(piece.args) };
  }
}

function event(type: string, fields: JsonObject): string | LongEvent {
  return eventOf(type, { ...fields, event_type: type });
}
