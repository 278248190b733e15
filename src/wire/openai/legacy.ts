/**
 * Chat's deprecated functions: `functions` and `function_call` of a request, `function_call` of an answer, and the role
 * `function`, whose messages name the function rather than a call.
 */
import type { ChatMessage, ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { asksForMore } from '../facts/asked.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Whether a request declares functions in the deprecated way: its answer then has to call them in that way as well. */
export function isLegacy({ functions, tools }: JsonObject): boolean {
  return Array.isArray(functions) && (tools ?? undefined) === undefined;
}

/** Deprecated fields beside tools, which take precedence. */
export function ignoredLegacyFields(request: JsonObject): string[] {
  if (isLegacy(request)) return [];
  return ['functions', 'function_call'].filter((name) => asksForMore(name, request[name]));
}

/** The request with tools in place of functions; the same object if it has none. */
export function withTools(request: ChatRequest): ChatRequest {
  const messages = withCalls(request.messages);
  if (!isLegacy(request)) return messages === request.messages ? request : { ...request, messages };
  const { functions, function_call: choice, ...rest } = request;
  const tools = listOf(functions).map((fn) => ({
    type: 'function',
    function: objectOf(fn) as { name: string },
  }));
  return { ...rest, messages, ...(tools.length > 0 ? { tools, ...choiceOf(choice) } : {}) };
}

function choiceOf(choice: unknown): Pick<ChatRequest, 'tool_choice'> {
  if (choice === 'auto' || choice === 'none') return { tool_choice: choice };
  const name = stringOf(objectOf(choice).name);
  return name === undefined ? {} : { tool_choice: { type: 'function', function: { name } } };
}

/** Messages whose calls have ids: each result belongs to the last call of its function without a result. */
function withCalls(messages: ChatMessage[]): ChatMessage[] {
  const isOld = ({ role, function_call: call }: ChatMessage) => role === 'function' || isObject(call);
  if (!Array.isArray(messages) || !messages.some(isOld)) return messages;
  const open = new Map<unknown, string>();
  return messages.map((message, index) => {
    const { function_call: call, ...rest } = message;
    if (message.role === 'function') {
      const id = open.get(message.name) ?? idOf(index);
      open.delete(message.name);
      return { ...rest, role: 'tool', tool_call_id: message.tool_call_id ?? id };
    }
    if (!isObject(call) || message.tool_calls !== undefined) return message;
    const name = stringOf(call.name) ?? '';
    const id = idOf(index);
    open.set(name, id);
    const fn = { name, arguments: stringOf(call.arguments) ?? '' };
    return { ...rest, tool_calls: [{ id, type: 'function', function: fn }] };
  });
}

function idOf(index: number): string {
  return `call_of_message_${index}`;
}

/** A message or a delta whose single call is encoded as a deprecated function call. */
export function withFunctionCall(encoded: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = encoded;
  const first = listOf(calls).find((call) => (objectOf(call).index ?? 0) === 0);
  return isObject(first) ? { ...rest, function_call: first.function } : calls === undefined ? encoded : rest;
}

/** The finish reason of an answer with a deprecated function call. */
export function legacyFinish(finish: string | null): string | null {
  return finish === 'tool_calls' ? 'function_call' : finish;
}
