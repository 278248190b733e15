/**
 * What other providers want back with their reasoning, where Gemini's clients keep what theirs wants: in the
 * `thoughtSignature` of the next part. Clients do not look into it, but many of them demand base64.
 */
import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { isObject, listOf, parseJson } from '../json.ts';

/** Begins what is sealed here. Its nine characters are twelve of base64, whatever follows. */
const MARK = 'llmproxy:';
const MARK_BASE64 = btoa(MARK);

/** @returns base64 */
export function sealedSignature(seals: readonly JsonObject[]): string {
  return new TextEncoder().encode(MARK + JSON.stringify(seals)).toBase64();
}

/** What a signature of ours holds; `undefined` where it is none of ours. One that was damaged holds nothing. */
export function sealsIn(signature: string): Seal[] | undefined {
  const plain = signature.replaceAll('-', '+').replaceAll('_', '/');
  if (!plain.startsWith(MARK_BASE64)) return undefined;
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(plain));
    return listOf(parseJson(text.slice(MARK.length))).filter((seal): seal is Seal => isObject(seal));
  } catch {
    return [];
  }
}
