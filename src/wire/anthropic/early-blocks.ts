import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Further blocks are dropped: their number comes from outside. */
const MAX_BLOCKS = 1_024;

/**
 * Converts the content that gateways put into message_start, because they have it complete, to the events it should
 * have been. Their indexes are negative, since those of the stream begin at 0 nevertheless.
 * @param message of `message_start`, whose content is empty at Anthropic
 */
export function earlyBlocks(message: JsonObject): JsonObject[] {
  const blocks = listOf(message.content).filter(isObject).slice(0, MAX_BLOCKS);
  return blocks.flatMap((block, at) => {
    const index = at - blocks.length;
    const deltas = deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta }));
    const begin = { type: 'content_block_start', index, content_block: begun(block) };
    return [begin, ...deltas, { type: 'content_block_stop', index }];
  });
}

/** A block before its first delta. */
function begun(block: JsonObject): JsonObject {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

function deltasOf({ type, text, thinking, signature, input }: JsonObject): JsonObject[] {
  if (type === 'text') return [{ type: 'text_delta', text: stringOf(text) ?? '' }];
  if (type === 'tool_use')
    return [{ type: 'input_json_delta', partial_json: JSON.stringify(objectOf(input)) }];
  if (type !== 'thinking') return [];
  const thought = { type: 'thinking_delta', thinking: stringOf(thinking) ?? '' };
  return typeof signature === 'string' ? [thought, { type: 'signature_delta', signature }] : [thought];
}
