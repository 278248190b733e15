import type { JsonObject } from '../json.ts';
import type { Assembler } from '../openai/assemble.ts';
import type { Usage } from '../usage.ts';
import { entryOf, isObject, numberOf, objectOf, parseShallow, stringOf } from '../json.ts';
import { anthropicUsage, finishReason } from './response.ts';

/** Indexes come from outside and must not make lists as long as they like. */
const MAX_BLOCKS = 1_024;

/** What a block is that begins with a delta of this type, where its own beginning was left out. */
const BEGUN_BY: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'thinking',
  input_json_delta: 'tool_use',
};

interface Block {
  readonly content: JsonObject;
  /** Pieces of `input`. */
  json: string;
}

/**
 * For the events of /v1/messages, as any server sends them: blocks may begin before others stop, stop late or
 * never, and lack what they ought to begin with.
 */
export function messageAssembler(): Assembler {
  return new MessageFolding();
}

class MessageFolding implements Assembler {
  readonly #blocks = new Map<number, Block>();
  #message: JsonObject = {};
  #usage: JsonObject | undefined;
  content = false;

  push(event: JsonObject): void {
    switch (event.type) {
      case 'message_start':
        return this.#start(objectOf(event.message));
      case 'content_block_start':
        return this.#open(numberOf(event.index) ?? 0, objectOf(event.content_block));
      case 'content_block_delta':
        return this.#grow(numberOf(event.index) ?? 0, objectOf(event.delta));
      case 'message_delta':
        Object.assign(this.#message, objectOf(event.delta));
        return this.#used(event.usage);
      default:
    }
  }

  get finish(): string | null {
    const reason = stringOf(this.#message.stop_reason);
    return reason === undefined ? null : finishReason(reason, false);
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

  /** Signed blocks belong to the model that made them, and clients take no second beginning. */
  plainText(): undefined {
    return undefined;
  }

  /** A server that begins again has thrown away what it said. */
  #start(message: JsonObject): void {
    this.#message = { ...message };
    this.#blocks.clear();
    this.#used(message.usage);
  }

  #used(usage: unknown): void {
    if (!isObject(usage)) return;
    const known = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.#usage = { ...this.#usage, ...Object.fromEntries(known) };
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

  #block(index: number, content: JsonObject): Block | undefined {
    if (this.#blocks.size >= MAX_BLOCKS) return undefined;
    const block = { content: { ...content }, json: '' };
    this.#blocks.set(index, block);
    return block;
  }
}

/** Input that was cut stays readable as it came. */
function shown({ content, json }: Block): JsonObject {
  if (json === '') return content.type === 'tool_use' ? { ...content, input: content.input ?? {} } : content;
  const input = parseShallow(json);
  return input === undefined ? { ...content, input: {}, partial_json: json } : { ...content, input };
}
