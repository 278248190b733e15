import type { ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { argumentsObject, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { isImproper } from '../endings.ts';
import { openaiUsage } from '../usage.ts';
import type { HostedCallPart, HostedResultPart, Part } from '../parts/part.ts';
import { Lost } from '../parts/lost.ts';
import { partsOf } from '../parts/message.ts';
import { encodeCitation } from './citations.ts';
import { thinkingBlocks } from './client-thinking.ts';
import { CALLER, encodeHosted } from './hosted.ts';

/** The properties of a request that are needed to encode its answer. */
export interface AnswerOptions {
  /** The client's name of the model, for answers that contain none. */
  readonly model: string;
  /** The stop sequences of the request. */
  readonly stops: readonly string[];
  readonly newId: () => string;
}

/**
 * Encodes a chat answer as a message. Incomplete answers are accepted.
 * @see https://docs.anthropic.com/en/api/messages
 */
export function encodeMessage(answer: ChatResponse, options: AnswerOptions, lost = new Lost()): JsonObject {
  const choices = listOf(answer.choices).map(objectOf);
  const choice = choices[0] ?? {};
  lost.add('choice', choices.length - 1);
  if (isObject(choice.logprobs)) lost.add('logprobs');
  const parts = partsOf(objectOf(choice.message) as unknown as ChatMessage);
  const all = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return {
    ...messageHead(answer, options),
    content: joined(parts.flatMap((part) => blocksOf(part, all, options, lost))),
    ...stopFields(choice.finish_reason, {
      calls: parts.some(({ type }) => type === 'call'),
      refused: parts.some(({ type }) => type === 'refusal'),
      sequence: stopSequence(choice, options),
    }),
    usage: encodeUsage(openaiUsage(answer.usage)),
  };
}

/** Consecutive texts form one block, as they do in a stream. */
function joined(blocks: readonly JsonObject[]): JsonObject[] {
  const joint: JsonObject[] = [];
  for (const block of blocks) {
    const last = joint.at(-1);
    if (block.type !== 'text' || last?.type !== 'text') joint.push(block);
    else {
      const citations = [...listOf(last.citations), ...listOf(block.citations)];
      joint.splice(-1, 1, textBlock(String(last.text) + String(block.text), citations));
    }
  }
  return joint;
}

/** @param all the whole text of the answer, which annotations refer to */
function blocksOf(part: Part, all: string, options: AnswerOptions, lost: Lost): JsonObject[] {
  switch (part.type) {
    case 'text': {
      const citations = (part.annotations ?? []).map((note) => encodeCitation(note, all));
      if (part.text !== '') return [textBlock(part.text, citations)];
      lost.add('citation', citations.length);
      return [];
    }
    case 'thinking':
      return thinkingBlocks(part);
    case 'refusal':
      return [textBlock(part.text)];
    case 'call':
      return [toolUse(part.call, options)];
    case 'audio':
      lost.add('audio');
      return part.transcript === '' ? [] : [textBlock(part.transcript)];
    case 'hosted_call':
    case 'hosted_result':
      return hostedBlocks(part, lost);
    default:
      lost.add(part.type);
      return [];
  }
}

/**
 * Without citations the list is empty, as where the API begins a block: the published schema requires the field, and some
 * clients reject its `null`.
 */
export function textBlock(text: string, citations: readonly unknown[] = []): JsonObject {
  return { type: 'text', text, citations };
}

/** A tool without a counterpart at Anthropic is lost together with its result, and counted once. */
export function hostedBlocks(part: HostedCallPart | HostedResultPart, lost: Lost): JsonObject[] {
  const blocks = encodeHosted(part);
  if (blocks.length === 0 && part.type === 'hosted_call') lost.add('hosted_tool');
  return blocks;
}

/** The common fields of a message and of the start of its stream. */
export function messageHead(answer: { id?: unknown; model?: unknown }, options: AnswerOptions): JsonObject {
  const id = stringOf(answer.id) ?? '';
  return {
    id: id.startsWith('msg_') ? id : `msg_${options.newId()}`,
    type: 'message',
    role: 'assistant',
    model: stringOf(answer.model) || options.model,
    container: null,
    diagnostics: null,
  };
}

/** @param facts the content of the answer, which takes precedence: clients run tools only for `tool_use` */
export function stopFields(
  finish: unknown,
  facts: { calls: boolean; refused: boolean; sequence: string | undefined },
): JsonObject {
  const reason = stopReason(finish, facts);
  const details = { type: 'refusal', category: null, explanation: null };
  return {
    stop_reason: reason,
    stop_sequence: reason === 'stop_sequence' ? facts.sequence : null,
    stop_details: reason === 'refusal' ? details : null,
  };
}

function stopReason(
  finish: unknown,
  { calls, refused, sequence }: { calls: boolean; refused: boolean; sequence: string | undefined },
): string {
  if (isImproper(finish)) return finish;
  if (finish === 'length') return 'max_tokens';
  if (finish === 'content_filter' || refused) return 'refusal';
  if (calls) return 'tool_use';
  return sequence === undefined ? 'end_turn' : 'stop_sequence';
}

/** The stop sequence of a choice, which vLLM and our own decoders put beside the finish reason. */
export function stopSequence(choice: JsonObject, { stops }: AnswerOptions): string | undefined {
  const matched = stringOf(choice.stop_reason);
  return matched !== undefined && stops.includes(matched) ? matched : undefined;
}

/** Anthropic counts cached tokens separately. */
export function encodeUsage(usage: Usage | undefined): JsonObject {
  const { input, cached, cacheWrite, output, reasoning } = usage ?? NOTHING;
  return {
    input_tokens: Math.max(0, input - cached - cacheWrite),
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cached,
    // The cache duration is only reported by Anthropic's own models.
    cache_creation: null,
    output_tokens: output,
    output_tokens_details: { thinking_tokens: reasoning },
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
  };
}

const NOTHING: Usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };

/** The text of a message or a delta; some vendors send it in parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}

/** Truncated arguments, as the stop reason then says, cannot be parsed. */
function toolUse({ id, function: fn }: ToolCall, { newId }: AnswerOptions): JsonObject {
  const { name, arguments: text } = objectOf(fn);
  const input = typeof text === 'string' ? argumentsObject(text) : text;
  return {
    type: 'tool_use',
    id: stringOf(id) || `toolu_${newId()}`,
    name: stringOf(name) ?? '',
    input: objectOf(input),
    caller: CALLER,
  };
}
