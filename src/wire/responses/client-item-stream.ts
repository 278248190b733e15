import type { ToolCallDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Begun } from '../protocol.ts';
import type { Kind, Open, OpenCall, PartType } from './client-parts.ts';
import type { Envelope } from './client-response.ts';
import type { HostedCallPart, HostedResultPart } from '../parts/part.ts';
import { areBroken } from '../json.ts';
import type { Events, LongEvent } from '../long-events.ts';
import { eventOf } from '../long-events.ts';
import { Lost } from '../parts/lost.ts';
import { BETWEEN } from '../parts/part-list.ts';
import { continuedMessage, itemOf, openItem, openPart, partOf, PARTS } from './client-parts.ts';
import { encodeHosted } from './hosted.ts';
import { ownId } from './sealed.ts';
import { freeText } from '../parts/free-text.ts';

/** A call whose pieces arrive while another item is being written. */
interface Waiting {
  readonly head: ToolCallDelta;
  text: string;
}

/**
 * Writes the items of a response one after another, each with its events for start, content and end, and with indexes,
 * ids and sequence numbers.
 */
export class ItemWriter {
  readonly #envelope: Envelope;
  /** The completed items. */
  readonly output: JsonObject[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed = new Set<number>();
  #open: Open | undefined;
  readonly #lost: Lost;
  /** The call of a hosted tool whose result has not arrived yet. */
  #hosted: HostedCallPart | undefined;
  /** Calls of hosted tools, by id. */
  readonly #ran = new Set<string>();
  /** The length of the whole text so far, and of the part before the current one, characters. */
  #length = 0;
  before = 0;
  #out: (string | LongEvent)[] = [];
  /** The sequence number of the next event. */
  next = 0;

  /**
   * @param begun a response of which the client has received the beginning of a text
   * @param lost counts what a response cannot express
   */
  constructor(envelope: Envelope, begun?: Begun, lost = new Lost()) {
    this.#envelope = envelope;
    this.#lost = lost;
    if (!begun?.response) return;
    this.output.push(...begun.response.items);
    this.#open = continuedMessage(begun.response.item, begun.text);
    this.next = begun.response.next;
  }

  event(type: string, fields: JsonObject): void {
    this.#out.push(eventOf(type, { type, ...fields, sequence_number: this.next }));
    this.next += 1;
  }

  /** Adds text that is not an event. */
  comment(text: string): void {
    this.#out.push(text);
  }

  /** The events since the last call. */
  take(): Events {
    const out = this.#out;
    this.#out = [];
    return out.every((event) => typeof event === 'string') ? out.join('') : out;
  }

  /** @param id of the new item, if it has one already */
  grow(
    kind: 'reasoning' | 'message',
    type: PartType,
    piece: string,
    logprobs: JsonObject[] = [],
    id?: string,
  ): void {
    this.#settle();
    const begins = this.#open?.kind !== kind || this.#open.block !== undefined;
    const delta = begins && kind === 'reasoning' ? piece.replace(BETWEEN, '') : piece;
    if (begins) {
      this.#close();
      this.#start(kind, undefined, id);
    }
    const open = this.#open!;
    if (open.part?.type !== type) {
      this.#closePart(open);
      open.part = openPart(type);
      this.before = this.#length;
      this.event(PARTS[type].added, { ...this.#at(open), part: partOf(open.part) });
    }
    const part = open.part!;
    part.text += delta;
    if (type === 'text') this.#length += delta.length;
    part.logprobs.push(...logprobs);
    const probabilities = type === 'text' ? { logprobs } : {};
    this.event(PARTS[type].delta, { ...this.#at(open), delta, ...probabilities });
  }

  /** Adds a citation to the current text. @returns whether there is a text that it can refer to */
  cite(annotation: JsonObject): boolean {
    const open = this.#open;
    if (open?.part?.type !== 'text') return false;
    const { annotations } = open.part;
    const at = { ...this.#at(open), annotation_index: annotations.length };
    annotations.push(annotation);
    this.event('response.output_text.annotation.added', { ...at, annotation });
    return true;
  }

  /** Writes an item that is sent in one piece. */
  whole(item: JsonObject): void {
    this.#settle();
    this.#close();
    const begun = { ...item, status: 'in_progress' };
    this.event('response.output_item.added', { output_index: this.#place, item: begun });
    this.event('response.output_item.done', { output_index: this.#place, item });
    this.output.push(item);
    this.#envelope.remember(item);
  }

  /** Writes a tool that the provider ran. @param result its result, if it is known */
  hosted(call: HostedCallPart, result: HostedResultPart | undefined): void {
    this.#settle();
    this.#hosted = call;
    this.#ran.add(call.id);
    if (result) this.#settle(result);
  }

  /** Handles the result of the tool that was called last. */
  gave(result: HostedResultPart): void {
    if (this.#hosted?.id === result.id) this.#settle(result);
    // It was called in an earlier answer, whose item can no longer be changed.
    else if (!this.#ran.has(result.id)) this.#lost.add('hosted_tool');
  }

  #settle(result?: HostedResultPart): void {
    const call = this.#hosted;
    if (!call) return;
    this.#hosted = undefined;
    const item = encodeHosted(call, result, this.#envelope.newId);
    if (item) this.whole(item);
    else this.#lost.add('hosted_tool');
  }

  /** Adds what must be sent back with the current reasoning. */
  seal(block: JsonObject): void {
    this.#settle();
    if (this.#open?.kind !== 'reasoning' || this.#open.block) {
      this.#close();
      this.#start('reasoning', undefined, ownId(block));
    }
    this.#open!.block = block;
  }

  call(delta: ToolCallDelta): void {
    const { index } = delta;
    const piece = delta.function?.arguments ?? '';
    if (this.#open?.call?.index === index) return this.#argue(piece);
    const waiting = this.#waiting.get(index);
    if (waiting) {
      waiting.text += piece;
      return;
    }
    if (this.#closed.has(index)) return;
    this.#settle();
    if (this.#open?.call && !this.#open.json.ended) {
      this.#waiting.set(index, { head: delta, text: piece });
      return;
    }
    this.#close();
    this.#startCall(delta);
    this.#argue(piece);
  }

  /** Ends the content: completes the current item, then calls whose pieces were interleaved with others. */
  close(): void {
    this.#settle();
    this.#close();
    while (this.#waiting.size > 0) {
      this.#nextWaiting();
      this.#close();
    }
  }

  /** Completes the answer. */
  end(): void {
    this.close();
    // An empty answer still has a message.
    if (!this.output.every(({ type }) => type === 'reasoning')) return;
    this.#start('message');
    this.#close();
  }

  /** All items so far, including the current one. */
  unfinished(): JsonObject[] {
    const open = this.#open;
    if (!open) return [...this.output];
    const parts = open.part ? [...open.parts, partOf(open.part)] : open.parts;
    return [...this.output, itemOf({ ...open, parts }, 'incomplete')];
  }

  get #place(): number {
    return this.output.length;
  }

  #start(kind: Kind, call?: OpenCall, id?: string): void {
    const { newId, newThoughtId } = this.#envelope;
    const open = openItem(kind, kind === 'reasoning' ? newThoughtId : newId, call);
    this.#open = id === undefined ? open : { ...open, id };
    const item = itemOf(this.#open, 'in_progress');
    this.event('response.output_item.added', { output_index: this.#place, item });
  }

  /** The item and part that an event refers to. */
  #at({ kind, id, parts }: Open): JsonObject {
    const part = kind === 'reasoning' ? { summary_index: parts.length } : { content_index: parts.length };
    return { item_id: id, output_index: this.#place, ...part };
  }

  #closePart(open: Open): void {
    const { part } = open;
    if (!part) return;
    const { type, text, logprobs } = part;
    const at = this.#at(open);
    const whole = partOf(part);
    const probabilities = type === 'text' ? { logprobs } : {};
    const word = type === 'refusal' ? { refusal: text } : { text };
    this.event(PARTS[type].done, { ...at, ...word, ...probabilities });
    this.event(PARTS[type].closed, { ...at, part: whole });
    open.parts.push(whole);
    open.part = undefined;
  }

  #startCall({ index, id, function: fn }: ToolCallDelta): void {
    const name = fn?.name ?? '';
    const origin = this.#envelope.origins.get(name) ?? { kind: 'function', name };
    this.#start('call', { index, callId: id ?? `call_${this.#envelope.newId()}`, origin });
  }

  #argue(piece: string): void {
    const open = this.#open!;
    open.text += piece;
    open.json.push(piece);
    // Free text is wrapped in JSON until it is complete.
    if (piece !== '' && open.call!.origin.kind === 'function') {
      const at = { item_id: open.id, output_index: this.#place };
      this.event('response.function_call_arguments.delta', { ...at, delta: piece });
    }
    if (!open.json.ended || this.#waiting.size === 0) return;
    this.#close();
    this.#nextWaiting();
  }

  #close(): void {
    const open = this.#open;
    if (!open) return;
    this.#closePart(open);
    if (open.call) {
      this.#closeCall(open);
      this.#closed.add(open.call.index);
    }
    // Truncated arguments do not make an executable call.
    const item = itemOf(open, open.call && areBroken(open.text) ? 'incomplete' : 'completed');
    this.event('response.output_item.done', { output_index: this.#place, item });
    this.output.push(item);
    this.#envelope.remember(item);
    this.#open = undefined;
  }

  /** Starts the call that arrived while the previous one was being written; it may continue. */
  #nextWaiting(): void {
    const [next] = this.#waiting;
    if (!next) return;
    const [index, { head, text: written }] = next;
    this.#waiting.delete(index);
    this.#startCall(head);
    this.#argue(written);
  }

  #closeCall({ id, call, text }: Open): void {
    const at = { item_id: id, output_index: this.#place };
    const { kind, name } = call!.origin;
    if (kind === 'function') {
      this.event('response.function_call_arguments.done', { ...at, name, arguments: text || '{}' });
      return;
    }
    // Such a call is only sent as an item.
    if (kind === 'own') return;
    const input = freeText(text);
    this.event('response.custom_tool_call_input.delta', { ...at, delta: input });
    this.event('response.custom_tool_call_input.done', { ...at, input });
  }
}
