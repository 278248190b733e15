import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { flagIn, numberIn, objectAt, wrong } from '../anthropic/client-check.ts';
import { isObject } from '../json.ts';
import { isStrict } from '../strict-schema.ts';
import { named } from '../words.ts';

/** Options with a counterpart; others concern how Ollama runs the model, or sampling that few servers support. */
const NUMBERS = [
  ['temperature', {}],
  ['top_p', {}],
  ['top_k', { whole: true }],
  ['seed', { whole: true }],
  ['presence_penalty', {}],
  ['frequency_penalty', {}],
] as const;

const KNOWN: ReadonlySet<string> = new Set([...NUMBERS.map(([name]) => name), 'num_predict', 'stop']);

const EFFORTS: ReadonlySet<unknown> = new Set(['low', 'medium', 'high', 'max']);

/**
 * Decodes `options`, `format`, `think` and log probabilities to OpenAI's terms. Options without a counterpart are added
 * to `dropped`.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeOptions(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const options = isGiven(body.options) ? objectAt(body, 'options', '') : {};
  for (const name in options) if (!KNOWN.has(name) && isGiven(options[name])) dropped.add(`options.${name}`);
  const fields: JsonObject = {};
  for (const [name, rule] of NUMBERS) {
    const value = numberIn(options, name, { at: 'options', min: -Infinity, ...rule });
    if (value !== undefined) fields[name] = value;
  }
  // Negative values stand for no limit.
  const most = numberIn(options, 'num_predict', { at: 'options', min: -Infinity, whole: true });
  if (most !== undefined && most > 0) fields.max_tokens = most;
  return {
    ...fields,
    ...stops(options.stop),
    ...formatOf(body.format),
    ...effortOf(body.think),
    ...odds(body),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function stops(stop: unknown): Partial<ChatRequest> {
  if (!isGiven(stop)) return {};
  const list: unknown[] = Array.isArray(stop) ? stop : [stop];
  const bad = list.findIndex((text) => typeof text !== 'string');
  if (bad >= 0) throw wrong(`options.stop.${bad}`, 'expected a string');
  return list.length > 0 ? { stop: list as string[] } : {};
}

function formatOf(format: unknown): Partial<ChatRequest> {
  if (!isGiven(format) || format === '') return {};
  if (format === 'json') return { response_format: { type: 'json_object' } };
  if (!isObject(format)) throw wrong('format', `expected "json" or a JSON schema, and not ${named(format)}`);
  const strict = isStrict(format) ? { strict: true } : {};
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format, ...strict } },
  };
}

/** Thinking is disabled in the one way that no server rejects. */
function effortOf(think: unknown): Partial<ChatRequest> {
  if (!isGiven(think)) return {};
  if (think === false) return { thinking: { type: 'disabled' } };
  if (think === true) return { reasoning_effort: 'medium' };
  if (EFFORTS.has(think)) return { reasoning_effort: think === 'max' ? 'high' : String(think) };
  throw wrong('think', `expected true, false, "low", "medium" or "high", and not ${named(think)}`);
}

/** Log probabilities of tokens. */
function odds(body: JsonObject): Partial<ChatRequest> {
  const most = numberIn(body, 'top_logprobs', { max: 20, whole: true });
  if (!flagIn(body, 'logprobs', '')) return {};
  return { logprobs: true, ...(most === undefined ? {} : { top_logprobs: most }) };
}
