import type { ChatChunk, ChatDelta } from './chat.ts';
import type { ReadOptions } from './anthropic-response.ts';
import type { JsonObject } from './json.ts';
import type { SseEvent } from './sse.ts';
import type { Usage } from './usage.ts';
import { anthropicUsage, finishReason } from './anthropic-response.ts';
import { isObject, numberOf, objectOf, parseJson, stringOf } from './json.ts';
import { encodeOpenaiUsage } from './usage.ts';

interface Block {
  readonly kind: 'text' | 'thinking' | 'tool' | 'structured' | 'other';
  /** Place among the tool calls. */
  readonly call: number;
  /** Input given whole at the start, used when no fragments follow. */
  readonly whole: string;
  fragments: boolean;
  /** The thinking block as the client must replay it. */
  readonly thinking: JsonObject;
  closed: boolean;
}

export interface AnthropicStreamOptions extends ReadOptions {
  /** Whether the client asked for the chunk with usage. */
  readonly includeUsage: boolean;
}

/** Where a stream stands. `step` moves it on. */
export interface AnthropicStream {
  readonly options: AnthropicStreamOptions;
  id: string;
  model: string;
  calls: number;
  readonly blocks: Map<number, Block>;
  usage: Usage | undefined;
  finish: string | undefined;
  /** message_stop arrived. */
  finished: boolean;
  /** An error event: a Messages error body. */
  error: JsonObject | undefined;
  malformed: number;
}

export function anthropicStream(options: AnthropicStreamOptions): AnthropicStream {
  return {
    options,
    id: '',
    model: '',
    calls: 0,
    blocks: new Map(),
    usage: undefined,
    finish: undefined,
    finished: false,
    error: undefined,
    malformed: 0,
  };
}

/**
 * Takes one event of a Messages stream and gives the chat chunks it means. Unknown events mean none.
 * Blocks that are never closed, or closed late, are taken as they come.
 */
export function step(stream: AnthropicStream, event: SseEvent): ChatChunk[] {
  const value = parseJson(event.data);
  if (!isObject(value)) {
    stream.malformed += 1;
    return [];
  }
  switch (value.type ?? event.event) {
    case 'message_start':
      return start(stream, objectOf(value.message));
    case 'content_block_start':
      return open(stream, numberOf(value.index) ?? 0, objectOf(value.content_block));
    case 'content_block_delta':
      return grow(stream, stream.blocks.get(numberOf(value.index) ?? 0), objectOf(value.delta));
    case 'content_block_stop':
      return close(stream, stream.blocks.get(numberOf(value.index) ?? 0));
    case 'message_delta':
      stream.usage = anthropicUsage(value.usage, stream.usage);
      return finish(stream, stringOf(objectOf(value.delta).stop_reason));
    case 'message_stop':
      return stop(stream);
    case 'error':
      stream.error = value;
      return [];
    default:
      return [];
  }
}

function start(stream: AnthropicStream, message: JsonObject): ChatChunk[] {
  stream.id = stringOf(message.id) ?? '';
  stream.model = stringOf(message.model) ?? '';
  stream.usage = anthropicUsage(message.usage);
  return [chunk(stream, { role: 'assistant', content: '' })];
}

function open(stream: AnthropicStream, index: number, content: JsonObject): ChatChunk[] {
  const structured = content.type === 'tool_use' && content.name === stream.options.structuredTool;
  const kind = structured ? 'structured' : (KINDS[String(content.type)] ?? 'other');
  const input = isObject(content.input) && Object.keys(content.input).length > 0 ? content.input : {};
  const block: Block = {
    kind,
    call: kind === 'tool' ? stream.calls++ : -1,
    whole: JSON.stringify(input),
    fragments: false,
    thinking: kind === 'thinking' ? { ...content } : {},
    closed: false,
  };
  stream.blocks.set(index, block);
  if (kind === 'tool') {
    const fn = { name: String(content.name), arguments: '' };
    return [
      chunk(stream, {
        tool_calls: [{ index: block.call, id: String(content.id), type: 'function', function: fn }],
      }),
    ];
  }
  const text = stringOf(content.text);
  return kind === 'text' && text ? [chunk(stream, { content: text })] : [];
}

const KINDS: Readonly<Record<string, Block['kind']>> = {
  text: 'text',
  thinking: 'thinking',
  redacted_thinking: 'thinking',
  tool_use: 'tool',
};

function grow(stream: AnthropicStream, block: Block | undefined, delta: JsonObject): ChatChunk[] {
  if (!block) return [];
  if (delta.type === 'text_delta' && delta.text) return [chunk(stream, { content: String(delta.text) })];
  if (delta.type === 'thinking_delta' && delta.thinking) {
    block.thinking.thinking = (stringOf(block.thinking.thinking) ?? '') + String(delta.thinking);
    return [chunk(stream, { reasoning_content: String(delta.thinking) })];
  }
  if (delta.type === 'signature_delta') block.thinking.signature = delta.signature;
  if (delta.type === 'input_json_delta' && delta.partial_json) {
    block.fragments = true;
    return argumentsOf(stream, block, String(delta.partial_json));
  }
  return [];
}

function argumentsOf(stream: AnthropicStream, block: Block, text: string): ChatChunk[] {
  if (block.kind === 'structured') return [chunk(stream, { content: text })];
  if (block.kind !== 'tool') return [];
  return [chunk(stream, { tool_calls: [{ index: block.call, function: { arguments: text } }] })];
}

function close(stream: AnthropicStream, block: Block | undefined): ChatChunk[] {
  if (!block || block.closed) return [];
  block.closed = true;
  const isCall = block.kind === 'tool' || block.kind === 'structured';
  if (isCall && !block.fragments) return argumentsOf(stream, block, block.whole);
  // A block without a signature cannot be replayed.
  const replayable = block.thinking.signature || block.thinking.type === 'redacted_thinking';
  return block.kind === 'thinking' && replayable
    ? [chunk(stream, { thinking_blocks: [block.thinking] })]
    : [];
}

/** The answer has its stop reason: all but the usage and the terminator is said. */
function finish(stream: AnthropicStream, reason: string | undefined): ChatChunk[] {
  if (reason === undefined || stream.finish !== undefined) return [];
  stream.finish = reason;
  const late = [...stream.blocks.values()].flatMap((block) => close(stream, block));
  const structured = stream.options.structuredTool !== undefined;
  return [...late, chunk(stream, {}, finishReason(reason, structured))];
}

/** The end of the stream, told by message_stop or, where that is missing, by the end of a finished answer. */
export function stop(stream: AnthropicStream): ChatChunk[] {
  if (stream.finished) return [];
  // Some leave the reason out; one that said nothing has not answered.
  const last = stream.blocks.size > 0 ? finish(stream, stream.finish ?? 'end_turn') : [];
  stream.finished = true;
  if (!stream.options.includeUsage || !stream.usage) return last;
  return [...last, { ...chunk(stream, {}), choices: [], usage: encodeOpenaiUsage(stream.usage) }];
}

function chunk(stream: AnthropicStream, delta: ChatDelta, finish: string | null = null): ChatChunk {
  return {
    id: stream.id,
    object: 'chat.completion.chunk',
    created: stream.options.created,
    model: stream.model,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(stream.options.includeUsage ? { usage: null } : {}),
  };
}
