import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { CallPairs } from '../parts/call-pairs.ts';
import { jsonTextOf } from '../json-written.ts';
import { nameIn, objectIn, objectsIn, textIn, unknownIn } from './client-check.ts';
import { decodeUserPart } from './client-parts.ts';

const KNOWN: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts']);

/**
 * Decodes a function response to a tool message.
 * @throws ProxyError `invalid_request` naming the invalid field
 * @see https://ai.google.dev/api/caching#FunctionResponse
 */
export function decodeResult(
  result: JsonObject,
  at: string,
  calls: CallPairs,
  dropped: Set<string>,
): ChatMessage {
  for (const name of unknownIn(result, KNOWN)) dropped.add(`functionResponse.${name}`);
  const name = nameIn(result, 'name', at);
  const id = calls.answered(textIn(result, 'id', at), name);
  const { text, failed } = resultOf(objectIn(result, 'response', at) ?? {}, name);
  const media = objectsIn(result, 'parts', at).flatMap((part, index) =>
    decodeUserPart(part, `${at}.parts[${index}]`, dropped),
  );
  const words: ContentPart[] = text === '' ? [] : [{ type: 'text', text }];
  return {
    role: 'tool',
    tool_call_id: id,
    content: media.length > 0 ? [...words, ...media] : text,
    ...(failed ? { is_error: true } : {}),
  };
}

/** The field of a result in the reference, and the one that Vercel's SDK uses. */
const OUTPUTS = ['output', 'result', 'content'] as const;

/**
 * A result is an object in Gemini's API and text in chat: if the object only wraps a text, that text is the result.
 * Vercel's SDK wraps every result, and repeats the name of the function beside it.
 * @param name of the function
 */
function resultOf(response: JsonObject, name: string): { text: string; failed: boolean } {
  const isNamed = response.name === name;
  const keys = Object.keys(response).filter((key) => key !== 'name' || !isNamed);
  const [only] = keys;
  if (keys.length !== 1 || only === undefined) return { text: jsonTextOf(response), failed: false };
  const value = response[only];
  const text = typeof value === 'string' ? value : undefined;
  if (only === 'error') return { text: text ?? jsonTextOf(value), failed: true };
  const wraps = OUTPUTS.some((output) => output === only);
  if (wraps && text !== undefined) return { text, failed: false };
  return { text: jsonTextOf(wraps && isNamed ? value : response), failed: false };
}
