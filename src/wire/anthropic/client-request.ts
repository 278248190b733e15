import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { asksForMore } from '../facts/asked.ts';
import { flagIn, nameAt, numberIn, objectAt, textAt, wrong } from './client-check.ts';
import { decodeOutput } from './client-effort.ts';
import { cacheOf } from './client-parts.ts';
import { refuseThread } from './client-thread.ts';
import { decodeTools } from './client-tools.ts';
import { decodeTurns } from './client-turns.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
  'cache_control',
]);

/** The longest user id that OpenAI accepts, characters; Claude Code's have about 200. */
const MAX_USER = 64;

/**
 * Decodes a request to Anthropic's Messages API to OpenAI's chat format.
 * @returns the request, and the names of what has no counterpart: fields, `tools.<type>`, `content.<type>`
 * @throws ProxyError `invalid_request` naming the invalid field, `unsupported` for a thread
 * @see https://docs.anthropic.com/en/api/messages
 */
export function decodeMessagesRequest(body: JsonObject): { request: ChatRequest; dropped: string[] } {
  refuseThread(body);
  const model = nameAt(body, 'model', '');
  const dropped = new Set<string>();
  for (const key in body) if (!KNOWN.has(key) && asksForMore(key, body[key])) dropped.add(key);
  const maxTokens = numberIn(body, 'max_tokens', { whole: true });
  if (maxTokens === undefined) throw wrong('max_tokens', 'field required');
  const request: ChatRequest = {
    model,
    messages: decodeTurns(body, dropped),
    max_tokens: maxTokens,
    ...(flagIn(body, 'stream', '') ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...sampling(body),
    ...stops(body),
    ...decodeTools(body, dropped),
    ...decodeOutput(body),
    ...user(body),
    ...tier(body, dropped),
    ...cacheOf(body),
  };
  return { request, dropped: [...dropped] };
}

function sampling(body: JsonObject): JsonObject {
  const sampling: JsonObject = {};
  for (const [key, rule] of Object.entries({
    temperature: { max: 1 },
    top_p: { max: 1 },
    top_k: { whole: true },
  })) {
    // Early SDKs send -1 for values that are not set.
    if (body[key] === -1 && key !== 'temperature') continue;
    const value = numberIn(body, key, rule);
    if (value !== undefined) sampling[key] = value;
  }
  return sampling;
}

function stops({ stop_sequences: sequences }: JsonObject): Pick<ChatRequest, 'stop'> {
  if (sequences === undefined || sequences === null) return {};
  if (!Array.isArray(sequences)) throw wrong('stop_sequences', 'expected a list');
  const stop = sequences.map((sequence: unknown, index) => {
    if (typeof sequence === 'string') return sequence;
    throw wrong(`stop_sequences.${index}`, 'expected a string');
  });
  return stop.length > 0 ? { stop } : {};
}

function user(body: JsonObject): Partial<ChatRequest> {
  if (body.metadata === undefined || body.metadata === null) return {};
  const metadata = objectAt(body, 'metadata', '');
  if (metadata.user_id === undefined || metadata.user_id === null) return {};
  const id = textAt(metadata, 'user_id', 'metadata');
  return id.length <= MAX_USER ? { user: id, safety_identifier: id } : { metadata: { user_id: id } };
}

function tier({ service_tier: name }: JsonObject, dropped: Set<string>): JsonObject {
  if (name === undefined || name === null) return {};
  if (name === 'auto') return { service_tier: 'auto' };
  if (name === 'standard_only') return { service_tier: 'default' };
  dropped.add('service_tier');
  return {};
}
