import type { JsonObject } from '../json.ts';
import type { ProxyError } from '../../errors.ts';
import type { Assembler } from '../assembler.ts';
import type { Begun } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { finishReason } from '../endings.ts';
import { areBroken, entryOf, listOf, numberOf, objectOf, parseJson, stringOf } from '../json.ts';
import { earlyBlocks } from './early-blocks.ts';
import { messagesErrorEvent } from './client-error.ts';
import { anthropicUsage } from './usage.ts';
import { reportedSoFar } from '../usage.ts';

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_BLOCKS = 1_024;

/** The type of a block whose start event was missing, by the type of its first delta. */
const BEGUN_BY: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'thinking',
  input_json_delta: 'tool_use',
};

interface Block {
  readonly content: JsonObject;
  /** The pieces of `input`. */
  json: string;
  stopped: boolean;
}

/**
 * For the events of /v1/messages from any server: blocks may start before others stop, stop late or never, and lack
 * fields in their start event.
 */
export function messageAssembler(): Assembler {
  return new MessageFolding();
}

class MessageFolding implements Assembler {
  readonly #blocks = new Map<number, Block>();
  #message: JsonObject = {};
  #usage: JsonObject | undefined;
  /** The number of message_start events. */
  #starts = 0;
  content = false;

  push(event: JsonObject): void {
    switch (event.type) {
      case 'message_start':
        return this.#start(objectOf(event.message));
      case 'content_block_start':
        return this.#open(numberOf(event.index) ?? 0, objectOf(event.content_block));
      case 'content_block_delta':
        return this.#grow(numberOf(event.index) ?? 0, objectOf(event.delta));
      case 'content_block_stop':
        return this.#stop(numberOf(event.index) ?? 0);
      case 'message_delta':
        this.#end(objectOf(event.delta));
        return this.count(event);
      default:
    }
  }

  count({ usage }: JsonObject): void {
    this.#usage = reportedSoFar(this.#usage, usage);
  }

  get finish(): string | null {
    return finishReason('messages', this.#message.stop_reason);
  }

  get called(): boolean {
    return [...this.#blocks.values()].some(({ content }) => content.type === 'tool_use');
  }

  get brokenCall(): boolean {
    return [...this.#blocks.values()].some(({ json }) => areBroken(json));
  }

  get seen(): number {
    return 1;
  }

  get finished(): boolean {
    return this.finish !== null;
  }

  get usage(): Usage | undefined {
    return anthropicUsage(this.#usage);
  }

  result(): JsonObject {
    const ordered = [...this.#blocks].sort(([a], [b]) => a - b);
    const { stop_reason = null, stop_sequence = null, ...rest } = this.#message;
    return {
      ...rest,
      content: ordered.map(([, block]) => shown(block)),
      stop_reason,
      stop_sequence,
      usage: this.#usage,
    };
  }

  /** Signed blocks are specific to their model; unsigned reasoning may precede the text. */
  begun(): Begun | undefined {
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b);
    const last = blocks.pop();
    if (!last || this.#starts !== 1 || this.finish !== null) return undefined;
    const [place, { content, stopped }] = last;
    const text = content.type === 'text' && !stopped ? stringOf(content.text) : undefined;
    const bound = listOf(content.citations).length > 0 || !blocks.every(([, block]) => isUnsigned(block));
    return text && !bound ? { text, place } : undefined;
  }

  fail(error: ProxyError, requestId: string): string {
    return messagesErrorEvent(error, requestId);
  }

  fresh(): Assembler {
    const rest = new MessageFolding();
    // Input tokens are only reported at the start.
    rest.#usage = this.#usage;
    return rest;
  }

  /** A server that sends another message_start has discarded what it sent before. */
  #start(message: JsonObject): void {
    this.#starts += 1;
    this.#message = { ...message };
    this.#blocks.clear();
    this.count(message);
    for (const event of earlyBlocks(message)) this.push(event);
  }

  #open(index: number, content: JsonObject): void {
    const block = this.#block(index, content);
    if (!block) return;
    const quiet = content.type === 'text' || content.type === 'thinking';
    this.content ||= !quiet || Boolean(content.text) || Boolean(content.thinking);
  }

  #grow(index: number, delta: JsonObject): void {
    const type = entryOf(BEGUN_BY, delta.type);
    const block = this.#blocks.get(index) ?? (type === undefined ? undefined : this.#block(index, { type }));
    if (!block) return;
    const { content } = block;
    if (delta.type === 'input_json_delta') block.json += stringOf(delta.partial_json) ?? '';
    else if (delta.type === 'citations_delta') {
      if (!Array.isArray(content.citations)) content.citations = [];
      (content.citations as unknown[]).push(delta.citation);
    } else {
      for (const [key, value] of Object.entries(delta)) {
        if (key === 'type' || typeof value !== 'string') continue;
        content[key] = (stringOf(content[key]) ?? '') + value;
        this.content ||= value !== '' && key !== 'signature';
      }
    }
    this.content ||= delta.type === 'input_json_delta';
  }

  #stop(index: number): void {
    const block = this.#blocks.get(index);
    if (block) block.stopped = true;
  }

  /** If a server repeats the stop reason, the repetition may be empty. */
  #end({ stop_reason, ...delta }: JsonObject): void {
    Object.assign(this.#message, delta);
    if (finishReason('messages', stop_reason) !== null) this.#message.stop_reason = stop_reason;
  }

  #block(index: number, content: JsonObject): Block | undefined {
    if (this.#blocks.size >= MAX_BLOCKS) return undefined;
    const block = { content: { ...content }, json: '', stopped: false };
    this.#blocks.set(index, block);
    return block;
  }
}

function isUnsigned({ content }: Block): boolean {
  return content.type === 'thinking' && !content.signature;
}

/** Truncated input is kept as the text received. */
function shown({ content, json }: Block): JsonObject {
  if (json === '') return content.type === 'tool_use' ? { ...content, input: content.input ?? {} } : content;
  const input = parseJson(json);
  return input === undefined ? { ...content, input: {}, partial_json: json } : { ...content, input };
}
