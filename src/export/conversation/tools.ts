/** Converts tool calls and tool definitions to the canonical conversation. */
import { isObject, listOf, objectOf, parseJson } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Tool, ToolCall } from './conversation.ts';
import { RejectError } from '../errors.ts';
import { isRawJSON } from '../../wire/long-numbers.ts';
import {
  holdsInfinity,
  holdsRounded,
  isDeeper,
  isInfinite,
  jsonText,
  loadable,
  MAX_TOOL_DEPTH,
  wellFormedJson,
} from './json.ts';

/**
 * The calls of one assistant message.
 * @throws RejectError when one lacks an id or a name, repeats an id, or its arguments are not a JSON object
 */
export function toolCallsOf(calls: readonly unknown[]): ToolCall[] {
  if (calls.length === 0) return [];
  const ids = new Set<string>();
  return calls.map((call) => {
    const { id, type, function: target } = objectOf(call);
    if (!isWord(id) || ids.has(id)) throw new RejectError('invalid_tool_call');
    // Some servers omit the type; a custom tool takes free text, which no format supports.
    if ((type ?? 'function') !== 'function' || !isObject(target)) throw new RejectError('invalid_tool_call');
    ids.add(id);
    return { id, type: 'function', function: callOf(target) };
  });
}

/** @throws RejectError when the message calls an undefined tool: a model would learn to invent tools */
export function mustBeDefined({ tool_calls: calls }: AssistantMessage, tools: readonly Tool[]): void {
  if (calls?.some((call) => !tools.some((tool) => tool.function.name === call.function.name)))
    throw new RejectError('unknown_tool');
}

/** A deprecated `function_call` as a tool call, with an id derived from its position. */
export function legacyCall(call: JsonObject, place: string): ToolCall {
  return { id: `call_${place}`, type: 'function', function: callOf(call) };
}

/** The functions that a request defines; other tools, which run at the provider, are left out. */
export function toolsOf(request: JsonObject): Tool[] {
  if (request.tools === undefined && request.functions === undefined) return [];
  const tools = listOf(request.tools).map(objectOf);
  const current = tools.filter((tool) => tool.type === 'function').map((tool) => objectOf(tool.function));
  const legacy = listOf(request.functions).map(objectOf);
  return [...current, ...legacy].filter((tool) => isWord(tool.name)).map(definition);
}

function definition({ name, description, parameters, strict }: JsonObject): Tool {
  return {
    type: 'function',
    function: {
      name: name as string,
      ...(typeof description === 'string' ? { description } : {}),
      ...(isWritten(parameters) ? { parameters: writable(parameters) } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  };
}

function callOf(call: JsonObject): ToolCall['function'] {
  if (!isWord(call.name)) throw new RejectError('invalid_tool_call');
  return { name: call.name, arguments: argumentsOf(call.arguments) };
}

/** The arguments as the model wrote them; "" means none. */
function argumentsOf(value: unknown): string {
  if (isWritten(value)) {
    if (isInfinite(shallow(value))) throw new RejectError('invalid_tool_call');
    return jsonText(value);
  }
  const text = typeof value === 'string' && value.trim() === '' ? '{}' : value;
  const parsed = typeof text === 'string' ? parseJson(text) : undefined;
  if (typeof text !== 'string' || !isObject(parsed)) throw new RejectError('invalid_tool_call');
  shallow(parsed);
  if (holdsInfinity(text)) throw new RejectError('invalid_tool_call');
  // An escaped lone surrogate would appear when a trainer parses them.
  return wellFormedJson(text);
}

/** @throws RejectError when a schema is nested too deeply, or contains a number such as 1e400 */
function writable(schema: JsonObject): JsonObject {
  if (isInfinite(shallow(schema))) throw new RejectError('invalid_tool');
  return holdsRounded(schema) ? (loadable(schema) as JsonObject) : schema;
}

/** Whether a value is an object in the log. A long number is one only in memory, where it keeps its digits. */
function isWritten(value: unknown): value is JsonObject {
  return isObject(value) && !isRawJSON(value);
}

/** @throws RejectError when a value is nested too deeply for trainers */
function shallow<Value>(value: Value): Value {
  if (isDeeper(value, MAX_TOOL_DEPTH)) throw new RejectError('too_deep');
  return value;
}

/** A non-blank text, as ids and names must be. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
