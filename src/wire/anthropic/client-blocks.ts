import type { JsonObject } from '../json.ts';
import { JsonEnd } from '../json-end.ts';
import { textBlock } from './client-response.ts';
import { CALLER } from './hosted.ts';

/** A block on its way to the client. */
interface Block {
  readonly kind: 'text' | 'thinking' | 'tool' | 'whole';
  /** What it begins with. */
  readonly content: JsonObject;
  /** What was not sent yet. */
  waiting: string;
  /** Where its text comes from, as far as that was not sent yet. */
  citations: JsonObject[];
  /** What is sent before it closes. */
  signature: string | undefined;
  /** Of a tool's arguments: whether they are complete. */
  readonly json: JsonEnd;
}

const DELTAS = {
  text: (text: string) => ({ type: 'text_delta', text }),
  thinking: (thinking: string) => ({ type: 'thinking_delta', thinking }),
  tool: (partial_json: string) => ({ type: 'input_json_delta', partial_json }),
} as const;

/**
 * Writes the blocks of a message strictly one behind another, as clients demand, however their pieces are mixed:
 * the first open one goes out as it comes, others wait until it is complete.
 */
export class BlockWriter {
  /** Blocks in their order, from the place of the first; those before `#first` are closed. */
  readonly #queue: Block[] = [];
  readonly #place: number;
  #first = 0;
  readonly #calls = new Map<number, Block>();
  #lastCall: Block | undefined;
  /** Whether the first that is not closed has begun. */
  #open = false;
  #out = '';

  /** @param textAt place of a text that the client has the beginning of; left out where it has nothing yet */
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

  /** The signature of the thinking that was just said, or a block of it that was not said piece by piece. */
  signed({ thinking, signature }: { thinking: string; signature: string }): void {
    const last = this.#last;
    const said = last?.kind === 'thinking' && last.signature === undefined ? last : undefined;
    const block = said ?? this.#add('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (!said) block.waiting = thinking;
    block.signature = signature;
    this.#advance();
  }

  /** Says where the text in progress comes from. @returns whether there is one */
  cite(citation: JsonObject): boolean {
    const last = this.#last;
    if (last?.kind !== 'text') return false;
    last.citations.push(citation);
    this.#advance();
    return true;
  }

  /** A tool that the provider ran: its call has its input behind its beginning, its result comes in one piece. */
  hosted(content: JsonObject): void {
    if (content.input === undefined) return this.whole(content);
    const block = this.#add('tool', { ...content, input: {} });
    block.waiting = JSON.stringify(content.input);
    block.json.push(block.waiting);
    this.#advance();
  }

  /** A block that comes in one piece. */
  whole(content: JsonObject): void {
    this.#add('whole', content);
    this.#advance();
  }

  /**
   * A piece of a tool call. Some vendors leave the index out or give every call the same one: a new id is a new call.
   * @param newId names a call that has no id of its own
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

  /** Nothing more comes: what waits goes out as it is. */
  close(): void {
    for (;;) {
      const first = this.#queue[this.#first];
      if (!first) return;
      this.#send(first);
      this.#stop(first);
    }
  }

  /** The events since the last call. */
  take(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }

  /** The last block, unless it is closed. */
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
      // A tool must have its name before it begins.
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
    this.#out += messageEvent(event);
  }
}

/** An event of a message's stream as text. */
export function messageEvent(event: JsonObject & { type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
