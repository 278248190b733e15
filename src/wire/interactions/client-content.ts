import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { nameIn, textIn, wrong } from '../gemini/client-check.ts';
import { decodeUserPart } from '../gemini/client-parts.ts';
import { wordOf } from '../words.ts';
import { isObject } from '../json.ts';

/** Kinds of content that are given by their data or by its location. */
const MEDIA: ReadonlySet<unknown> = new Set(['image', 'audio', 'video', 'document']);

/** The fields of them that are read. */
const KNOWN: ReadonlySet<string> = new Set(['type', 'mime_type', 'data', 'uri']);

/** The MIME type of a type of content if it is omitted. */
const TYPES: Readonly<Record<string, string>> = {
  image: 'image/png',
  audio: 'audio/wav',
  video: 'video/mp4',
  document: 'application/pdf',
};

/**
 * Decodes user content to parts of OpenAI's chat: a text, one content, or a list of them. @param dropped
 * collects the names of content without a counterpart @throws ProxyError `invalid_request` naming the
 * invalid field
 */
export function decodeContent(given: unknown, at: string, dropped: Set<string>): ContentPart[] {
  if (typeof given === 'string') return given === '' ? [] : [{ type: 'text', text: given }];
  if (isObject(given)) return partOf(given, at, dropped);
  if (!Array.isArray(given)) throw wrong(at, 'expected a text or a list of content');
  return given.flatMap((each: unknown, index) => {
    const here = `${at}[${index}]`;
    if (typeof each === 'string') return decodeContent(each, here, dropped);
    if (!isObject(each)) throw wrong(here, 'expected an object');
    return partOf(each, here, dropped);
  });
}

function partOf(content: JsonObject, at: string, dropped: Set<string>): ContentPart[] {
  const { type } = content;
  if (type === 'text' || (type === undefined && typeof content.text === 'string')) {
    const text = textIn(content, 'text', at) ?? '';
    return text === '' ? [] : [{ type: 'text', text }];
  }
  if (MEDIA.has(type)) {
    for (const name in content) if (!KNOWN.has(name)) dropped.add(`content.${name}`);
    return decodeUserPart(mediaOf(content, String(type), at), at, dropped);
  }
  dropped.add(`content.${wordOf(type)}`);
  return [];
}

/** The same as a part of generateContent. */
function mediaOf(content: JsonObject, kind: string, at: string): JsonObject {
  const mimeType = textIn(content, 'mime_type', at) || TYPES[kind]!;
  const data = textIn(content, 'data', at);
  if (data) return { inlineData: { mimeType, data } };
  return { fileData: { mimeType, fileUri: nameIn(content, 'uri', at) } };
}
