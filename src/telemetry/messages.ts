/** Requests and answers in the form of the GenAI conventions: messages of parts. */
import type { JsonObject } from '../wire/json.ts';
import { isObject, listOf, stringOf } from '../wire/json.ts';

/** The longest request or response that is converted, characters: parsing a longer one would delay other requests. */
const MOST_TEXT = 65_536;

interface Message {
  readonly role: string;
  readonly parts: readonly JsonObject[];
}

/** The messages of a request as JSON; `undefined` if there are none or it is too long. */
export function inputMessages(text: string | undefined): string | undefined {
  const request = parsed(text);
  if (!request) return undefined;
  const { messages, input, prompt, system, instructions } = request;
  return written([
    ...message('system', system ?? instructions),
    ...listOf(messages).flatMap(ofMessage),
    ...(typeof input === 'string' ? message('user', input) : listOf(input).flatMap(ofItem)),
    ...message('user', prompt),
  ]);
}

/** The messages of an answer as JSON. */
export function outputMessages(text: string | undefined): string | undefined {
  const response = parsed(text);
  if (!response) return undefined;
  const { choices, content, output } = response;
  return written([
    ...listOf(choices).flatMap((choice) =>
      !isObject(choice)
        ? []
        : isObject(choice.message)
          ? ofMessage(choice.message)
          : message('assistant', choice.text),
    ),
    ...message('assistant', content),
    ...listOf(output).flatMap(ofItem),
  ]);
}

function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text.length > MOST_TEXT) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Content that is not JSON has no messages.
    return undefined;
  }
}

function written(messages: readonly Message[]): string | undefined {
  return messages.length === 0 ? undefined : JSON.stringify(messages);
}

function message(role: string, content: unknown): Message[] {
  const parts = partsOf(content);
  return parts.length === 0 ? [] : [{ role, parts }];
}

function ofMessage(given: unknown): Message[] {
  if (!isObject(given)) return [];
  const { role, content, reasoning_content: thought, tool_calls: calls, tool_call_id: id } = given;
  const who = stringOf(role) ?? 'assistant';
  if (who === 'tool')
    return [{ role: 'tool', parts: [{ type: 'tool_call_response', id, response: plainText(content) }] }];
  const parts = [
    ...(typeof thought === 'string' && thought !== '' ? [{ type: 'reasoning', content: thought }] : []),
    ...partsOf(content),
    ...listOf(calls).filter(isObject).map(ofCall),
  ];
  return parts.length === 0 ? [] : [{ role: who, parts }];
}

/** An item of OpenAI's Responses. */
function ofItem(item: unknown): Message[] {
  if (!isObject(item)) return [];
  const { type, role, content } = item;
  if (type === undefined || type === 'message') return message(stringOf(role) ?? 'assistant', content);
  if (type === 'function_call_output') {
    const parts = [{ type: 'tool_call_response', id: item.call_id, response: plainText(item.output) }];
    return [{ role: 'tool', parts }];
  }
  return [{ role: 'assistant', parts: [type === 'function_call' ? ofCall(item) : other(item)] }];
}

function ofCall(call: JsonObject): JsonObject {
  const details = isObject(call.function) ? call.function : call;
  const args = details.arguments ?? details.input;
  return { type: 'tool_call', id: call.call_id ?? call.id, name: details.name, arguments: valueOf(args) };
}

function partsOf(content: unknown): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return listOf(content).filter(isObject).map(ofBlock);
}

function ofBlock(block: JsonObject): JsonObject {
  const { type } = block;
  const text = stringOf(block.text);
  if (type === 'thinking') return { type: 'reasoning', content: stringOf(block.thinking) ?? '' };
  if (text !== undefined) return { type: 'text', content: text };
  if (type === 'tool_use') return ofCall(block);
  if (type === 'tool_result')
    return { type: 'tool_call_response', id: block.tool_use_id, response: plainText(block.content) };
  return other(block);
}

/** Images, audio and other kinds of content: only their presence is recorded. */
function other({ type }: JsonObject): JsonObject {
  return { type: stringOf(type) ?? 'unknown' };
}

function plainText(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content
    .filter(isObject)
    .map(({ text }) => stringOf(text) ?? '')
    .join('\n');
}

/** Arguments as an object if they are one. */
function valueOf(args: unknown): unknown {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args) as unknown;
  } catch {
    // Invalid JSON from a model is kept as text.
    return args;
  }
}
