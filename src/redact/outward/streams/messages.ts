import type { JsonObject } from '../../../wire/json.ts';
import type { StreamShape, TextSlot } from '../restore-events.ts';
import { objectOf } from '../../../wire/json.ts';

/** Fields of the deltas of a block that are continued. */
const FIELDS: Readonly<Record<string, { readonly field: string; readonly form: TextSlot['form'] }>> = {
  text_delta: { field: 'text', form: 'text' },
  input_json_delta: { field: 'partial_json', form: 'json' },
};

export const MESSAGES_STREAM: StreamShape = {
  slots(event) {
    const { type, index, delta: given, content_block: block } = event;
    if (type === 'content_block_start') {
      const holder = objectOf(block);
      return holder.type === 'text' && typeof holder.text === 'string'
        ? [{ channel: String(index), holder, field: 'text', form: 'text' }]
        : [];
    }
    if (type !== 'content_block_delta') return [];
    const holder = objectOf(given);
    const known = FIELDS[String(holder.type)];
    if (!known || typeof holder[known.field] !== 'string') return [];
    return [{ channel: String(index), holder, ...known }];
  },
  ends: ({ type, index }, channel) =>
    type === 'content_block_stop'
      ? String(index) === channel
      : type === 'message_delta' || type === 'message_stop',
  bringing(like, { field }, text): JsonObject {
    const type = field === 'text' ? 'text_delta' : 'input_json_delta';
    return { type: 'content_block_delta', index: like.index, delta: { type, [field]: text } };
  },
};
