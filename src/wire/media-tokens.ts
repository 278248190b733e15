/** About how many tokens pictures, sounds and files are, which nobody counts by their bytes. */
import type { JsonObject } from './json.ts';
import { isObject, stringOf } from './json.ts';
import { pixelsIn } from './picture-size.ts';

/** A picture of unknown size: one of 1024 by 1024 pixels. */
const PICTURE = 765;

/** A page of a document, its text and its picture. @see https://docs.claude.com/en/docs/build-with-claude/pdf-support */
const PAGE = 2_000;

/** Bytes of a page, as PDF files go: less where they are texts, more where they are scanned. */
const PAGE_BYTES = 50_000;

/** The longest document that providers take, pages. */
const MAX_PAGES = 1_000;

/** A document that is only named has so many pages. */
const UNKNOWN_PAGES = 3;

/** Bytes of sound for a token: 10 a second, of speech of 16 kB (MP3) or 32 kB (WAV) a second. */
const SOUND_BYTES = 2_000;

/** Bytes of text for a token. */
const TEXT_BYTES = 4;

/** Of a data URL or base64: all of a picture's size is told in its first bytes, characters. */
const HEAD = 4_096;

/**
 * Tokens of a picture, as OpenAI counts them: within 2048 by 2048 pixels and 768 on its short side, 170 for each square of 512.
 * @param url where it is, or a data URL
 * @see https://platform.openai.com/docs/guides/images-vision
 */
export function pictureTokens(url: unknown): number {
  const base64 = typeof url === 'string' && url.startsWith('data:') ? url.slice(url.indexOf(',') + 1) : '';
  return pictureTokensOf(base64);
}

function pictureTokensOf(base64: string): number {
  const pixels = pixelsIn(base64.slice(0, HEAD));
  if (!pixels) return PICTURE;
  const { width, height } = pixels;
  const within = Math.min(1, 2_048 / Math.max(width, height));
  const shown = within * Math.min(1, 768 / (within * Math.min(width, height)));
  return 85 + 170 * Math.ceil((width * shown) / 512) * Math.ceil((height * shown) / 512);
}

/** Tokens of a file of which only the name or the place is known. */
export const UNKNOWN_FILE = UNKNOWN_PAGES * PAGE;

/**
 * Tokens of bytes that are given in base64.
 * @param type their media type, where it is known
 */
export function mediumTokens(base64: string, type: string | undefined): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const bytes = Math.floor((base64.length * 3) / 4) - padding;
  if (type?.startsWith('audio/')) return Math.max(1, Math.ceil(bytes / SOUND_BYTES));
  if (type?.startsWith('text/') || type === 'application/json') return Math.ceil(bytes / TEXT_BYTES);
  if (type === undefined || type.startsWith('image/')) return pictureTokensOf(base64);
  return PAGE * Math.min(MAX_PAGES, Math.max(1, Math.ceil(bytes / PAGE_BYTES)));
}

/** The same of a data URL. */
export function dataUrlTokens(url: string): number {
  const comma = url.indexOf(',');
  const type = url.slice('data:'.length, comma).split(';')[0]?.trim().toLowerCase();
  return mediumTokens(url.slice(comma + 1), type || undefined);
}

/**
 * Tokens of a part of a message that is a picture, a sound or a file, in chat's words; `undefined` for what is none of these.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function partTokens({
  type,
  image_url: image,
  input_audio: sound,
  file,
}: JsonObject): number | undefined {
  if (type === 'image_url') return pictureTokens(isObject(image) ? image.url : image);
  if (type === 'input_audio') {
    const { data, format } = isObject(sound) ? sound : {};
    return mediumTokens(stringOf(data) ?? '', `audio/${stringOf(format) ?? ''}`);
  }
  if (type !== 'file') return undefined;
  const data = isObject(file) ? stringOf(file.file_data) : undefined;
  if (data === undefined) return UNKNOWN_FILE;
  return data.startsWith('data:') ? dataUrlTokens(data) : mediumTokens(data, 'application/pdf');
}
