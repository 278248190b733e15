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

  push(chunk: ChatChunk): string {
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
    return begun + this.#tell();
  }

  end(): string {
    if (this.#ended) return '';
    this.#ended = true;
    const begun = this.#begin({});
    this.#pieces.end();
    const rest = this.#tell() + this.#stop();
    const interaction = { ...this.#head, ...endingOf(this.#finish, this.#usage, this.#head!) };
    return `${begun}${rest}${event('interaction.completed', { interaction })}${lostComment(this.#lost)}${DONE}`;
  }

  fail(error: ProxyError): string {
    return interactionErrorEvent(error);
  }

  #begin(chunk: { readonly id?: unknown; readonly model?: unknown }): string {
    if (this.#head) return '';
    this.#head = headOf(chunk, this.#options);
    return event('interaction.created', { interaction: { ...this.#head, status: 'in_progress' } });
  }

  #tell(): string {
    return this.#pieces
      .take()
      .map((piece) => this.#piece(piece))
      .join('');
  }

  #piece(piece: Piece): string {
    const type = STEPS[piece.kind];
    const begun = this.#step?.type === type && type !== 'function_call' ? '' : this.#start(piece, type);
    const { index } = this.#step!;
    const ended = begun + event('step.delta', { index, delta: deltaOf(piece) });
    // A signature and a call are complete.
    return piece.kind === 'signature' || piece.kind === 'call' ? ended + this.#stop() : ended;
  }

  #start(piece: Piece, type: string): string {
    const stopped = this.#stop();
    this.#step = { type, index: this.#steps };
    this.#steps += 1;
    const more = piece.kind === 'call' ? { id: piece.id, name: piece.name, arguments: {} } : {};
    return stopped + event('step.start', { index: this.#step.index, step: { type, ...more } });
  }

  #stop(): string {
    if (!this.#step) return '';
    const { index } = this.#step;
    this.#step = undefined;
    return event('step.stop', { index });
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
      return { type: 'arguments_delta', arguments: JSON.stringify(piece.args) };
  }
}

function event(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ ...fields, event_type: type })}\n\n`;
}
