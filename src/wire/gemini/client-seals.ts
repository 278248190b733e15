/**
 * Carries what other providers require back with their reasoning in the field that Gemini's clients preserve: the
 * `thoughtSignature` of the next part. Clients do not interpret it, but many of them require base64.
 */
import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { isObject, listOf, parseJson } from '../json.ts';

/** The prefix of our own values. Its nine characters are twelve in base64, whatever follows. */
const MARK = 'llmproxy:';
const MARK_BASE64 = btoa(MARK);

/** @returns base64 */
export function sealedSignature(seals: readonly JsonObject[]): string {
  return new TextEncoder().encode(MARK + JSON.stringify(seals)).toBase64();
}

/** The content of one of our signatures; `undefined` for others. A damaged one is empty. */
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
