import type { ChatChunk, ToolCallDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatWriter } from '../protocol.ts';
import type { OpenaiUsage } from '../usage.ts';
import type { Envelope } from './client-response.ts';
import type { Kind, Open, OpenCall, PartType } from './client-parts.ts';
import { isObject, listOf } from '../json.ts';
import { encodeCitations } from './citations.ts';
import { itemOf, openItem, openPart, partOf, PARTS } from './client-parts.ts';
import { responseId, responseObject } from './client-response.ts';
import { encodeProbabilities } from './probabilities.ts';
import { customInput } from './tools.ts';

/** A call whose pieces come while another is being written. */
interface Waiting {
  readonly head: ToolCallDelta;
  text: string;
}

/**
 * Writes the events of a response: items one after another, each announced, grown and closed, with places, ids and
 * sequence numbers.
 */
export class ResponsesWriter implements ChatWriter {
  readonly #envelope: Envelope;
  readonly #output: JsonObject[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed = new Set<number>();
  #sequence = 0;
  #id = '';
  #model = '';
  #open: Open | undefined;
  #finish: string | null = null;
  #usage: OpenaiUsage | undefined;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  push(chunk: ChatChunk): string {
    let text = this.#id === '' ? this.#begin(chunk) : '';
    if (chunk.usage) this.#usage = chunk.usage;
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (!choice) return text;
    const {
      content,
      refusal,
      reasoning_content: reasoning,
      thinking_blocks: blocks,
      tool_calls,
    } = choice.delta;
    const logprobs = encodeProbabilities(choice.logprobs);
    if (reasoning) text += this.#grow('reasoning', 'summary', reasoning);
    for (const block of listOf(blocks)) if (isObject(block)) text += this.#seal(block);
    if (content) text += this.#grow('message', 'text', content, logprobs);
    for (const note of encodeCitations(choice.delta.annotations)) text += this.#cite(note);
    if (refusal) text += this.#grow('message', 'refusal', refusal);
    for (const call of tool_calls ?? []) text += this.#call(call);
    if (choice.finish_reason !== null) {
      this.#finish ??= choice.finish_reason;
      text += this.#close() + this.#writeWaiting();
    }
    return text;
  }

  end(): string {
    let text = this.#id === '' ? this.#begin({ id: '', model: '' }) : '';
    text += this.#close() + this.#writeWaiting();
    // An answer without a word is one all the same.
    if (this.#output.every(({ type: kind }) => kind === 'reasoning'))
      text += this.#start('message') + this.#close();
    const response = this.#response(this.#finish ?? 'stop');
    return text + this.#event(`response.${String(response.status)}`, { response });
  }

  #begin({ id, model }: Pick<ChatChunk, 'id' | 'model'>): string {
    this.#id = responseId(id, this.#envelope.newId);
    this.#model = model;
    const response = this.#response(null);
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
  }

  #response(finish: string | null): JsonObject {
    return responseObject(this.#envelope, {
      id: this.#id,
      model: this.#model,
      output: [...this.#output],
      finish,
      ...(finish !== null && this.#usage ? { usage: this.#usage } : {}),
    });
  }

  #event(type: string, fields: JsonObject): string {
    const data = JSON.stringify({ type, ...fields, sequence_number: this.#sequence });
    this.#sequence += 1;
    return `event: ${type}\ndata: ${data}\n\n`;
  }

  get #place(): number {
    return this.#output.length;
  }

  #start(kind: Kind, call?: OpenCall): string {
    this.#open = openItem(kind, this.#envelope.newId, call);
    return this.#event('response.output_item.added', {
      output_index: this.#place,
      item: itemOf(this.#open, 'in_progress'),
    });
  }

  #grow(kind: 'reasoning' | 'message', type: PartType, delta: string, logprobs: JsonObject[] = []): string {
    let text = '';
    if (this.#open?.kind !== kind) text += this.#close() + this.#start(kind);
    const open = this.#open!;
    if (open.part?.type !== type) {
      text += this.#closePart(open);
      open.part = openPart(type);
      text += this.#event(PARTS[type].added, { ...this.#at(open), part: partOf(open.part) });
    }
    const part = open.part!;
    part.text += delta;
    part.logprobs.push(...logprobs);
    const probabilities = type === 'text' ? { logprobs } : {};
    return text + this.#event(PARTS[type].delta, { ...this.#at(open), delta, ...probabilities });
  }

  /** A citation belongs to the text in progress; where none is, there is nothing that it could be about. */
  #cite(annotation: JsonObject): string {
    const open = this.#open;
    if (open?.part?.type !== 'text') return '';
    const { annotations } = open.part;
    const at = { ...this.#at(open), annotation_index: annotations.length };
    annotations.push(annotation);
    return this.#event('response.output_text.annotation.added', { ...at, annotation });
  }

  /** Which part of which item an event is about. */
  #at({ kind, id, parts }: Open): JsonObject {
    const part = kind === 'reasoning' ? { summary_index: parts.length } : { content_index: parts.length };
    return { item_id: id, output_index: this.#place, ...part };
  }

  #closePart(open: Open): string {
    const { part } = open;
    if (!part) return '';
    const { type, text, logprobs } = part;
    const at = this.#at(open);
    const whole = partOf(part);
    const probabilities = type === 'text' ? { logprobs } : {};
    const word = type === 'refusal' ? { refusal: text } : { text };
    const written =
      this.#event(PARTS[type].done, { ...at, ...word, ...probabilities }) +
      this.#event(PARTS[type].closed, { ...at, part: whole });
    open.parts.push(whole);
    open.part = undefined;
    return written;
  }

  #seal(block: JsonObject): string {
    let text = '';
    if (this.#open?.kind !== 'reasoning' || this.#open.block)
      text += this.#close() + this.#start('reasoning');
    this.#open!.block = block;
    return text;
  }

  #call(delta: ToolCallDelta): string {
    const { index } = delta;
    const piece = delta.function?.arguments ?? '';
    if (this.#open?.call?.index === index) return this.#argue(piece);
    const waiting = this.#waiting.get(index);
    if (waiting) waiting.text += piece;
    else if (this.#closed.has(index)) return '';
    else if (this.#open?.call && !this.#open.json.ended) {
      this.#waiting.set(index, { head: delta, text: piece });
    } else return this.#close() + this.#startCall(delta) + this.#argue(piece);
    return '';
  }

  #startCall({ index, id, function: fn }: ToolCallDelta): string {
    const name = fn?.name ?? '';
    const origin = this.#envelope.origins.get(name) ?? { kind: 'function', name };
    return this.#start('call', { index, callId: id ?? `call_${this.#envelope.newId()}`, origin });
  }

  #argue(piece: string): string {
    const open = this.#open!;
    open.text += piece;
    open.json.push(piece);
    const next = open.json.ended && this.#waiting.size > 0;
    return this.#delta(open, piece) + (next ? this.#close() + this.#nextWaiting() : '');
  }

  #delta(open: Open, piece: string): string {
    // Free text stands inside of JSON until it is complete.
    if (piece === '' || open.call!.origin.kind === 'custom') return '';
    const at = { item_id: open.id, output_index: this.#place };
    return this.#event('response.function_call_arguments.delta', { ...at, delta: piece });
  }

  /** Calls whose pieces came between those of another. */
  #writeWaiting(): string {
    let text = '';
    while (this.#waiting.size > 0) text += this.#nextWaiting() + this.#close();
    return text;
  }

  #close(): string {
    const open = this.#open;
    if (!open) return '';
    let text = this.#closePart(open);
    if (open.call) {
      text += this.#closeCall(open);
      this.#closed.add(open.call.index);
    }
    const item = itemOf(open, 'completed');
    text += this.#event('response.output_item.done', { output_index: this.#place, item });
    this.#output.push(item);
    this.#envelope.remember(item);
    this.#open = undefined;
    return text;
  }

  /** The call that began while the one just closed was being written; it may go on. */
  #nextWaiting(): string {
    const [next] = this.#waiting;
    if (!next) return '';
    const [index, { head, text: written }] = next;
    this.#waiting.delete(index);
    return this.#startCall(head) + this.#argue(written);
  }

  #closeCall({ id, call, text }: Open): string {
    const at = { item_id: id, output_index: this.#place };
    const { kind, name } = call!.origin;
    if (kind === 'function') {
      return this.#event('response.function_call_arguments.done', { ...at, name, arguments: text || '{}' });
    }
    const input = customInput(text);
    return (
      this.#event('response.custom_tool_call_input.delta', { ...at, delta: input }) +
      this.#event('response.custom_tool_call_input.done', { ...at, input })
    );
  }
}
