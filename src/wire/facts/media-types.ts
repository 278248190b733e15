/** Media types in the form that providers know, and files in vendors' own parts of chat. */
import type { ChatMessage, ContentPart } from '../chat.ts';
import { entryOf, isObject, objectOf, stringOf } from '../json.ts';

/** Names of media types that clients use but providers do not know. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'application/x-pdf': 'application/pdf',
};

/** The type in a data URL, with parameters such as a charset, which are meaningless for bytes. */
const DATA_TYPE = /^data:([^;,]*)((?:;[^;,]*)*?)(;base64)?,/i;

/** The beginnings of files in base64, for when nothing else tells their type. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['JVBER', 'application/pdf'],
  ['UEsDB', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['iVBOR', 'image/png'],
  ['/9j/', 'image/jpeg'],
];

/** The beginnings of sounds in base64. */
const SOUNDS: readonly (readonly [string, string])[] = [
  ['UklGR', 'wav'],
  ['ZkxhQ', 'flac'],
  ['T2dnU', 'ogg'],
];

/** By file name extension. */
const ENDINGS: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  doc: 'application/msword',
  xls: 'application/vnd.ms-excel',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
};

/** A message whose media have known types, in OpenAI's parts. */
export function withMediaTypes(message: ChatMessage): ChatMessage {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const content = message.content.map((part) => (isObject(part) ? plainPart(part as ContentPart) : part));
  return content.every((part, at) => part === (message.content as unknown[])[at])
    ? message
    : ({ ...message, content } as ChatMessage);
}

/** A part of a vendor's own kind as OpenAI's; any other part unchanged. */
export function plainPart(part: ContentPart): ContentPart {
  switch (part.type) {
    case 'image_url':
      return withPlainUrl(part);
    case 'input_text':
    case 'output_text':
      return { ...part, type: 'text' };
    // Mistral's.
    case 'document_url':
      return filePart(part, part.document_url, part.document_name);
    // Some clients send data without its type, or a URL in a field of its own.
    case 'file':
      return part.image === true ? part : withPlainFile(part);
    // Perplexity's.
    case 'file_url':
      return filePart(part, part.file_url, part.file_name);
    // From the Responses API, whose parts some clients mix with those of chat.
    case 'input_file':
      return filePart(part, part.file_data ?? part.file_url, part.filename);
    case 'input_image':
      return typeof part.image_url === 'string'
        ? withPlainUrl({ type: 'image_url', image_url: { url: part.image_url } })
        : part;
    // vLLM's.
    case 'audio_url':
      return soundPart(part, part.audio_url);
    // Mistral's clients send the data alone.
    case 'input_audio':
      return typeof part.input_audio === 'string' ? soundPart(part, part.input_audio) : part;
    // Anthropic's.
    case 'image':
    case 'document':
      return fromSource(part);
    default:
      return part;
  }
}

function withPlainUrl(part: ContentPart): ContentPart {
  const { image_url: image } = part;
  const url = isObject(image) ? image.url : image;
  if (typeof url !== 'string') return part;
  const plain = plainDataUrl(url);
  if (plain === url) return part;
  return { ...part, image_url: isObject(image) ? { ...image, url: plain } : plain } as ContentPart;
}

function withPlainFile(part: ContentPart): ContentPart {
  const { file_data: data, file_url: url, filename } = objectOf(part.file);
  // The name of a file that Google has is no data.
  if (typeof data === 'string' && !ADDRESS.test(data) && !typeIn(data, stringOf(filename))) return part;
  const plain = filePart(part, data ?? url, filename);
  return plain.file?.file_data === data ? part : plain;
}

/** A file given by its URL, or by its data with or without a type. */
function filePart(part: ContentPart, given: unknown, name: unknown): ContentPart {
  const url = stringOf(given) ?? stringOf(objectOf(given).url);
  if (url === undefined) return part;
  const filename = stringOf(name) ?? stringOf(objectOf(given).file_name);
  const marked = part.cache_control === undefined ? {} : { cache_control: part.cache_control };
  const named = filename === undefined ? {} : { filename };
  return { type: 'file', file: { file_data: asDataUrl(url, filename), ...named }, ...marked };
}

const ADDRESS = /^(?:data:|[a-z][a-z0-9+.-]*:\/\/)/i;

function asDataUrl(url: string, filename: string | undefined): string {
  if (ADDRESS.test(url)) return plainDataUrl(url);
  return `data:${typeIn(url, filename) ?? 'application/pdf'};base64,${url}`;
}

/** The type of data in base64 by the name of the file, or by its beginning. */
function typeIn(data: string, filename = ''): string | undefined {
  const ending = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return entryOf(ENDINGS, ending) ?? BEGINNINGS.find(([begin]) => data.startsWith(begin))?.[1];
}

/** A sound given by a data URL, or by its data without a type. */
function soundPart(part: ContentPart, given: unknown): ContentPart {
  const url = stringOf(given) ?? stringOf(objectOf(given).url) ?? '';
  if (url !== '' && !ADDRESS.test(url.slice(0, 200))) {
    const format = SOUNDS.find(([begin]) => url.startsWith(begin))?.[1] ?? 'mp3';
    return { type: 'input_audio', input_audio: { data: url, format } };
  }
  const data = /^data:audio\/(?:x-)?([\w.+-]+)[^,]{0,100};base64,/i.exec(url.slice(0, 200));
  if (!data) return part;
  const format = data[1]!
    .toLowerCase()
    .replace(/^mpeg$/, 'mp3')
    .replace(/^wave$/, 'wav');
  return { type: 'input_audio', input_audio: { data: url.slice(data[0].length), format } };
}

function fromSource(part: ContentPart): ContentPart {
  const { type, url, data, media_type: mediaType } = objectOf(part.source);
  const given =
    type === 'base64' && typeof data === 'string'
      ? plainDataUrl(`data:${stringOf(mediaType) ?? ''};base64,${data}`)
      : stringOf(url);
  if (given === undefined) return part;
  if (part.type === 'document') return filePart(part, given, part.title);
  return { type: 'image_url', image_url: { url: given } };
}

/** A data URL with a known type and without parameters; any other URL unchanged. */
export function plainDataUrl(url: string): string {
  const found = DATA_TYPE.exec(url.slice(0, 200));
  if (!found) return url;
  const [whole, given = '', parameters, base64 = ''] = found;
  const type = given.toLowerCase();
  const known = Object.hasOwn(MEDIA_TYPES, type) ? MEDIA_TYPES[type] : type;
  return known === given && parameters === ''
    ? url
    : `data:${known}${base64}${','}${url.slice(whole.length)}`;
}
