import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { readEvent } from '../shapes/events.ts';
import type { ChatReader } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import type { ReadOptions } from './response.ts';
import { endingOf, fails, finishReason } from '../endings.ts';
import { isObject, numberOf, objectOf, parseJson, stringOf } from '../json.ts';
import { exceptionBody } from './exceptions.ts';
import type { Part } from '../parts/part.ts';
import { decodeCitations } from './citations.ts';
import { hostedName, hostedResult, imageOf, runsItself, thinkingSeal } from './parts.ts';
import { converseUsage } from './response.ts';
import type { ChunkNaming } from '../chunks.ts';
import { chunkOf, usageChunks } from '../chunks.ts';

/** A block in progress. */
interface Block {
  readonly kind: 'words' | 'tool' | 'structured' | 'hosted' | 'result' | 'image';
  /** The index among the tool calls. */
  readonly call: number;
  fragments: boolean;
  reasoning: string;
  signature: string;
  redacted: string;
  /** For blocks that are emitted in one piece: the start event, and the deltas since. */
  readonly start: JsonObject;
  input: string;
  readonly given: unknown[];
  /** The position of its text, in characters of the whole text, and its citations. */
  readonly from: number;
  readonly cited: unknown[];
}

/**
 * Decodes ConverseStream's events to chat chunks. Unknown events are ignored. Only tool calls have a start event;
 * blocks that are never stopped are accepted.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
export class ConverseReader implements ChatReader {
  readonly #options: ReadOptions;
  readonly #id: string;
  readonly #blocks = new Map<number, Block>();
  /** The names of hosted tools, by the ids of their calls. */
  readonly #hosted = new Map<string, string>();
  #begun = false;
  #calls = 0;
  /** The number of characters so far. */
  #length = 0;
  #structured = false;
  /** The stop reason, as received. */
  #reason: unknown;
  done = false;
  error: JsonObject | undefined;
  malformed = 0;
  usage: Usage | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#id = `chatcmpl-${options.newId()}`;
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done) return [];
    const exception = exceptionBody(event);
    if (exception) {
      this.error = exception;
      return [];
    }
    const value = readEvent('converse', event, this);
    if (!value) return [];
    const index = numberOf(value.contentBlockIndex) ?? 0;
    switch (event.event) {
      case 'messageStart':
        return this.#say();
      case 'contentBlockStart':
        return this.#open(index, objectOf(value.start));
      case 'contentBlockDelta':
        return this.#grow(index, objectOf(value.delta));
      case 'contentBlockStop':
        return this.#close(index);
      case 'messageStop':
        return this.#end(value.stopReason);
      case 'metadata':
        this.usage = converseUsage(value) ?? this.usage;
        return this.finished ? this.end() : [];
      default:
        return [];
    }
  }

  /** The usage is the last event; an answer with a stop reason is complete even without it. */
  end(): ChatChunk[] {
    if (this.done || !this.finished) return [];
    this.done = true;
    const late = [...this.#blocks.keys()].flatMap((index) => this.#close(index));
    const finish = finishReason(
      'converse',
      this.#reason,
      this.#structured && this.#calls === 0 && 'structured',
    );
    const called = this.#calls > 0 && finish === 'stop';
    return [
      ...late,
      ...this.#say({}, called ? 'tool_calls' : finish),
      ...usageChunks(this.#naming, this.usage),
    ];
  }

  get finished(): boolean {
    return this.#reason !== undefined;
  }

  #open(index: number, { toolUse, toolResult, image }: JsonObject): ChatChunk[] {
    const before = this.#close(index);
    if (isObject(toolResult)) this.#add(index, 'result', toolResult);
    else if (isObject(image)) this.#add(index, 'image', image);
    else if (!isObject(toolUse)) this.#add(index, 'words');
    else if (runsItself(toolUse)) this.#add(index, 'hosted', toolUse);
    else return [...before, ...this.#openCall(index, toolUse)];
    return before;
  }

  #openCall(index: number, toolUse: JsonObject): ChatChunk[] {
    const name = stringOf(toolUse.name) ?? '';
    if (this.#options.structuredTool !== undefined && name === this.#options.structuredTool) {
      this.#structured = true;
      this.#add(index, 'structured');
      return [];
    }
    const { call } = this.#add(index, 'tool');
    const id = stringOf(toolUse.toolUseId) || `call_${this.#options.newId()}`;
    const fn = { name, arguments: '' };
    return this.#say({ tool_calls: [{ index: call, id, type: 'function', function: fn }] });
  }

  #add(index: number, kind: Block['kind'], start: JsonObject = {}): Block {
    const call = kind === 'tool' ? this.#calls++ : -1;
    const unsent = { fragments: false, reasoning: '', signature: '', redacted: '', input: '' };
    const block: Block = { kind, call, ...unsent, start, given: [], from: this.#length, cited: [] };
    this.#blocks.set(index, block);
    return block;
  }

  #grow(index: number, delta: JsonObject): ChatChunk[] {
    const block = this.#blocks.get(index) ?? this.#add(index, 'words');
    const text = stringOf(delta.text);
    if (text) {
      this.#length += text.length;
      return this.#say({ content: text });
    }
    if (isObject(delta.citation)) block.cited.push(delta.citation);
    if (Array.isArray(delta.toolResult)) block.given.push(...(delta.toolResult as unknown[]));
    if (isObject(delta.image)) block.input += stringOf(objectOf(delta.image.source).bytes) ?? '';
    if (isObject(delta.reasoningContent)) return this.#think(block, delta.reasoningContent);
    const fragment = stringOf(objectOf(delta.toolUse).input);
    if (!fragment) return [];
    block.fragments = true;
    if (block.kind === 'hosted') block.input += fragment;
    return this.#arguments(block, fragment);
  }

  #think(block: Block, { text, signature, redactedContent }: JsonObject): ChatChunk[] {
    block.signature += stringOf(signature) ?? '';
    block.redacted += stringOf(redactedContent) ?? '';
    const words = stringOf(text) ?? '';
    block.reasoning += words;
    return words === '' ? [] : this.#say({ reasoning_content: words });
  }

  #arguments(block: Block, text: string): ChatChunk[] {
    if (block.kind === 'structured') return this.#say({ content: text });
    if (block.kind !== 'tool') return [];
    return this.#say({ tool_calls: [{ index: block.call, function: { arguments: text } }] });
  }

  #close(index: number): ChatChunk[] {
    const block = this.#blocks.get(index);
    if (!block) return [];
    this.#blocks.delete(index);
    // A call without arguments has no delta, or an empty one.
    if (!block.fragments && (block.kind === 'tool' || block.kind === 'structured')) {
      return this.#arguments(block, '{}');
    }
    const whole = this.#whole(block);
    if (whole) return this.#say({ parts: [whole] });
    const annotations = decodeCitations(block.cited, block.from, this.#length);
    if (annotations.length > 0) return this.#say({ annotations });
    const { reasoning: text, signature, redacted: redactedContent } = block;
    const seal = thinkingSeal({ reasoningText: { text, signature }, redactedContent });
    return seal ? this.#say({ thinking_blocks: [seal] }) : [];
  }

  /** Emits a block that is sent in one piece: a hosted tool's call, its result, an image. */
  #whole({ kind, start, input, given }: Block): Part | undefined {
    if (kind === 'image') return imageOf({ ...start, source: { bytes: input } });
    if (kind === 'result') return hostedResult({ content: given, ...start }, this.#hosted);
    if (kind !== 'hosted') return undefined;
    const id = stringOf(start.toolUseId) ?? '';
    const name = hostedName(stringOf(start.name) ?? '');
    this.#hosted.set(id, name);
    return { type: 'hosted_call', id, name, input: isObject(parseJson(input)) ? input : '{}' };
  }

  /** Handles the stop reason: only the usage may follow. */
  #end(reason: unknown): ChatChunk[] {
    const ending = endingOf('converse', reason);
    if (fails(ending)) return this.#say({}, ending.finish);
    if (ending) this.#reason = reason;
    return ending && this.usage ? this.end() : [];
  }

  /** Begins with the role, whatever comes first. */
  #say(delta?: ChatDelta, finish: string | null = null): ChatChunk[] {
    const role = this.#begun ? [] : [chunkOf(this.#naming, { role: 'assistant', content: '' })];
    this.#begun = true;
    return delta ? [...role, chunkOf(this.#naming, delta, { finish })] : role;
  }

  get #naming(): ChunkNaming {
    const { created, model } = this.#options;
    return { id: this.#id, created, model };
  }
}
