/** Estimates the tokens of an answer whose usage is not reported. */
import type { Json } from './json.ts';
import { tokensOf } from './estimate.ts';
import { isObject } from './json.ts';

/** What a model has written, in the answers of all APIs: OpenAI's, Anthropic's, Gemini's and Ollama's. */
const WRITTEN = [
  'choices',
  'output',
  'content',
  'candidates',
  'outputs',
  'steps',
  'message',
  'response',
  'thinking',
] as const;

/** Fields beside it that the provider adds. */
const ADDED: ReadonlySet<string> = new Set([
  'id',
  'call_id',
  'index',
  'type',
  'role',
  'status',
  'finish_reason',
  'finishReason',
  'stop_reason',
  'phase',
  'logprobs',
  'logprobsResult',
  'annotations',
  'citations',
  'groundingMetadata',
  'safetyRatings',
  'signature',
  'thoughtSignature',
  'audio',
]);

/** @param answer parsed, if it is JSON */
export function answerTokens(answer: Json): number {
  if (!isObject(answer)) return tokensOf(answer);
  const written = WRITTEN.flatMap((field) => (field in answer ? [texts(answer[field] as Json)] : []));
  return written.length === 0 ? tokensOf(answer as Json) : tokensOf(written);
}

/** A value without what models do not write: lists of texts, and the arguments of calls, whose names they write too. */
function texts(value: Json, within = ''): Json {
  if (Array.isArray(value)) return value.map((each) => texts(each, within));
  if (!isObject(value)) return typeof value === 'string' ? value : [];
  // Anthropic and Gemini have arguments as objects, others as text.
  if (within === 'input' || within === 'args') return value as Json;
  // An image or a file is estimated by its fields together.
  if (isMedium(value)) return value as Json;
  return Object.entries(value).flatMap(([key, each]) => (ADDED.has(key) ? [] : [texts(each as Json, key)]));
}

function isMedium(value: object): boolean {
  return 'image_url' in value || 'inlineData' in value || 'inline_data' in value || 'source' in value;
}
