import type { JsonObject } from '../json.ts';
import type { Part } from '../parts/part.ts';
import type { GeminiContext } from './response.ts';
import { isObject, stringOf } from '../json.ts';

/** Decodes a part of a candidate that is neither text nor a function call. */
export function wholePart(
  part: JsonObject,
  { created, newId }: Pick<GeminiContext, 'created' | 'newId'>,
): Part[] {
  const { inlineData, fileData, executableCode: code, codeExecutionResult: result } = part;
  if (isObject(inlineData)) return [mediaPart(inlineData, part.thoughtSignature, { created, newId })];
  if (isObject(fileData) && typeof fileData.fileUri === 'string')
    return [{ type: 'file', id: fileData.fileUri }];
  if (isObject(code)) {
    const input = JSON.stringify({ code: stringOf(code.code) ?? '' });
    return [{ type: 'hosted_call', id: stringOf(code.id) ?? CODE, name: 'code_execution', input }];
  }
  if (!isObject(result)) return [];
  const output = stringOf(result.output) ?? '';
  const id = stringOf(result.id) ?? CODE;
  return [{ type: 'hosted_result', id, name: 'code_execution', sources: [], output }];
}

/** Creates an id for executed code that has none; its output follows it. */
const CODE = 'code';

function mediaPart(
  { mimeType, data }: JsonObject,
  signature: unknown,
  { created, newId }: Pick<GeminiContext, 'created' | 'newId'>,
): Part {
  const type = stringOf(mimeType) ?? 'image/png';
  const bytes = stringOf(data) ?? '';
  // It cannot be referred to later: it expires immediately.
  if (type.startsWith('audio/')) {
    return { type: 'audio', id: `audio_${newId()}`, data: bytes, transcript: '', expires_at: created };
  }
  const url = `data:${type};base64,${bytes}`;
  if (!type.startsWith('image/')) return { type: 'file', url };
  return {
    type: 'image',
    url,
    ...(typeof signature === 'string' ? { extra_content: extraOf(signature) } : {}),
  };
}

/** A signature in the field that Google's own OpenAI-compatible endpoint uses. */
export function extraOf(signature: string): JsonObject {
  return { google: { thought_signature: signature } };
}
