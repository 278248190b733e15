import type { JsonObject } from '../json.ts';
import { isObject, listOf } from '../json.ts';
import { NO_SIGNATURE } from '../parts/issued.ts';

/** The signature of a part, in either spelling. */
export const SIGNATURES = ['thoughtSignature', 'thought_signature'] as const;

/**
 * Contents for models that reject a turn whose first call has no signature: those of other providers have none, and get
 * a placeholder. The same list if nothing changes.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function withSignedCalls(contents: readonly unknown[]): readonly unknown[] {
  let hasCalled = false;
  const signed = contents.map((content) => {
    if (!isObject(content) || content.role !== 'model') {
      hasCalled = false;
      return content;
    }
    const parts = listOf(content.parts);
    const first = hasCalled ? -1 : parts.findIndex(isCall);
    hasCalled ||= first >= 0;
    const part = parts[first] as JsonObject | undefined;
    if (!part || SIGNATURES.some((name) => part[name] !== undefined)) return content;
    return { ...content, parts: parts.with(first, { ...part, thoughtSignature: NO_SIGNATURE }) };
  });
  return signed.every((content, at) => content === contents[at]) ? contents : signed;
}

function isCall(part: unknown): boolean {
  return isObject(part) && (part.functionCall ?? part.function_call) !== undefined;
}
