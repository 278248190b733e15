import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';

/** How a block of another protocol is told from OpenAI's own encrypted reasoning. */
export const MARK = 'llmproxy.';

/**
 * Signed thinking as a client of the Responses API gives it back: in `encrypted_content`, which clients do not look
 * into. OpenAI's own stays as it is.
 */
export function seal(block: JsonObject): string {
  if (block.type === 'encrypted') return stringOf(block.encrypted_content) ?? '';
  const bytes = new TextEncoder().encode(JSON.stringify(block));
  return MARK + btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** The id that OpenAI knows encrypted reasoning by. */
export function ownId(block: unknown): string | undefined {
  const { type, id } = objectOf(block);
  return type === 'encrypted' ? stringOf(id) : undefined;
}

/** The block that a reasoning item carries; `undefined` when it carries none that is whole. */
export function unseal(item: JsonObject): Seal | undefined {
  const { id, summary, encrypted_content: content } = item;
  if (typeof content !== 'string' || content === '') return undefined;
  if (!content.startsWith(MARK)) {
    return { type: 'encrypted', id, summary: listOf(summary), encrypted_content: content };
  }
  const block = unsealed(content);
  return isObject(block) ? (block as Seal) : undefined;
}

/** What was sealed here, without the mark still before it; `undefined` for what was not, or was cut. */
export function unsealed(content: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(content.slice(MARK.length)), (char) => char.charCodeAt(0));
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
