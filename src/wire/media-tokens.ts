/** Estimates the tokens of images, audio and files, which do not depend on their size in bytes. */
import type { JsonObject } from './json.ts';
import { isObject, stringOf } from './json.ts';
import { pixelsIn } from './picture-size.ts';

/** An image of unknown size: as one of 1024 by 1024 pixels. */
const PICTURE = 765;

/** A page of a document: its text and its image. @see https://docs.claude.com/en/docs/build-with-claude/pdf-support */
const PAGE = 2_000;

/** Typical bytes per page of a PDF file: fewer for text, more for scans. */
const PAGE_BYTES = 50_000;

/** The longest document that providers accept, pages. */
const MAX_PAGES = 1_000;

/** The assumed length of a document that is only referenced, pages. */
const UNKNOWN_PAGES = 3;

/** Bytes of audio per token: 10 tokens a second, at 16 kB (MP3) or 32 kB (WAV) a second for speech. */
const SOUND_BYTES = 2_000;

/** Tokens of audio per second. */
const SOUND_TOKENS = 10;

/** The assumed length of a recording, seconds. @param bytes of its file */
export function secondsOfSound(bytes: number): number {
  return bytes / SOUND_BYTES / SOUND_TOKENS;
}

/** The assumed tokens of a recording, together with what is said in it. */
export function tokensOfSpeech(seconds: number): number {
  return Math.ceil(seconds * (SOUND_TOKENS + SAID_TOKENS));
}

/** Tokens of text that people say in a second: some 150 words a minute. */
const SAID_TOKENS = 4;

/** The assumed tokens of the sound in which a text is spoken. @param tokens of the text */
export function tokensOfSound(tokens: number): number {
  return Math.ceil((tokens * SOUND_TOKENS) / SAID_TOKENS);
}

/** Bytes of text per token. */
const TEXT_BYTES = 4;

/** How much of a data URL or base64 text is decoded: the size of an image is in its first bytes, characters. */
const HEAD = 4_096;

/**
 * Tokens of an image by OpenAI's rule: scaled to fit 2048 by 2048 pixels and 768 on its short side, 170 for each
 * 512-pixel square.
 * @param url its address, or a data URL
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

/** Tokens of a file of which only the name or the address is known. */
export const UNKNOWN_FILE = UNKNOWN_PAGES * PAGE;

/**
 * Tokens of base64 data.
 * @param type its media type, if known
 */
export function mediumTokens(base64: string, type: string | undefined): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const bytes = Math.floor((base64.length * 3) / 4) - padding;
  if (type?.startsWith('audio/')) return Math.max(1, Math.ceil(bytes / SOUND_BYTES));
  if (type?.startsWith('text/') || type === 'application/json') return Math.ceil(bytes / TEXT_BYTES);
  if (type === undefined || type.startsWith('image/')) return pictureTokensOf(base64);
  return PAGE * Math.min(MAX_PAGES, Math.max(1, Math.ceil(bytes / PAGE_BYTES)));
}

/** The same for a data URL. */
export function dataUrlTokens(url: string): number {
  const comma = url.indexOf(',');
  const type = url.slice('data:'.length, comma).split(';')[0]?.trim().toLowerCase();
  return mediumTokens(url.slice(comma + 1), type || undefined);
}

/**
 * Tokens of an image, audio or file part of a message in chat's format; `undefined` for other parts.
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
