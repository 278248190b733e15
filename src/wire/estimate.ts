/** About how many tokens a request will use, before anybody has counted them: quick, and without a vocabulary. */
import type { Endpoint } from './endpoints.ts';
import type { Json, JsonObject } from './json.ts';
import { isCount, isRealtime, saysWhy } from './endpoints.ts';
import { countOf, isObject, objectOf, stringOf } from './json.ts';
import { dataUrlTokens, mediumTokens, pictureTokens, UNKNOWN_FILE } from './media-tokens.ts';
import { weightOf, WHOLE } from './weight.ts';

/** Endpoints whose answer is a picture or speech, which may be told in tokens. */
const MAKING: ReadonlySet<Endpoint> = new Set([
  'images.generations',
  'images.edits',
  'images.variations',
  'audio.speech',
]);

/** What a request will use. */
export interface Estimate {
  /** Tokens of the request, about. */
  readonly input: number;
  /** Tokens of the answer: as many as the request allows, or as many as are assumed. */
  readonly output: number;
  /** Whether the request itself bounds its answer. */
  readonly bounded: boolean;
}

/**
 * @param body parsed; `undefined` when it is no JSON
 * @param assumed tokens of an answer that the request does not bound
 * @param longest tokens of the longest answer that a model gives, whatever it is allowed
 */
export function estimate(
  endpoint: Endpoint,
  body: JsonObject | undefined,
  assumed: number,
  longest = Infinity,
): Estimate {
  // Nothing is charged for counting.
  if (isCount(endpoint)) return { input: 0, output: 0, bounded: true };
  // Of a session nothing is known before it is over; what it uses is taken as it is told.
  if (isRealtime(endpoint)) return { input: 0, output: assumed, bounded: false };
  const input = body ? tokensOf(body as Json) : 0;
  if (saysWhy(endpoint)) {
    const choices = Math.max(1, countOf(body?.n) ?? 1, countOf(body?.best_of) ?? 1, candidates(body));
    const own = body && outputLimit(body);
    return { input, output: Math.min(own ?? assumed, longest) * choices, bounded: own !== undefined };
  }
  return { input, output: MAKING.has(endpoint) ? assumed : 0, bounded: !MAKING.has(endpoint) };
}

/** The longest answer that a request allows, tokens of one choice. Which field a provider goes by is not known: the largest counts. */
function outputLimit(body: JsonObject): number | undefined {
  const { max_completion_tokens: completion, max_tokens: tokens, max_output_tokens: output } = body;
  const own = configured(body, 'maxOutputTokens', 'max_output_tokens');
  const { num_predict: predicted } = objectOf(body.options);
  const told = [completion, tokens, output, own, predicted].map((limit) => countOf(limit) ?? -1);
  const largest = Math.max(...told);
  return largest < 0 ? undefined : largest;
}

/** How many answers a client of Gemini asks for. */
function candidates(body: JsonObject | undefined): number {
  return (body && countOf(configured(body, 'candidateCount', 'candidate_count'))) ?? 1;
}

/** What a client of Gemini says of the answer, in either spelling. */
function configured(body: JsonObject, name: string, other: string): unknown {
  const config = objectOf(body.generationConfig ?? body.generation_config);
  return config[name] ?? config[other];
}

/** About how many tokens a value has: its texts, and something for each picture, sound and file. */
export function tokensOf(value: Json): number {
  return added(value, { left: MAX_LOOKED });
}

/** How much is looked at of all texts of a request: some tenths of a millisecond. Of the rest the length counts. */
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

/** Fields that name a picture, or hold its data URL: in chat within an object, in Responses as they are. */
const PICTURES = new Set(['image_url', 'input_image']);

/** Fields that name a file. */
const NAMED = new Set(['file_url', 'file_id', 'fileUri', 'file_uri']);

/**
 * Tokens of a field that holds or names a picture, a sound or a file; `undefined` of any other. Only where such things belong: what
 * stands elsewhere is read as text by models.
 */
function mediumIn(key: string, object: { readonly [key: string]: Json }): number | undefined {
  const value = object[key];
  if (PICTURES.has(key)) {
    const url = isObject(value) ? value.url : value;
    return typeof url === 'string' ? pictureTokens(url) : undefined;
  }
  if (key === 'source' && isObject(value)) return sourceTokens(value, object.type);
  // Ollama's pictures are bare base64.
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

/** Where Anthropic's pictures and documents come from; a document's own text is read as text. */
function sourceTokens({ type, data, url, media_type: media }: JsonObject, of: unknown): number | undefined {
  if (type === 'base64' && typeof data === 'string') return mediumTokens(data, stringOf(media));
  if (type !== 'url' && type !== 'file') return undefined;
  return of === 'image' ? pictureTokens(url) : UNKNOWN_FILE;
}

/** The media type of what an object holds, as far as it says; chat names the format of a sound. */
function typeOf(object: { readonly [key: string]: Json }): string | undefined {
  const { media_type, mimeType, mime_type, format } = object;
  return (
    stringOf(media_type ?? mimeType ?? mime_type) ??
    (typeof format === 'string' ? `audio/${format}` : undefined)
  );
}

function ofText(text: string, looks: { left: number }): number {
  if (looks.left <= 0) return Math.ceil(text.length / CHARACTERS);
  looks.left -= Math.min(text.length, WHOLE);
  return Math.ceil(weightOf(text));
}
