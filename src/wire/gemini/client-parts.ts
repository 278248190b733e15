import type { ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { nameIn, objectIn, textIn, wrong, unknownIn } from './client-check.ts';

/** The kinds of data of a part, of which it has exactly one; and the fields that may accompany it. */
const DATA = ['text', 'inlineData', 'fileData'] as const;
const ABOUT = new Set(['thought', 'thoughtSignature']);
const KNOWN: ReadonlySet<string> = new Set([...DATA, ...ABOUT]);

/**
 * Decodes a part of user content to parts of OpenAI's chat. The name of a part without a counterpart is added to
 * `dropped`.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeUserPart(part: JsonObject, at: string, dropped: Set<string>): ContentPart[] {
  const others = unknownIn(part, KNOWN);
  for (const name of others) dropped.add(`parts.${name}`);
  const text = textIn(part, 'text', at);
  if (text !== undefined) return text === '' ? [] : [{ type: 'text', text }];
  const data = objectIn(part, 'inlineData', at);
  if (data) return [inlinePart(data, `${at}.inlineData`)];
  const file = objectIn(part, 'fileData', at);
  if (file) return [filePart(file, `${at}.fileData`)];
  if (others.length > 0) return [];
  throw wrong(at, 'it contains none of text, inlineData, fileData, functionCall and functionResponse');
}

function inlinePart(data: JsonObject, at: string): ContentPart {
  const type = nameIn(data, 'mimeType', at).toLowerCase();
  const base64 = plainBase64(nameIn(data, 'data', at));
  const url = `data:${type};base64,${base64}`;
  const kind = type.split('/')[0];
  if (kind === 'image') return { type: 'image_url', image_url: { url } };
  if (kind === 'video') return { type: 'video_url', video_url: { url } };
  if (kind === 'audio') return { type: 'input_audio', input_audio: { data: base64, format: formatOf(type) } };
  const filename = textIn(data, 'displayName', at) ?? `file.${endingOf(type)}`;
  return { type: 'file', file: { file_data: url, filename } };
}

function filePart(file: JsonObject, at: string): ContentPart {
  const uri = nameIn(file, 'fileUri', at);
  const type = textIn(file, 'mimeType', at)?.toLowerCase() ?? '';
  const kind = type.split('/')[0];
  if (kind === 'image') return { type: 'image_url', image_url: { url: uri } };
  if (kind === 'video') return { type: 'video_url', video_url: { url: uri } };
  // vLLM's part: chat itself has audio as data only.
  if (kind === 'audio') return { type: 'audio_url', audio_url: { url: uri } };
  const filename = textIn(file, 'displayName', at) ?? (type === '' ? undefined : `file.${endingOf(type)}`);
  return { type: 'file', file: { file_data: uri, ...(filename === undefined ? {} : { filename }) } };
}

/** Protocol buffers' JSON also accepts the URL-safe alphabet, with or without padding. */
export function plainBase64(text: string): string {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/');
  const missing = (4 - (plain.length % 4)) % 4;
  return missing === 3 ? plain : plain + '='.repeat(missing);
}

/** Chat's names of audio formats. */
const FORMATS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mp4': 'm4a',
};

function formatOf(type: string): string {
  const plain = type.split(';')[0]!.trim();
  return FORMATS[plain] ?? plain.slice('audio/'.length);
}

/** File name extensions by media type. */
const ENDINGS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/csv': 'csv',
  'text/html': 'html',
  'application/json': 'json',
};

function endingOf(type: string): string {
  return ENDINGS[type.split(';')[0]!.trim()] ?? 'bin';
}
