/** Estimates the tokens of a request before they are known: quickly, and without a vocabulary. */
import type { Endpoint } from './endpoints.ts';
import type { Json, JsonObject } from './json.ts';
import { isCount, isRealtime, saysWhy } from './endpoints.ts';
import { countOf, isObject, objectOf, stringOf } from './json.ts';
import {
  dataUrlTokens,
  mediumTokens,
  pictureTokens,
  tokensOfSound,
  tokensOfSpeech,
  UNKNOWN_FILE,
} from './media-tokens.ts';
import { roughTokens, MOST_UNSAMPLED } from './rough-tokens.ts';

/** Endpoints whose answer is an image, for which tokens may be reported. */
const DRAWING: ReadonlySet<Endpoint> = new Set(['images.generations', 'images.edits', 'images.variations']);

/** The expected usage of a request. */
export interface Estimate {
  /** Tokens of the request, estimated. */
  readonly input: number;
  /** Tokens of the answer: the limit in the request, or the assumed number. */
  readonly output: number;
  /** Whether the request limits its answer. */
  readonly bounded: boolean;
}

/** What an estimate is made from. */
export interface Estimated {
  readonly endpoint: Endpoint;
  /** Parsed; `undefined` when it is not JSON. */
  readonly body: JsonObject | undefined;
  /** The assumed length of the recording in it, seconds, if it has one. */
  readonly seconds?: number | undefined;
}

/**
 * @param assumed tokens of an answer that the request does not limit
 * @param longest tokens of the longest answer that the model can give, whatever the request allows
 */
export function estimate(
  { endpoint, body, seconds }: Estimated,
  assumed: number,
  longest = Infinity,
): Estimate {
  // Counting tokens is free.
  if (isCount(endpoint)) return { input: 0, output: 0, bounded: true };
  // Nothing is known about a session before it ends; its usage is charged as it is reported.
  if (isRealtime(endpoint)) return { input: 0, output: assumed, bounded: false };
  // How long it is, and what is said in it, is not known before it was transcribed.
  if (seconds !== undefined) return { input: 0, output: tokensOfSpeech(seconds), bounded: false };
  const input = body ? tokensOf(body as Json) : 0;
  if (endpoint === 'audio.speech') return { input, output: tokensOfSound(input), bounded: false };
  if (saysWhy(endpoint)) {
    const choices = Math.max(1, countOf(body?.n) ?? 1, countOf(body?.best_of) ?? 1, candidates(body));
    const own = body && outputLimit(body);
    return { input, output: Math.min(own ?? assumed, longest) * choices, bounded: own !== undefined };
  }
  return { input, output: DRAWING.has(endpoint) ? assumed : 0, bounded: !DRAWING.has(endpoint) };
}

/**
 * The longest answer that a request allows, tokens of one choice. It is unknown which field a provider uses: the
 * largest counts.
 */
function outputLimit(body: JsonObject): number | undefined {
  const { max_completion_tokens: completion, max_tokens: tokens, max_output_tokens: output } = body;
  const own = configured(body, 'maxOutputTokens', 'max_output_tokens');
  const { num_predict: predicted } = objectOf(body.options);
  const limitOf = (limit: unknown) => countOf(limit) ?? -1;
  const largest = Math.max(
    limitOf(completion),
    limitOf(tokens),
    limitOf(output),
    limitOf(own),
    limitOf(predicted),
  );
  return largest < 0 ? undefined : largest;
}

/** The number of answers that a Gemini client requests. */
function candidates(body: JsonObject | undefined): number {
  return (body && countOf(configured(body, 'candidateCount', 'candidate_count'))) ?? 1;
}

/** A Gemini client's setting for the answer, in either spelling. */
function configured(body: JsonObject, name: string, other: string): unknown {
  const config = objectOf(body.generationConfig ?? body.generation_config);
  return config[name] ?? config[other];
}

/** The estimated tokens of a value: its texts, plus an amount for each image, audio clip and file. */
export function tokensOf(value: Json): number {
  return added(value, { left: MAX_LOOKED });
}

/** How much of a request's texts is examined: a fraction of a millisecond. For the rest only the length counts. */
const MAX_LOOKED = 200_000;
const CHARACTERS = 3.5;

function added(value: Json, looks: { left: number }): number {
  if (typeof value === 'string') return ofText(value, looks);
  if (typeof value !== 'object' || value === null) return 1;
  let tokens = 0;
  if (Array.isArray(value)) {
    for (const item of value) tokens += added(item, looks);
    return tokens;
  }
  for (const key in value) tokens += 1 + (mediumIn(key, value) ?? added(value[key]!, looks));
  return tokens;
}

/** Fields with the URL or the data of an image: within an object in chat, directly in Responses. */
const PICTURES = new Set(['image_url', 'input_image']);

/** Fields with the URL or the id of a file. */
const NAMED = new Set(['file_url', 'file_id', 'fileUri', 'file_uri']);

/**
 * The tokens of a field that contains or references an image, audio or a file; `undefined` for any other. Only where a
 * protocol expects such content: elsewhere models read it as text.
 */
function mediumIn(key: string, object: { readonly [key: string]: Json }): number | undefined {
  const value = object[key];
  if (PICTURES.has(key)) {
    const url = isObject(value) ? value.url : value;
    return typeof url === 'string' ? pictureTokens(url) : undefined;
  }
  if (key === 'source' && isObject(value)) return sourceTokens(value, object.type);
  // Ollama's images are plain base64.
  if (key === 'images' && isTexts(value))
    return value.reduce((sum, image) => sum + mediumTokens(image, undefined), 0);
  if (typeof value !== 'string') return undefined;
  if (NAMED.has(key)) return UNKNOWN_FILE;
  if (key === 'file_data' && !value.startsWith('data:')) return mediumTokens(value, 'application/pdf');
  if (key === 'url' || key === 'file_data')
    return value.startsWith('data:') ? dataUrlTokens(value) : undefined;
  return key === 'data' && object.type !== 'text' ? mediumTokens(value, typeOf(object)) : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** The sources of Anthropic's images and documents; text documents are counted as text. */
function sourceTokens({ type, data, url, media_type: media }: JsonObject, of: unknown): number | undefined {
  if (type === 'base64' && typeof data === 'string') return mediumTokens(data, stringOf(media));
  if (type !== 'url' && type !== 'file') return undefined;
  return of === 'image' ? pictureTokens(url) : UNKNOWN_FILE;
}

/** The media type of an object, if it has one; chat names the format of audio. */
function typeOf(object: { readonly [key: string]: Json }): string | undefined {
  const { media_type, mimeType, mime_type, format } = object;
  return (
    stringOf(media_type ?? mimeType ?? mime_type) ??
    (typeof format === 'string' ? `audio/${format}` : undefined)
  );
}

function ofText(text: string, looks: { left: number }): number {
  if (looks.left <= 0) return Math.ceil(text.length / CHARACTERS);
  looks.left -= Math.min(text.length, MOST_UNSAMPLED);
  return Math.ceil(roughTokens(text));
}
