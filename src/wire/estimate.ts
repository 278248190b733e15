/** About how many tokens a request will use, before anybody has counted them: quick, and without a vocabulary. */
import type { Endpoint } from './endpoints.ts';
import type { Json, JsonObject } from './json.ts';
import { countOf } from './json.ts';
import { weightOf, WHOLE } from './weight.ts';

/** What a picture, a sound or a file counts for, whose size in tokens its bytes do not tell. */
const PER_MEDIUM = 1_000;

/** Endpoints whose answer is text, and as long as the request allows. */
const WRITING: ReadonlySet<Endpoint> = new Set(['chat', 'messages', 'responses', 'completions']);

/** Endpoints whose answer is a picture or speech, which may be told in tokens. */
const MAKING: ReadonlySet<Endpoint> = new Set([
  'images.generations',
  'images.edits',
  'images.variations',
  'audio.speech',
]);

/** Endpoints that only count: nothing is charged for them. */
const COUNTING: ReadonlySet<Endpoint> = new Set(['messages.count_tokens', 'responses.input_tokens']);

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
  if (COUNTING.has(endpoint)) return { input: 0, output: 0, bounded: true };
  const input = body ? tokensOf(body as Json) : 0;
  if (WRITING.has(endpoint)) {
    const choices = Math.max(1, countOf(body?.n) ?? 1, countOf(body?.best_of) ?? 1);
    const own = body && outputLimit(body);
    return { input, output: Math.min(own ?? assumed, longest) * choices, bounded: own !== undefined };
  }
  return { input, output: MAKING.has(endpoint) ? assumed : 0, bounded: !MAKING.has(endpoint) };
}

/** The longest answer that a request allows, tokens of one choice. Which field a provider goes by is not known: the largest counts. */
function outputLimit(body: JsonObject): number | undefined {
  const { max_completion_tokens: completion, max_tokens: tokens, max_output_tokens: output } = body;
  const largest = Math.max(countOf(completion) ?? -1, countOf(tokens) ?? -1, countOf(output) ?? -1);
  return largest < 0 ? undefined : largest;
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
  for (const key in value) tokens += 1 + (isMedium(key, value) ? PER_MEDIUM : added(value[key]!, looks));
  return tokens;
}

/** Fields that hold the bytes of a picture, a sound or a file: as a data URL, or in base64. */
const MEDIA = new Set(['url', 'image_url', 'file_data', 'data']);

/** Whether a field holds bytes. Only where such bytes belong: what stands elsewhere is read as text by models. */
function isMedium(key: string, object: { readonly [key: string]: Json }): boolean {
  const value = object[key];
  if (typeof value !== 'string' || !MEDIA.has(key)) return false;
  return key === 'data' ? object.type !== 'text' : value.startsWith('data:');
}

function ofText(text: string, looks: { left: number }): number {
  if (looks.left <= 0) return Math.ceil(text.length / CHARACTERS);
  looks.left -= Math.min(text.length, WHOLE);
  return Math.ceil(weightOf(text));
}
