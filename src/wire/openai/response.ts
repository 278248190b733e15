import type { ChatChunk, ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { endingOf } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { encodeOpenaiUsage, openaiUsage, sumOf } from '../usage.ts';

type Context = Pick<EncodeContext, 'created' | 'newId' | 'quirks'>;

/** A whole answer of a server of OpenAI's chat, in the canonical form. @throws ProxyError `malformed` */
export function decodeChatResponse(body: JsonObject, context: Context): ChatResponse {
  const choices = listOf(body.choices).filter(isObject);
  if (choices.length === 0) throw new ProxyError('malformed', 'Cannot read the answer: it has no choices');
  const usage = vendorUsage(toldUsage(body), context.quirks);
  return {
    id: stringOf(body.id) || `chatcmpl-${context.newId()}`,
    object: 'chat.completion',
    created: countOf(body.created) ?? context.created,
    model: stringOf(body.model) ?? '',
    choices: choices.map((choice, at) => {
      const message = decodeMessage(objectOf(choice.message), context);
      const calls = (message.tool_calls?.length ?? 0) > 0;
      return {
        index: countOf(choice.index) ?? at,
        message,
        logprobs: isObject(choice.logprobs) ? choice.logprobs : null,
        finish_reason: finishReason(choice.finish_reason, calls) ?? null,
      };
    }),
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** One chunk of such a server's stream, or `undefined` when it says nothing. */
export function decodeChunk(value: JsonObject, context: Context): ChatChunk {
  const usage = vendorUsage(toldUsage(value), context.quirks);
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
        finish_reason: finishReason(choice.finish_reason, false) ?? null,
      })),
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** What a body, or a chunk, tells of the usage: Groq's chunks put it in a field of their own. */
export function toldUsage({ usage, x_groq: own }: JsonObject): unknown {
  return usage ?? objectOf(own).usage;
}

/** Usage as the vendor adds it up, normalised. */
export function vendorUsage(value: unknown, quirks: Quirks): Usage | undefined {
  const usage = openaiUsage(value);
  if (!usage) return undefined;
  // Told beside the count by some: Perplexity, Together, Mistral.
  const reasoning = usage.reasoning || (countOf(objectOf(value).reasoning_tokens) ?? 0);
  const output = quirks.outputWithoutReasoning ? sumOf(usage.output, reasoning) : usage.output;
  return { ...usage, reasoning, output };
}

function finishReason(value: unknown, calls: boolean): string | undefined {
  const finish = endingOf('chat', value)?.finish;
  // Some servers end a tool call with `stop`.
  return calls && finish === 'stop' ? 'tool_calls' : finish;
}

function decodeMessage(message: JsonObject, { newId }: Context): ChatMessage {
  const { text, reasoning } = partsOf(message.content);
  const thought = reasoning + reasoningOf(message);
  const calls = listOf(message.tool_calls)
    .filter(isObject)
    .map((call) => decodeCall(call, newId));
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: stringOf(message.refusal) ?? null,
    ...(thought === '' ? {} : { reasoning_content: thought }),
    ...(isObject(message.audio) ? { audio: message.audio } : {}),
    ...(Array.isArray(message.annotations) ? { annotations: message.annotations } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function decodeCall(call: JsonObject, newId: () => string): ToolCall {
  const fn = objectOf(call.function);
  return {
    id: stringOf(call.id) || `call_${newId()}`,
    type: 'function',
    function: { name: stringOf(fn.name) ?? '', arguments: argumentsOf(fn.arguments) || '{}' },
    ...(call.extra_content === undefined ? {} : { extra_content: call.extra_content }),
  };
}

/** Arguments as JSON text: Mistral may give them as an object. */
export function argumentsOf(value: unknown): string {
  return isObject(value) ? jsonTextOf(value) : (stringOf(value) ?? '');
}

function decodeDelta(delta: JsonObject): ChatChunk['choices'][number]['delta'] {
  const { text, reasoning } = partsOf(delta.content);
  const thought = reasoning + reasoningOf(delta);
  return {
    ...(typeof delta.role === 'string' && delta.role !== '' ? { role: 'assistant' } : {}),
    ...(text === '' ? {} : { content: text }),
    ...(thought === '' ? {} : { reasoning_content: thought }),
    ...(stringOf(delta.refusal) ? { refusal: stringOf(delta.refusal)! } : {}),
    ...(isObject(delta.audio) ? { audio: delta.audio } : {}),
    ...(Array.isArray(delta.tool_calls)
      ? { tool_calls: delta.tool_calls.filter(isObject) as unknown as [] }
      : {}),
  };
}

/** Reasoning under the names that vendors have for it. */
function reasoningOf(message: JsonObject): string {
  return stringOf(message.reasoning_content) ?? stringOf(message.reasoning) ?? '';
}

/** Content as text: Mistral's reasoning models give a list with what was thought in it. */
export function partsOf(content: unknown): { text: string; reasoning: string } {
  if (typeof content === 'string') return { text: content, reasoning: '' };
  let text = '';
  let reasoning = '';
  for (const part of listOf(content)) {
    const { type, text: own, thinking } = objectOf(part);
    if (type === 'thinking') reasoning += textOf(thinking);
    else text += stringOf(own) ?? '';
  }
  return { text, reasoning };
}

function textOf(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  return listOf(parts)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
