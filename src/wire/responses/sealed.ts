import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { decodeStrictly } from '../bytes.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../json.ts';

/** The prefix that distinguishes blocks of other protocols from OpenAI's own encrypted reasoning. */
export const MARK = 'llmproxy.';

/**
 * Signed thinking in the form in which a Responses client preserves it: in `encrypted_content`, which clients do not
 * interpret. OpenAI's own is kept unchanged.
 */
export function seal(block: JsonObject): string {
  if (block.type === 'encrypted') return stringOf(block.encrypted_content) ?? '';
  return MARK + new TextEncoder().encode(JSON.stringify(block)).toBase64();
}

/** The id by which OpenAI finds encrypted reasoning. */
export function ownId(block: unknown): string | undefined {
  const { type, id } = objectOf(block);
  return type === 'encrypted' ? stringOf(id) : undefined;
}

/** The block in a reasoning item; `undefined` if it has no valid one. */
export function unseal(item: JsonObject): Seal | undefined {
  const { id, summary, encrypted_content: content } = item;
  if (typeof content !== 'string' || content === '') return undefined;
  if (!content.startsWith(MARK)) {
    return { type: 'encrypted', id, summary: listOf(summary), encrypted_content: content };
  }
  const block = unsealed(content);
  return isObject(block) ? (block as Seal) : undefined;
}

/** The content of what was encoded here, without its prefix; `undefined` if it is something else, or truncated. */
export function unsealed(content: string): unknown {
  try {
    return parseJson(decodeStrictly(Uint8Array.fromBase64(content.slice(MARK.length))));
  } catch {
    return undefined;
  }
}
