import type { ChatChunk, ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { finishReason } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { argumentsText } from '../json-written.ts';
import type { Annotation, Part } from '../parts/part.ts';
import { imagePart, answerOf, readAnnotation } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { readContent, readMessage, reasoningOf, sourcesBeside } from './answer-parts.ts';
import { tiersOf } from '../reported-tiers.ts';
import { ExecutedTools } from '../reported-tools.ts';
import { encodeOpenaiUsage, openaiUsage, withTiers, withUnits } from '../usage.ts';
import { sumOf, tokenCount } from '../units.ts';

type Context = Pick<EncodeContext, 'created' | 'newId' | 'quirks'>;

/** Decodes a whole answer of an OpenAI chat server. @throws ProxyError `malformed` */
export function decodeChatResponse(body: JsonObject, context: Context): ChatResponse {
  const choices = listOf(body.choices).filter(isObject);
  if (choices.length === 0) throw new ProxyError('malformed', 'Cannot read the answer: it has no choices');
  const usage = answerUsage(body, context.quirks);
  const beside = sourcesBeside(body);
  return {
    id: stringOf(body.id) || `chatcmpl-${context.newId()}`,
    object: 'chat.completion',
    created: countOf(body.created) ?? context.created,
    model: stringOf(body.model) ?? '',
    choices: choices.map((choice, at) => {
      const message = decodeMessage(objectOf(choice.message), at === 0 ? beside : [], context);
      const calls = (message.tool_calls?.length ?? 0) > 0;
      return {
        index: countOf(choice.index) ?? at,
        message,
        logprobs: isObject(choice.logprobs) ? choice.logprobs : null,
        finish_reason: finishReason('chat', choice.finish_reason, calls && 'tools'),
      };
    }),
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** Decodes one chunk of such a server's stream. */
export function decodeChunk(value: JsonObject, context: Context): ChatChunk {
  const usage = answerUsage(value, context.quirks);
  return {
    id: stringOf(value.id) ?? '',
    object: 'chat.completion.chunk',
    created: countOf(value.created) ?? context.created,
    model: stringOf(value.model) ?? '',
    choices: listOf(value.choices)
      .filter(isObject)
      .map((choice) => ({
        index: countOf(choice.index) ?? 0,
        delta: decodeDelta(objectOf(choice.delta)),
        logprobs: isObject(choice.logprobs) ? choice.logprobs : null,
        finish_reason: finishReason('chat', choice.finish_reason),
      })),
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** The usage in a body or chunk, with the service tier and the executed tools beside it. */
export function answerUsage(answer: JsonObject, quirks: Quirks): Usage | undefined {
  const usage = withTiers(vendorUsage(reportedUsage(answer), quirks), tiersOf(answer.service_tier));
  if (!usage) return undefined;
  const executed = new ExecutedTools();
  executed.add(answer);
  return withUnits(usage, executed.units);
}

/** The usage in a body or chunk: Groq's chunks have it in a field of their own. */
export function reportedUsage({ usage, x_groq: own }: JsonObject): unknown {
  return usage ?? objectOf(own).usage;
}

/** Usage as the vendor counts it, normalised. */
export function vendorUsage(value: unknown, quirks: Quirks): Usage | undefined {
  const usage = openaiUsage(value);
  if (!usage) return undefined;
  // Some report it separately from the total: Perplexity, Together, Mistral.
  const reasoning = usage.reasoning || (tokenCount(objectOf(value).reasoning_tokens) ?? 0);
  const isApart = quirks.outputWithoutReasoning || addsReasoning(value, usage, reasoning);
  const output = isApart ? sumOf(usage.output, reasoning) : usage.output;
  return reasoning === usage.reasoning && output === usage.output ? usage : { ...usage, reasoning, output };
}

/** Whether the reported total says that the output does not include reasoning, as behind gateways of such vendors. */
function addsReasoning(told: unknown, { input, output }: Usage, reasoning: number): boolean {
  return reasoning > 0 && objectOf(told).total_tokens === input + output + reasoning;
}

/** The later of two reports. Some servers end with one that is empty. */
export function laterUsage(before: Usage | undefined, after: Usage | undefined): Usage | undefined {
  const isEmpty = after === undefined || after.input + after.output === 0;
  return isEmpty ? (before ?? after) : after;
}

function decodeMessage(message: JsonObject, beside: readonly Annotation[], { newId }: Context): ChatMessage {
  const list = readMessage(message);
  list.annotate(beside);
  for (const call of listOf(message.tool_calls)) if (isObject(call)) list.call(decodeCall(call, newId));
  const { function_call: legacy } = message;
  if (isObject(legacy)) list.call(decodeCall({ function: legacy }, newId));
  return answerOf(list.parts, '');
}

function decodeCall(call: JsonObject, newId: () => string): ToolCall {
  const fn = objectOf(call.function);
  return {
    id: stringOf(call.id) || `call_${newId()}`,
    type: 'function',
    function: { name: stringOf(fn.name) ?? '', arguments: argumentsText(fn.arguments) || '{}' },
    ...(call.extra_content === undefined ? {} : { extra_content: call.extra_content }),
  };
}

/** Decodes a piece of a message; `reasoning_details` are kept as received, to be assembled. */
function decodeDelta(delta: JsonObject): ChatChunk['choices'][number]['delta'] {
  const { parts, text, thought } = piecesOf(delta.content);
  const reasoning = thought + reasoningOf(delta);
  const images = listOf(delta.images).flatMap(imagePart);
  const whole = [...parts, ...images];
  const annotations = listOf(delta.annotations).flatMap(readAnnotation);
  return {
    ...(typeof delta.role === 'string' && delta.role !== '' ? { role: 'assistant' } : {}),
    ...(text === '' ? {} : { content: text }),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(Array.isArray(delta.reasoning_details) ? { reasoning_details: delta.reasoning_details } : {}),
    ...(Array.isArray(delta.thinking_blocks) ? { thinking_blocks: delta.thinking_blocks } : {}),
    ...(stringOf(delta.refusal) ? { refusal: stringOf(delta.refusal)! } : {}),
    ...(annotations.length > 0 ? { annotations } : {}),
    ...(delta.extra_content === undefined ? {} : { extra_content: delta.extra_content }),
    ...(whole.length > 0 ? { parts: whole } : {}),
    ...(isObject(delta.audio) ? { audio: delta.audio } : {}),
    ...callsOf(delta),
  };
}

/** Tool calls; a deprecated function call has no index. */
function callsOf({ tool_calls: calls, function_call: legacy }: JsonObject): { tool_calls?: [] } {
  const list = Array.isArray(calls)
    ? calls.filter(isObject)
    : isObject(legacy)
      ? [{ index: 0, function: legacy }]
      : [];
  return list.length > 0 || Array.isArray(calls) ? { tool_calls: list as unknown as [] } : {};
}

/** Text, reasoning, and whole parts in a piece of content. */
function piecesOf(content: unknown): { parts: Part[]; text: string; thought: string } {
  if (typeof content === 'string') return { parts: [], text: content, thought: '' };
  const list = new PartList();
  readContent(content, list);
  let text = '';
  let thought = '';
  const parts = list.parts.filter((part) => {
    if (part.type === 'text') text += part.text;
    else if (part.type === 'thinking') thought += part.text;
    else return true;
    return false;
  });
  return { parts, text, thought };
}
