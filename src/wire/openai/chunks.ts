import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf } from '../json.ts';

/**
 * The chunks in which a whole chat answer could have been streamed, one piece per choice. Empty when it is not a chat
 * answer.
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 */
export function chunksOf(answer: JsonObject): JsonObject[] {
  const { choices, usage, object: _, ...top } = answer;
  const base = { ...top, object: 'chat.completion.chunk' };
  const pieces = listOf(choices).filter(isObject);
  if (pieces.length === 0) return [];
  const chunks = pieces.flatMap(({ index = 0, message, logprobs, finish_reason }) => {
    const delta: JsonObject = { role: 'assistant', ...objectOf(message) };
    const calls = listOf(delta.tool_calls).map((call, at) => ({ index: at, ...objectOf(call) }));
    const whole = calls.length > 0 ? { ...delta, tool_calls: calls } : delta;
    return [
      { ...base, choices: [{ index, delta: whole, ...(logprobs ? { logprobs } : {}), finish_reason: null }] },
      { ...base, choices: [{ index, delta: {}, finish_reason: finish_reason ?? 'stop' }] },
    ];
  });
  return isObject(usage) ? [...chunks, { ...base, choices: [], usage }] : chunks;
}
