import type { JsonObject } from '../../../wire/json.ts';
import type { StreamShape, TextSlot } from '../restore-events.ts';
import { isObject, listOf, objectOf } from '../../../wire/json.ts';

const WORDS = ['thinking', 'content', 'response'] as const;

/** Ollama's own API, in both of its forms: each line is an event. */
export const OLLAMA_STREAM: StreamShape = {
  slots(line) {
    const calls = listOf(objectOf(line.message).tool_calls).length > 0;
    return WORDS.flatMap((field): TextSlot[] => {
      const holder = holderOf(line, field);
      if (!holder) return [];
      return [{ channel: field, holder, field, form: 'text', closes: line.done === true || calls }];
    });
  },
  ends: (line, channel) =>
    line.done === true ||
    (channel === 'thinking' && WORDS.some((field) => holderOf(line, field) !== undefined)),
  bringing(like, { field }, text) {
    const { model, created_at } = like;
    const visible = isObject(like.message)
      ? { message: { role: like.message.role, content: '', [field]: text } }
      : { response: '', [field]: text };
    return { model, created_at, ...visible, done: false };
  },
};

function holderOf(line: JsonObject, field: string): JsonObject | undefined {
  const holder = isObject(line.message) ? line.message : line;
  const text = holder[field];
  return typeof text === 'string' && text !== '' ? holder : undefined;
}
