import type { Events, LongEvent } from '../long-events.ts';
import { eventOf } from '../long-events.ts';
import type { JsonObject } from '../json.ts';
import { JsonEnd } from '../json-end.ts';
import { textBlock } from './client-response.ts';
import { CALLER } from './hosted.ts';

/** A block on its way to the client. */
interface Block {
  readonly kind: 'text' | 'thinking' | 'tool' | 'whole';
  /** Its content block at the start. */
  readonly content: JsonObject;
  /** The deltas that were not sent yet. */
  waiting: string;
  /** The citations that were not sent yet. */
  citations: JsonObject[];
  /** Events to send before it stops. */
  signature: string | undefined;
  /** For a tool call: detects the end of its arguments. */
  readonly json: JsonEnd;
}

const DELTAS = {
  text: (text: string) => ({ type: 'text_delta', text }),
  thinking: (thinking: string) => ({ type: 'thinking_delta', thinking }),
  tool: (partial_json: string) => ({ type: 'input_json_delta', partial_json }),
} as const;

/**
 * Writes the blocks of a message strictly one after another, as clients require, however their pieces are interleaved:
 * the first open block is streamed, others wait until it is complete.
 */
export class BlockWriter {
  /** The blocks in order of their indexes; those before `#first` have been stopped. */
  readonly #queue: Block[] = [];
  readonly #place: number;
  #first = 0;
  readonly #calls = new Map<number, Block>();
  #lastCall: Block | undefined;
  /** Whether the first open block has been started. */
  #open = false;
  #out: (string | LongEvent)[] = [];

  /** @param textAt the index of a text whose beginning the client has; omitted if it has nothing yet */
  constructor(textAt?: number) {
    this.#place = textAt ?? 0;
    if (textAt === undefined) return;
    this.#add('text', textBlock(''));
    this.#open = true;
  }

  text(piece: string): void {
    this.#grow('text', textBlock(''), piece);
  }

  thinking(piece: string): void {
    this.#grow('thinking', { type: 'thinking', thinking: '', signature: '' }, piece);
  }

  /** The signature of the preceding thinking, or a whole block that was not streamed. */
  signed({ thinking, signature }: { thinking: string; signature: string }): void {
    const last = this.#last;
    const current = last?.kind === 'thinking' && last.signature === undefined ? last : undefined;
    const block = current ?? this.#add('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (!current) block.waiting = thinking;
    block.signature = signature;
    this.#advance();
  }

  /** Adds citations to the current text. @returns whether there is one */
  cite(citation: JsonObject): boolean {
    const last = this.#last;
    if (last?.kind !== 'text') return false;
    last.citations.push(citation);
    this.#advance();
    return true;
  }

  /** A tool run by the provider: its call is sent with its input as a delta, its result in one piece. */
  hosted(content: JsonObject): void {
    if (content.input === undefined) return this.whole(content);
    const block = this.#add('tool', { ...content, input: {} });
    block.waiting = JSON.stringify(content.input);
    block.json.push(block.waiting);
    this.#advance();
  }

  /** A block that is sent in one piece. */
  whole(content: JsonObject): void {
    this.#add('whole', content);
    this.#advance();
  }

  /**
   * A piece of a tool call. Some vendors omit the index or give every call the same one: a new id is a new call.
   * @param newId creates an id for a call without one
   */
  call(
    index: number | undefined,
    id: string | undefined,
    name: string,
    piece: string,
    newId: () => string,
  ): void {
    let block = index === undefined ? this.#lastCall : this.#calls.get(index);
    const other = id !== undefined && block !== undefined && block.content.id !== id;
    if (!block || other) {
      block = this.#add('tool', { type: 'tool_use', id: id ?? newId(), name: '', input: {}, caller: CALLER });
      if (index !== undefined) this.#calls.set(index, block);
      this.#lastCall = block;
    }
    if (block.content.name === '') block.content.name = name;
    block.waiting += piece;
    block.json.push(piece);
    this.#advance();
  }

  /** Ends the message: waiting blocks are sent as they are. */
  close(): void {
    for (;;) {
      const first = this.#queue[this.#first];
      if (!first) return;
      this.#send(first);
      this.#stop(first);
    }
  }

  /** The events since the last call. */
  take(): Events {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** The last block, if it is open. */
  get #last(): Block | undefined {
    return this.#queue.length > this.#first ? this.#queue.at(-1) : undefined;
  }

  #grow(kind: 'text' | 'thinking', content: JsonObject, piece: string): void {
    if (piece === '') return;
    const last = this.#last;
    const goesOn = last?.kind === kind && last.signature === undefined;
    (goesOn ? last : this.#add(kind, content)).waiting += piece;
    this.#advance();
  }

  #add(kind: Block['kind'], content: JsonObject): Block {
    const block: Block = {
      kind,
      content,
      waiting: '',
      citations: [],
      signature: undefined,
      json: new JsonEnd(),
    };
    this.#queue.push(block);
    return block;
  }

  #advance(): void {
    for (;;) {
      const first = this.#queue[this.#first];
      const second = this.#queue[this.#first + 1];
      // The name of a tool is part of its start event.
      if (!first || (first.kind === 'tool' && first.content.name === '')) return;
      this.#send(first);
      if (!second || (first.kind === 'tool' && !first.json.ended)) return;
      this.#stop(first);
    }
  }

  #send(block: Block): void {
    if (!this.#open) {
      this.#open = true;
      this.#event({ type: 'content_block_start', index: this.#index, content_block: block.content });
    }
    if (block.kind === 'whole') return;
    if (block.waiting !== '') this.#delta(DELTAS[block.kind](block.waiting));
    block.waiting = '';
    for (const citation of block.citations) this.#delta({ type: 'citations_delta', citation });
    block.citations = [];
  }

  #stop(block: Block): void {
    if (block.signature !== undefined) this.#delta({ type: 'signature_delta', signature: block.signature });
    this.#event({ type: 'content_block_stop', index: this.#index });
    this.#open = false;
    this.#first += 1;
  }

  #delta(delta: JsonObject): void {
    this.#event({ type: 'content_block_delta', index: this.#index, delta });
  }

  get #index(): number {
    return this.#place + this.#first;
  }

  #event(event: JsonObject & { type: string }): void {
    this.#out.push(messageEvent(event));
  }
}

/** A stream event. */
export function messageEvent(event: JsonObject & { type: string }): string | LongEvent {
  return eventOf(event.type, event);
}
