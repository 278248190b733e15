/** Items of a conversation as lists show them: each with an id and a status, texts as parts. */
import type { JsonObject } from '../wire/json.ts';
import { isObject, stringOf } from '../wire/json.ts';

/** The prefixes of item ids, by type. */
const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  function_call_output: 'fc',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctc',
};

/** The input of a request as a list of items; a text is a user message. */
export function inputItems(input: unknown): JsonObject[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? input.filter(isObject) : [];
}

/** The id of an item without one: deterministic. */
export function itemId(item: JsonObject, of: string, place: number): string {
  const own = stringOf(item.id);
  if (own) return own;
  const type = stringOf(item.type) ?? 'message';
  const hash = new Bun.CryptoHasher('sha256').update(`${of}\n${place}`).digest('hex');
  return `${PREFIXES[type] ?? 'item'}_${hash.slice(0, 40)}`;
}

/** @see https://platform.openai.com/docs/api-reference/responses/input-items */
export function shownItem(item: JsonObject, id: string): JsonObject {
  const type = stringOf(item.type) ?? 'message';
  const status = type === 'reasoning' || type === 'item_reference' ? {} : { status: 'completed' };
  if (type !== 'message') return { ...status, ...item, id };
  const { role, content } = item;
  const kind = role === 'assistant' ? 'output_text' : 'input_text';
  const more = role === 'assistant' ? { annotations: [] } : {};
  const parts = typeof content === 'string' ? [{ type: kind, text: content, ...more }] : content;
  return { ...status, ...item, id, type, role, content: parts };
}
