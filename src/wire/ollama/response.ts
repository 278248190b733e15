/** Answers in Ollama's own format, from an Ollama server or from this proxy. */
import type { ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Part } from '../parts/part.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { answerOf } from '../parts/message.ts';
import { encodeOpenaiUsage, plainUsage } from '../usage.ts';
import { tokenCount } from '../units.ts';
import { imageUrl } from './images.ts';

/** The usage at the end of an answer. */
export function ollamaUsage({ prompt_eval_count, eval_count }: JsonObject): Usage | undefined {
  const [input, output] = [tokenCount(prompt_eval_count), tokenCount(eval_count)];
  return input === undefined && output === undefined ? undefined : plainUsage(input ?? 0, output ?? 0);
}

/** The finish reason in chat's words; `null` while there is none. @param called whether the answer has tool calls */
export function ollamaFinish({ done, done_reason: reason }: JsonObject, called: boolean): string | null {
  if (done !== true) return null;
  const given = stringOf(reason) || 'stop';
  return called && given === 'stop' ? 'tool_calls' : given;
}

/** Decodes a whole answer. */
export function decodeOllamaResponse(
  body: JsonObject,
  { created, newId, model }: Pick<EncodeContext, 'created' | 'newId' | 'model'>,
): ChatResponse {
  const { content, thinking, images, tool_calls: calls } = messageIn(body);
  const parts: Part[] = [];
  if (typeof thinking === 'string' && thinking !== '') parts.push({ type: 'thinking', text: thinking });
  if (typeof content === 'string' && content !== '') parts.push({ type: 'text', text: content });
  for (const image of listOf(images))
    if (typeof image === 'string') parts.push({ type: 'image', url: imageUrl(image) });
  for (const call of listOf(calls))
    if (isObject(call)) parts.push({ type: 'call', call: callOf(call, newId) });
  const usage = ollamaUsage(body);
  const called = parts.some(({ type }) => type === 'call');
  return {
    id: `chatcmpl-${newId()}`,
    object: 'chat.completion',
    created,
    model: stringOf(body.model) ?? model,
    choices: [{ index: 0, message: answerOf(parts, ''), finish_reason: ollamaFinish(body, called) }],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** The content, from either endpoint. */
export function messageIn(body: JsonObject): JsonObject {
  if (isObject(body.message)) return body.message;
  return { content: body.response, thinking: body.thinking, images: body.images };
}

function callOf(call: JsonObject, newId: () => string): ToolCall {
  const { name, arguments: args } = objectOf(call.function);
  const text = typeof args === 'string' ? args : jsonTextOf(isObject(args) ? args : {});
  return {
    id: stringOf(call.id) || `call_${newId()}`,
    type: 'function',
    function: { name: stringOf(name) ?? '', arguments: text },
  };
}
