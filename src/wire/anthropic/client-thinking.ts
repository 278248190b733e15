/** Reasoning as Messages clients see it and give it back. */
import type { ChatMessage } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, parseJson, stringOf } from '../json.ts';

/** Begins the `data` of a redacted block that holds reasoning of another protocol. */
const FOREIGN = 'llmproxy:';

/** What a client gave back, as the canonical form carries it. Only signed blocks can be shown to Anthropic again. */
export function givenBack(blocks: readonly JsonObject[]): Partial<ChatMessage> {
  const reasoning = blocks.map(({ thinking }) => stringOf(thinking) ?? '').join('');
  const kept = blocks.flatMap((block) => {
    if (block.type === 'thinking') return stringOf(block.signature) ? [block] : [];
    return [foreign(stringOf(block.data) ?? '') ?? block];
  });
  return {
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(kept.length > 0 ? { thinking_blocks: kept } : {}),
  };
}

function foreign(data: string): JsonObject | undefined {
  const value = data.startsWith(FOREIGN) ? parseJson(data.slice(FOREIGN.length)) : undefined;
  return isObject(value) ? value : undefined;
}

/** One of an answer's `thinking_blocks` as a client gets it; `undefined` for what it could not give back. */
export function shownBlock(block: JsonObject): JsonObject | undefined {
  if (block.type === 'redacted_thinking') return block;
  if (block.type === 'thinking') {
    const signature = stringOf(block.signature);
    return signature ? { type: 'thinking', thinking: stringOf(block.thinking) ?? '', signature } : undefined;
  }
  return block.type === 'encrypted'
    ? { type: 'redacted_thinking', data: FOREIGN + JSON.stringify(block) }
    : undefined;
}

/** The blocks that an answer's reasoning is shown in: unsigned where nobody signed it. */
export function thinkingOf({ thinking_blocks, reasoning_content }: ChatMessage): JsonObject[] {
  const blocks = listOf(thinking_blocks)
    .filter(isObject)
    .flatMap<JsonObject>((block) => shownBlock(block) ?? []);
  const signed = blocks.some(({ type }) => type === 'thinking');
  return signed || !reasoning_content
    ? blocks
    : [{ type: 'thinking', thinking: reasoning_content, signature: '' }, ...blocks];
}
