import type { ChatMessage, ToolCall } from '../chat.ts';
import { isObject, objectOf, stringOf } from '../json.ts';

/**
 * Converts earlier calls of chat's custom tools, which take free text, to function calls, for targets that have no
 * others.
 */
export function withPlainCalls(message: ChatMessage): ChatMessage {
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls) || !calls.some(isCustom)) return message;
  return { ...message, tool_calls: calls.map((call) => (isCustom(call) ? plainCall(call) : call)) };
}

function isCustom(call: unknown): boolean {
  return isObject(call) && call.type === 'custom';
}

function plainCall(call: ToolCall): ToolCall {
  const { name, input } = objectOf(call.custom);
  const given = JSON.stringify({ input: stringOf(input) ?? '' });
  return { id: call.id, type: 'function', function: { name: stringOf(name) ?? '', arguments: given } };
}
