import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import type { ReadOptions } from './response.ts';
import { endingOf, fails, finishReason } from '../endings.ts';
import { entryOf, isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../json.ts';
import { readEvent } from '../shapes/events.ts';
import { reportedSoFar } from '../usage.ts';
import { earlyBlocks } from './early-blocks.ts';
import type { Part } from '../parts/part.ts';
import { decodeCitations } from './citations.ts';
import { decodeOther, isHostedCall } from './hosted.ts';
import { refusalIn, sealOf } from './parts.ts';
import { stoppedBy } from './response.ts';
import { anthropicUsage } from './usage.ts';
import type { ChunkNaming } from '../chunks.ts';
import { chunkOf, usageChunks } from '../chunks.ts';

interface Block {
  readonly kind: 'text' | 'thinking' | 'tool' | 'structured' | 'other';
  /** The index among the tool calls. */
  readonly call: number;
  /** Input given completely at the start, used if no deltas follow. */
  readonly whole: string;
  fragments: boolean;
  /** The thinking block as the client must send it back. */
  readonly thinking: JsonObject;
  /** A block of another type: as it started, with its input as text. */
  readonly content: JsonObject;
  input: string;
  readonly cited: unknown[];
  /** The position of its text, in characters of the whole text. */
  readonly from: number;
  closed: boolean;
}

const KINDS: Readonly<Record<string, Block['kind']>> = {
  text: 'text',
  thinking: 'thinking',
  redacted_thinking: 'thinking',
  tool_use: 'tool',
};

/**
 * Decodes Messages events to chat chunks. Unknown events are ignored. Blocks that are never stopped, or stopped late,
 * are accepted.
 * @see https://docs.anthropic.com/en/api/messages-streaming
 */
export class AnthropicReader implements ChatReader {
  readonly #options: ReadOptions;
  readonly #blocks = new Map<number, Block>();
  #id: string;
  #model = '';
  #begun = false;
  #calls = 0;
  /** The number of characters so far. */
  #length = 0;
  #refused = false;
  /** The latest stop reason, and its stop sequence. */
  #finish: string | undefined;
  #sequence: unknown;
  done = false;
  error: JsonObject | undefined;
  malformed = 0;
  #counted: JsonObject | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#id = `msg_${options.newId()}`;
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done) return [];
    const value = readEvent('messages', event, this);
    if (!value) return [];
    return this.#withBeginning(this.#read(value, event.event));
  }

  /** The chunks, preceded by the role if the start of the message was missing. */
  #withBeginning(chunks: ChatChunk[]): ChatChunk[] {
    return this.#begun || chunks.length === 0 ? chunks : [...this.#start({}), ...chunks];
  }

  count({ usage }: JsonObject): void {
    this.#counted = reportedSoFar(this.#counted, usage);
  }

  #read(value: JsonObject, name?: string): ChatChunk[] {
    switch (value.type ?? name) {
      case 'message_start':
        return this.#start(objectOf(value.message));
      case 'content_block_start':
        return this.#open(numberOf(value.index) ?? 0, objectOf(value.content_block));
      case 'content_block_delta':
        return this.#grow(this.#blocks.get(numberOf(value.index) ?? 0), objectOf(value.delta));
      case 'content_block_stop':
        return this.#close(this.#blocks.get(numberOf(value.index) ?? 0));
      case 'message_delta':
        this.#counted = reportedSoFar(this.#counted, value.usage);
        return this.#end(objectOf(value.delta));
      case 'message_stop':
        return this.#stop();
      default:
        return [];
    }
  }

  /** An answer with a stop reason is complete even without message_stop. */
  end(): ChatChunk[] {
    return this.finished ? this.#withBeginning(this.#stop()) : [];
  }

  get usage(): Usage | undefined {
    return anthropicUsage(this.#counted);
  }

  get finished(): boolean {
    return this.#finish !== undefined;
  }

  #start(message: JsonObject): ChatChunk[] {
    // Gateways were seen to insert a second message_start into a message.
    if (this.#begun) return [];
    this.#begun = true;
    this.#id = stringOf(message.id) || this.#id;
    this.#model = stringOf(message.model) ?? '';
    this.#counted = reportedSoFar(this.#counted, message.usage);
    const role = this.#chunk({ role: 'assistant', content: '' });
    return [role, ...earlyBlocks(message).flatMap((event) => this.#read(event))];
  }

  #open(index: number, content: JsonObject): ChatChunk[] {
    const structured = content.type === 'tool_use' && content.name === this.#options.structuredTool;
    const kind = structured ? 'structured' : (entryOf(KINDS, content.type) ?? 'other');
    const input = isObject(content.input) && Object.keys(content.input).length > 0 ? content.input : {};
    const block: Block = {
      kind,
      call: kind === 'tool' ? this.#calls++ : -1,
      whole: JSON.stringify(input),
      fragments: false,
      thinking: kind === 'thinking' ? { ...content } : {},
      content,
      input: '',
      cited: [],
      from: this.#length,
      closed: false,
    };
    this.#blocks.set(index, block);
    if (kind === 'tool') {
      const id = stringOf(content.id) || `toolu_${this.#options.newId()}`;
      const fn = { name: stringOf(content.name) ?? '', arguments: '' };
      return [this.#chunk({ tool_calls: [{ index: block.call, id, type: 'function', function: fn }] })];
    }
    if (kind === 'other' && !isHostedCall(content)) return this.#whole(decodeOther(content));
    const text = stringOf(content.text);
    return kind === 'text' && text
      ? [...this.#say(text), ...this.#cite(block, listOf(content.citations))]
      : [];
  }

  #say(text: string): ChatChunk[] {
    this.#length += text.length;
    return [this.#chunk({ content: text })];
  }

  /** Citations refer to the text of their block so far. */
  #cite(block: Block, citations: unknown[]): ChatChunk[] {
    const annotations = decodeCitations(citations, block.from, this.#length);
    return annotations.length > 0 ? [this.#chunk({ annotations })] : [];
  }

  #whole(parts: readonly Part[]): ChatChunk[] {
    return parts.length > 0 ? [this.#chunk({ parts })] : [];
  }

  #grow(block: Block | undefined, delta: JsonObject): ChatChunk[] {
    if (!block) return [];
    const text = stringOf(delta.text);
    if (delta.type === 'text_delta' && text) return this.#say(text);
    if (delta.type === 'citations_delta') block.cited.push(delta.citation);
    const thinking = stringOf(delta.thinking);
    if (delta.type === 'thinking_delta' && thinking) {
      block.thinking.thinking = (stringOf(block.thinking.thinking) ?? '') + thinking;
      return [this.#chunk({ reasoning_content: thinking })];
    }
    if (delta.type === 'signature_delta') block.thinking.signature = delta.signature;
    const json = stringOf(delta.partial_json);
    if (delta.type === 'input_json_delta' && json) {
      block.fragments = true;
      block.input += block.kind === 'other' ? json : '';
      return this.#arguments(block, json);
    }
    return [];
  }

  #arguments(block: Block, text: string): ChatChunk[] {
    if (block.kind === 'structured') return [this.#chunk({ content: text })];
    if (block.kind !== 'tool') return [];
    return [this.#chunk({ tool_calls: [{ index: block.call, function: { arguments: text } }] })];
  }

  #close(block: Block | undefined): ChatChunk[] {
    if (!block || block.closed) return [];
    block.closed = true;
    const isCall = block.kind === 'tool' || block.kind === 'structured';
    if (isCall && !block.fragments) return this.#arguments(block, block.whole);
    if (block.kind === 'text') return this.#cite(block, block.cited);
    if (block.kind === 'other' && isHostedCall(block.content)) {
      const input = parseJson(block.input) ?? block.content.input;
      return this.#whole(decodeOther({ ...block.content, input: objectOf(input) }));
    }
    const { seal } = sealOf(block.thinking);
    return block.kind === 'thinking' && seal ? [this.#chunk({ thinking_blocks: [seal] })] : [];
  }

  /** Handles the stop reason, which may be repeated. */
  #end(delta: JsonObject): ChatChunk[] {
    const { stop_reason: reason, stop_sequence: sequence } = delta;
    const finish = finishReason(
      'messages',
      reason,
      this.#options.structuredTool !== undefined && 'structured',
    );
    if (finish === null) return [];
    if (fails(endingOf('messages', reason))) return [chunkOf(this.#naming, {}, { finish })];
    this.#finish = finish;
    this.#sequence = sequence;
    const refusal = refusalIn(delta);
    if (refusal === '' || this.#refused) return [];
    this.#refused = true;
    return [this.#chunk({ refusal })];
  }

  #stop(): ChatChunk[] {
    if (this.done) return [];
    this.done = true;
    const late = [...this.#blocks.values()].flatMap((block) => this.#close(block));
    const finish = this.#calls > 0 && this.#finish === 'stop' ? 'tool_calls' : this.#finish;
    const more = stoppedBy(this.#sequence);
    const last = finish === undefined ? [] : [chunkOf(this.#naming, {}, { finish, more })];
    return [...late, ...last, ...usageChunks(this.#naming, this.usage)];
  }

  #chunk(delta: ChatDelta): ChatChunk {
    return chunkOf(this.#naming, delta);
  }

  get #naming(): ChunkNaming {
    return { id: this.#id, created: this.#options.created, model: this.#model };
  }
}
