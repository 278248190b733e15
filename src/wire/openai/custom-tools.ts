/**
 * Chat's custom tools, which take free text. Other providers have functions only, so a request declares them as functions
 * with one text parameter, and the calls of these in the answer become calls of custom tools again.
 */
import type { ChatChunk, ChatMessage, ChatRequest, ChatTool, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { freeText, freeTextArguments, freeTextTool } from '../parts/free-text.ts';

/** The names of a request's custom tools. */
export type CustomNames = ReadonlySet<string>;

/** The request with functions only, and the names of those that the client knows as custom tools. */
export function withFunctionsOnly(request: ChatRequest): { request: ChatRequest; custom: CustomNames } {
  const { messages, tools, tool_choice: choice } = request;
  const custom = new Set(listOf(tools).filter(isCustom).map(nameOf));
  const others = {
    ...(Array.isArray(messages) ? { messages: eachChanged(messages, withFunctionCalls) } : {}),
    ...(custom.size > 0 ? { tools: listOf(tools).map(functionTool) as ChatTool[] } : {}),
    ...(isObject(choice) ? { tool_choice: functionChoice(choice) as ChatRequest['tool_choice'] } : {}),
  };
  return { request: { ...request, ...others }, custom };
}

function isCustom(value: unknown): value is JsonObject & { custom: JsonObject } {
  return isObject(value) && value.type === 'custom' && isObject(value.custom);
}

function nameOf({ custom }: JsonObject): string {
  return stringOf(objectOf(custom).name) ?? '';
}

/** The same list if nothing changes. */
function eachChanged<T>(list: readonly T[], change: (value: T) => T): T[] {
  const changed = list.map(change);
  return changed.every((value, at) => value === list[at]) ? (list as T[]) : changed;
}

function functionTool(tool: unknown): unknown {
  if (!isCustom(tool)) return tool;
  const { description, format } = objectOf(tool.custom);
  const grammar = objectOf(objectOf(format).grammar).definition;
  return freeTextTool(nameOf(tool), stringOf(description), stringOf(grammar));
}

function functionChoice(choice: JsonObject): JsonObject {
  if (isCustom(choice)) return { type: 'function', function: { name: nameOf(choice) } };
  const allowed = objectOf(choice.allowed_tools);
  if (!listOf(allowed.tools).some(isCustom)) return choice;
  const tools = listOf(allowed.tools).map((tool) => (isCustom(tool) ? functionChoice(tool) : tool));
  return { ...choice, allowed_tools: { ...allowed, tools } };
}

function withFunctionCalls(message: ChatMessage): ChatMessage {
  const calls = listOf(objectOf(message).tool_calls);
  if (!calls.some(isCustom)) return message;
  return {
    ...message,
    tool_calls: calls.map((call) => (isCustom(call) ? functionCall(call) : call)) as ToolCall[],
  };
}

function functionCall({ type: _type, custom, ...rest }: JsonObject): JsonObject {
  const { name, input } = objectOf(custom);
  const args = freeTextArguments(stringOf(input) ?? '');
  return { ...rest, type: 'function', function: { name: stringOf(name) ?? '', arguments: args } };
}

/** An answer's message with calls of the client's custom tools. */
export function withCustomCalls(message: JsonObject, custom: CustomNames): JsonObject {
  if (custom.size === 0 || !Array.isArray(message.tool_calls)) return message;
  return { ...message, tool_calls: message.tool_calls.map((call) => customCall(objectOf(call), custom)) };
}

function customCall(call: JsonObject, custom: CustomNames): JsonObject {
  const { function: fn, type: _type, ...rest } = call;
  const { name, arguments: args } = objectOf(fn);
  if (typeof name !== 'string' || !custom.has(name)) return call;
  return { ...rest, type: 'custom', custom: { name, input: freeText(stringOf(args) ?? '') } };
}

/**
 * Encodes streamed calls of custom tools. Their input is within the JSON text of the function's arguments, and is sent
 * when the choice ends.
 */
export class CustomCallStream {
  readonly #custom: CustomNames;
  /** The arguments as received so far, by choice and index of the call. */
  readonly #held = new Map<number, Map<number, string>>();

  constructor(custom: CustomNames) {
    this.#custom = custom;
  }

  chunk(chunk: ChatChunk): ChatChunk {
    if (this.#custom.size === 0) return chunk;
    const choices = chunk.choices.map((choice) => ({
      ...choice,
      delta: this.delta(choice.index, choice.delta, choice.finish_reason !== null),
    }));
    return { ...chunk, choices };
  }

  /** @param ended whether it is the last one of the choice */
  delta(choice: number, delta: JsonObject, ended: boolean): JsonObject {
    if (this.#custom.size === 0) return delta;
    const calls = listOf(delta.tool_calls).filter(isObject);
    const pieces = calls.flatMap((piece) => this.#piece(choice, piece));
    const told = [...pieces, ...(ended ? this.end(choice) : [])];
    const { tool_calls: _, ...rest } = delta;
    return calls.length === 0 && told.length === 0
      ? delta
      : { ...rest, ...(told.length > 0 ? { tool_calls: told } : {}) };
  }

  /** The inputs of the calls of a choice that has ended. */
  end(choice: number): JsonObject[] {
    const held = this.#held.get(choice) ?? [];
    this.#held.delete(choice);
    return [...held].map(([index, text]) => ({ index, custom: { input: freeText(text) } }));
  }

  #piece(choice: number, piece: JsonObject): JsonObject[] {
    const { function: fn, type: _type, ...rest } = piece;
    const { name, arguments: args } = objectOf(fn);
    const index = Number(piece.index);
    const text = stringOf(args) ?? '';
    const held = this.#held.get(choice) ?? new Map<number, string>();
    const begun = held.get(index);
    if (begun !== undefined) {
      held.set(index, begun + text);
      return [];
    }
    if (typeof name !== 'string' || !this.#custom.has(name)) return [piece];
    this.#held.set(choice, held.set(index, text));
    return [{ ...rest, type: 'custom', custom: { name, input: '' } }];
  }
}
