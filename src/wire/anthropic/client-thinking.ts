/** Reasoning as Messages clients see it and give it back. */
import type { JsonObject } from '../json.ts';
import type { PartList } from '../parts/part-list.ts';
import type { Seal, ThinkingPart } from '../parts/part.ts';
import { isObject, parseJson, stringOf } from '../json.ts';

/** Begins the `data` of a redacted block that holds reasoning of another protocol. */
export const FOREIGN = 'llmproxy:';

/** Reads a block of reasoning that a client gave back. Only what is sealed can be shown to its issuer again. */
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

/** What is sealed as a client gets it: Anthropic's own as it came, the rest in a block that nobody looks into. */
export function shownSeal(seal: JsonObject): JsonObject | undefined {
  if (seal.type === 'redacted_thinking') return seal;
  if (seal.type === 'thinking') {
    const signature = stringOf(seal.signature);
    return signature ? { type: 'thinking', thinking: stringOf(seal.thinking) ?? '', signature } : undefined;
  }
  return { type: 'redacted_thinking', data: FOREIGN + JSON.stringify(seal) };
}

/** The blocks that thinking is shown in: unsigned where no Anthropic signed it. */
export function thinkingBlocks({ text, seal }: ThinkingPart): JsonObject[] {
  const shown = seal && shownSeal(seal);
  if (shown?.type === 'thinking') return [shown];
  const words = text === '' ? [] : [{ type: 'thinking', thinking: text, signature: '' }];
  return shown ? [...words, shown] : words;
}
