import type { ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';
import { isImproper } from '../endings.ts';
import { openaiUsage } from '../usage.ts';
import { thinkingOf } from './client-thinking.ts';

/** What of a request its answer is written with. */
export interface AnswerOptions {
  /** What the client called the model, for answers that name none. */
  readonly model: string;
  /** The sequences that may have stopped it. */
  readonly stops: readonly string[];
  readonly newId: () => string;
}

/**
 * A chat answer as a message. Reads what came, whatever it lacks.
 * @see https://docs.anthropic.com/en/api/messages
 */
export function encodeMessage(answer: ChatResponse, options: AnswerOptions): JsonObject {
  const choice = objectOf(listOf(answer.choices)[0]);
  const message = objectOf(choice.message) as unknown as ChatMessage;
  const refusal = stringOf(message.refusal) ?? '';
  const text = textOf(message.content) + refusal;
  const calls = listOf(message.tool_calls).filter(isObject) as unknown as ToolCall[];
  return {
    ...messageHead(answer, options),
    content: [
      ...thinkingOf(message),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map((call) => toolUse(call, options)),
    ],
    ...stopFields(choice.finish_reason, {
      calls: calls.length > 0,
      refused: refusal !== '',
      sequence: stopSequence(choice, options),
    }),
    usage: encodeUsage(openaiUsage(answer.usage)),
  };
}

/** What a message and the beginning of its stream have in common. */
export function messageHead(answer: { id?: unknown; model?: unknown }, options: AnswerOptions): JsonObject {
  const id = stringOf(answer.id) ?? '';
  return {
    id: id.startsWith('msg_') ? id : `msg_${options.newId()}`,
    type: 'message',
    role: 'assistant',
    model: stringOf(answer.model) || options.model,
  };
}

/** @param said what the answer holds, whatever its reason says: clients run tools only for `tool_use` */
export function stopFields(
  finish: unknown,
  said: { calls: boolean; refused: boolean; sequence: string | undefined },
): JsonObject {
  const reason = stopReason(finish, said);
  const details = { type: 'refusal', category: null, explanation: null };
  return {
    stop_reason: reason,
    stop_sequence: reason === 'stop_sequence' ? said.sequence : null,
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

/** The sequence that stopped a choice, which vLLM and our own readers tell beside its reason. */
export function stopSequence(choice: JsonObject, { stops }: AnswerOptions): string | undefined {
  const told = stringOf(choice.stop_reason);
  return told !== undefined && stops.includes(told) ? told : undefined;
}

/** Theirs counts what a cache gave or took apart. */
export function encodeUsage(usage: Usage | undefined): JsonObject {
  const { input, cached, cacheWrite, output, reasoning } = usage ?? NOTHING;
  return {
    input_tokens: Math.max(0, input - cached - cacheWrite),
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cached,
    output_tokens: output,
    ...(reasoning > 0 ? { output_tokens_details: { thinking_tokens: reasoning } } : {}),
  };
}

const NOTHING: Usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };

/** Text of a message or a delta; some vendors give it in parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}

/** Arguments that were cut, as the stop reason then says, have nothing to be read from. */
function toolUse({ id, function: fn }: ToolCall, { newId }: AnswerOptions): JsonObject {
  const { name, arguments: text } = objectOf(fn);
  const input = typeof text === 'string' ? parseJson(text) : text;
  return {
    type: 'tool_use',
    id: stringOf(id) || `toolu_${newId()}`,
    name: stringOf(name) ?? '',
    input: objectOf(input),
  };
}
