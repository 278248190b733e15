import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';
import { sizeOf } from './json-size.ts';

/** Fields in a piece of an answer that contain the model's words, as opposed to names or signatures. */
const WRITTEN = new Set([
  'content',
  'text',
  'reasoning_content',
  'reasoning',
  'refusal',
  'thinking',
  'partial_json',
  'response',
  'arguments',
]);

/** Fields that contain further such fields. */
const AROUND = new Set([
  'delta',
  'message',
  'choices',
  'tool_calls',
  'function',
  'function_call',
  'candidates',
  'content',
  'parts',
  'functionCall',
]);

/**
 * Passes on what the model wrote in one stream event, in any protocol: pieces of text, reasoning, refusals and
 * arguments. Repetitions of earlier pieces, such as the end of an item in Responses, are left out.
 */
export function eachOutputText(event: JsonObject, take: (text: string) => void): void {
  const { type, delta } = event;
  if (typeof type === 'string') {
    if (typeof delta === 'string') take(delta);
    else if (type === 'content_block_delta' && isObject(delta)) written(delta, take, DEPTH);
    return;
  }
  written(event, take, DEPTH);
}

/** Arguments above this size are passed on text by text, without their names, characters. */
const LONG = 64 * 1024;

function given(value: unknown, take: (text: string) => void): void {
  if (typeof value === 'string') take(value);
  else if (sizeOf(value, LONG) <= LONG) take(JSON.stringify(value));
  else for (const name in value as JsonObject) given((value as JsonObject)[name], take);
}

/** How deep fields are searched: the arguments of a call are the deepest, and servers can send anything. */
const DEPTH = 6;

function written(value: JsonObject, take: (text: string) => void, depth: number): void {
  if (depth === 0) return;
  for (const name in value) {
    const field = value[name];
    if (typeof field === 'string') {
      if (WRITTEN.has(name)) take(field);
    } else if (Array.isArray(field)) {
      if (AROUND.has(name)) {
        for (const item of field) if (isObject(item)) written(item, take, depth - 1);
      }
    } else if (AROUND.has(name) && isObject(field)) written(field, take, depth - 1);
    else if ((name === 'args' || name === 'arguments') && isObject(field)) given(field, take);
  }
}
