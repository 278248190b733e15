import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, objectOf, stringOf } from '../json.ts';
import { named } from '../words.ts';

/** The texts of a message as parts. @throws ProxyError `invalid_request` for other parts */
export function textParts({ content }: ChatMessage, at: string): JsonObject[] {
  return partsOf(content, at).flatMap((part) => {
    const { text, refusal } = objectOf(part);
    const own = stringOf(text) ?? stringOf(refusal);
    if (own === undefined) throw invalid(at, 'only text parts are accepted here');
    return own === '' ? [] : [{ text: own }];
  });
}

/** User content, or a function result. @throws ProxyError `invalid_request`, or `unsupported` for unknown parts */
export function userParts({ content }: ChatMessage, at: string): JsonObject[] {
  return partsOf(content, at).flatMap((part, index) => userPart(part, `${at}.content[${index}]`));
}

/** Content as a list, in either form. */
export function partsOf(content: ChatMessage['content'], at: string): ContentPart[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content) || !content.every(isObject))
    throw invalid(at, 'content is neither a text nor a list');
  return content as ContentPart[];
}

function userPart(part: ContentPart, at: string): JsonObject[] {
  switch (part.type) {
    case 'text':
      return part.text ? [{ text: part.text }] : [];
    case 'image_url':
      return [dataPart(urlIn(part.image_url), 'image/jpeg', at)];
    case 'video_url':
      return [dataPart(urlIn(part.video_url), 'video/mp4', at)];
    case 'audio_url':
      return [dataPart(urlIn(part.audio_url), 'audio/mpeg', at)];
    case 'input_audio':
      return [audioPart(objectOf(part.input_audio), at)];
    case 'file':
      return [filePart(objectOf(part.file), part.image === true, at)];
    default:
      throw unsupported(at, `it has no parts of type ${named(part.type)}`);
  }
}

function urlIn(value: unknown): unknown {
  return typeof value === 'string' ? value : objectOf(value).url;
}

function audioPart({ data, format }: JsonObject, at: string): JsonObject {
  if (typeof data !== 'string' || data === '') throw invalid(at, 'input_audio.data is missing');
  return { inlineData: { mimeType: `audio/${stringOf(format) ?? 'wav'}`, data } };
}

function filePart({ file_data, file_id, filename }: JsonObject, image: boolean, at: string): JsonObject {
  const otherwise = typeAt(filename) ?? (image ? 'image/jpeg' : 'application/pdf');
  if (file_data !== undefined && file_data !== null) return dataPart(file_data, otherwise, at);
  // Google's file ids are URLs; other vendors' ids mean nothing to it.
  if (typeof file_id === 'string' && ADDRESS.test(file_id)) return dataPart(file_id, otherwise, at);
  throw unsupported(at, 'a file must be data or a URL');
}

const ADDRESS = /^(?:https?|gs):\/\//;
const DATA = /^data:([^;,]+)(?:;[^;,]*)*?;base64,/;

/** By extension: nothing else tells the type behind a URL. */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
};

/** The media type for the extension of a name. */
export function typeAt(name: unknown): string | undefined {
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(stringOf(name) ?? '')?.[1];
  return TYPES[ending?.toLowerCase() ?? ''];
}

/** Inline data, or a reference. @param otherwise its type if nothing tells it */
function dataPart(url: unknown, otherwise: string, at: string): JsonObject {
  if (typeof url === 'string') {
    const data = DATA.exec(url);
    if (data) return { inlineData: { mimeType: data[1], data: url.slice(data[0].length) } };
    if (ADDRESS.test(url)) return { fileData: { mimeType: typeAt(url) ?? otherwise, fileUri: url } };
  }
  throw invalid(at, 'expected an http(s) URL or base64 data: URI');
}

export function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for Gemini: ${state}`, { param });
}

export function unsupported(param: string, state: string): ProxyError {
  return new ProxyError('unsupported', `Cannot translate ${param} for Gemini: ${state}`, { param });
}
