import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isStrict } from '../strict-schema.ts';
import { named } from '../words.ts';
import {
  fieldOf,
  flagIn,
  numberIn,
  objectIn,
  textIn,
  textsIn,
  unknownIn,
  wordIn,
  wrong,
} from './client-check.ts';
import { jsonSchemaOf } from './client-schema.ts';

const KNOWN: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseLogprobs',
  'logprobs',
  'responseModalities',
  'thinkingConfig',
]);

const THINKING: ReadonlySet<string> = new Set(['includeThoughts', 'thinkingBudget', 'thinkingLevel']);

/** The effort that corresponds to a budget of up to this many tokens. */
const EFFORTS = [
  [512, 'minimal'],
  [2_048, 'low'],
  [8_192, 'medium'],
  [Infinity, 'high'],
] as const;

/** Thinking levels, which correspond to efforts. */
const LEVELS: ReadonlySet<string> = new Set(['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']);

/** The largest number of candidates per request. */
const MAX_CANDIDATES = 8;

export interface Configured {
  readonly fields: Partial<ChatRequest>;
  /** Whether the client requests thoughts. */
  readonly thoughts: boolean;
}

/**
 * Decodes `generationConfig` to OpenAI's terms. Fields without a counterpart are added to `dropped`.
 * @throws ProxyError `invalid_request` naming the invalid field
 * @see https://ai.google.dev/api/generate-content#generationconfig
 */
export function decodeConfig(body: JsonObject, dropped: Set<string>): Configured {
  const at = 'generationConfig';
  const config = objectIn(body, at, '');
  if (!config) return { fields: {}, thoughts: false };
  for (const name of unknownIn(config, KNOWN)) dropped.add(`${at}.${name.replace(/^_/, '')}`);
  const thinking = objectIn(config, 'thinkingConfig', at) ?? {};
  for (const name of unknownIn(thinking, THINKING)) dropped.add(`${at}.thinkingConfig.${name}`);
  const number = (name: string, rule: Parameters<typeof numberIn>[3]) => numberIn(config, name, at, rule);
  const fields: Partial<ChatRequest> = {
    // In protocol buffers' JSON, 0 may stand for a number that is not set.
    max_tokens: number('maxOutputTokens', { min: 0, whole: true }) || undefined,
    temperature: number('temperature', { min: 0, max: 2 }),
    top_p: number('topP', { min: 0, max: 1 }),
    top_k: number('topK', { min: 0 }) || undefined,
    n: counted(number('candidateCount', { min: 0, max: MAX_CANDIDATES, whole: true })),
    seed: number('seed', { whole: true }),
    presence_penalty: number('presencePenalty', {}),
    frequency_penalty: number('frequencyPenalty', {}),
    ...stops(textsIn(config, 'stopSequences', at)),
    ...probabilities(config, at),
    ...formatOf(config, at, dropped),
    ...modalities(textsIn(config, 'responseModalities', at)),
    ...effortOf(thinking, `${at}.thinkingConfig`),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    fields: Object.fromEntries(given),
    thoughts: flagIn(thinking, 'includeThoughts', `${at}.thinkingConfig`) ?? false,
  };
}

/** A single candidate is the default everywhere. */
function counted(n: number | undefined): number | undefined {
  return n === undefined || n <= 1 ? undefined : n;
}

function stops(sequences: string[]): Partial<ChatRequest> {
  return sequences.length > 0 ? { stop: sequences } : {};
}

function probabilities(config: JsonObject, at: string): Partial<ChatRequest> {
  const wanted = flagIn(config, 'responseLogprobs', at);
  const most = numberIn(config, 'logprobs', at, { min: 0, max: 20, whole: true });
  if (wanted !== true) return {};
  return { logprobs: true, ...(most === undefined ? {} : { top_logprobs: most }) };
}

/** Modalities other than text. In chat, text is implied. */
function modalities(names: readonly string[]): Partial<ChatRequest> {
  const wanted = names.map((name) => name.toLowerCase());
  return wanted.some((name) => name !== 'text') ? { modalities: wanted } : {};
}

function formatOf(config: JsonObject, at: string, dropped: Set<string>): Partial<ChatRequest> {
  const type = textIn(config, 'responseMimeType', at)?.toLowerCase();
  // SDKs from before it was public put an underscore before the name.
  const given = fieldOf(config, 'responseJsonSchema') ?? fieldOf(config, '_responseJsonSchema');
  const own = objectIn(config, 'responseSchema', at);
  if (type !== 'application/json') {
    if (type && type !== 'text/plain') dropped.add(`${at}.responseMimeType`);
    // Without the type of JSON it asks for nothing.
    if (given !== undefined) dropped.add(`${at}.responseJsonSchema`);
    if (own) dropped.add(`${at}.responseSchema`);
    return {};
  }
  if (given !== undefined && !isSchema(given)) throw wrong(`${at}.responseJsonSchema`, 'expected an object');
  const schema = given ?? (own && jsonSchemaOf(own));
  if (!isSchema(schema)) return { response_format: { type: 'json_object' } };
  const strict = isStrict(schema) ? { strict: true } : {};
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, ...strict } } };
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A level, or a budget: 0 disables thinking, and -1 leaves it to the model. */
function effortOf(thinking: JsonObject, at: string): Partial<ChatRequest> {
  const level = wordIn(thinking, 'thinkingLevel', at);
  if (level !== undefined && level !== 'THINKING_LEVEL_UNSPECIFIED') {
    if (!LEVELS.has(level))
      throw wrong(`${at}.thinkingLevel`, `expected MINIMAL, LOW, MEDIUM or HIGH, and not ${named(level)}`);
    return { reasoning_effort: level.toLowerCase() };
  }
  const budget = numberIn(thinking, 'thinkingBudget', at, { min: -1, whole: true });
  if (budget === undefined || budget === -1) return {};
  return { reasoning_effort: budget === 0 ? 'none' : EFFORTS.find(([most]) => budget <= most)![1] };
}
