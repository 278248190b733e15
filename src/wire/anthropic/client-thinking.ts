/** Reasoning in the form in which Messages clients receive it and send it back. */
import type { JsonObject } from '../json.ts';
import type { PartList } from '../parts/part-list.ts';
import type { Seal, ThinkingPart } from '../parts/part.ts';
import { isObject, parseJson, stringOf } from '../json.ts';

/** The prefix of the `data` of a redacted block that contains reasoning of another protocol. */
export const FOREIGN = 'llmproxy:';

/** Decodes a reasoning block that a client sends back. Only signed blocks can be sent to their issuer again. */
export function readThinking(block: JsonObject, list: PartList): void {
  if (block.type === 'redacted_thinking') return list.seal((foreign(block.data) ?? block) as Seal);
  const sealed = stringOf(block.signature) ? { seal: block as Seal } : {};
  list.add({ type: 'thinking', text: stringOf(block.thinking) ?? '', ...sealed });
}

function foreign(data: unknown): JsonObject | undefined {
  const text = stringOf(data) ?? '';
  const value = text.startsWith(FOREIGN) ? parseJson(text.slice(FOREIGN.length)) : undefined;
  return isObject(value) ? value : undefined;
}

/** Signed reasoning for a client: Anthropic's own unchanged, the rest in an opaque block. */
export function shownSeal(seal: JsonObject): JsonObject | undefined {
  if (seal.type === 'redacted_thinking') return seal;
  if (seal.type === 'thinking') {
    const signature = stringOf(seal.signature);
    return signature ? { type: 'thinking', thinking: stringOf(seal.thinking) ?? '', signature } : undefined;
  }
  return { type: 'redacted_thinking', data: FOREIGN + JSON.stringify(seal) };
}

/** The blocks that show thinking: without a signature unless an Anthropic model signed it. */
export function thinkingBlocks({ text, seal }: ThinkingPart): JsonObject[] {
  const shown = seal && shownSeal(seal);
  if (shown?.type === 'thinking') return [shown];
  const words = text === '' ? [] : [{ type: 'thinking', thinking: text, signature: '' }];
  return shown ? [...words, shown] : words;
}
