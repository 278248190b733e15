import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { entryOf } from '../json.ts';
import { fieldOf, objectIn, textIn, unknownIn } from './client-check.ts';
import { decodeConfig } from './client-config.ts';
import { decodeContents } from './client-contents.ts';
import { decodeTools } from './client-tools.ts';

/** The fields of a request that are read; its model is in the path. */
const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
  'cachedContent',
]);

/** Service tiers in OpenAI's terms. */
const TIERS: Readonly<Record<string, string>> = { STANDARD: 'default', FLEX: 'flex', PRIORITY: 'priority' };

export interface GeminiRequest {
  readonly request: ChatRequest;
  /** The names of what has no counterpart: fields, `tools.<name>`, `parts.<name>`. */
  readonly dropped: string[];
  /** Whether the client requests thoughts. */
  readonly thoughts: boolean;
}

/**
 * Decodes a request to Gemini's generateContent to OpenAI's chat format.
 * @throws ProxyError `invalid_request` naming the invalid field, `unsupported` for content in Google's cache
 * @see https://ai.google.dev/api/generate-content
 */
export function decodeGeminiClient(
  body: JsonObject,
  { model, stream }: { readonly model: string; readonly stream: boolean },
): GeminiRequest {
  refuseCached(body);
  const dropped = new Set<string>(unknownIn(body, KNOWN));
  const { fields, thoughts } = decodeConfig(body, dropped);
  const request: ChatRequest = {
    model,
    messages: decodeContents(body, dropped),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...fields,
    ...decodeTools(body, dropped),
    ...tierOf(body, dropped),
  };
  return { request, dropped: [...dropped], thoughts };
}

/** The conversation would lack its beginning, which only Google has. */
function refuseCached(body: JsonObject): void {
  if (!textIn(body, 'cachedContent', '')) return;
  throw new ProxyError('unsupported', 'Cannot use cachedContent: only Google has what it refers to', {
    param: 'cachedContent',
  });
}

function tierOf(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = textIn(body, 'serviceTier', '');
  if (given === undefined) return {};
  const tier = entryOf(TIERS, given.toUpperCase().replace(/^SERVICE_TIER_/, ''));
  if (tier === undefined) dropped.add('serviceTier');
  return tier === undefined ? {} : { service_tier: tier };
}

/** A request to count tokens: its contents are given directly, or within a request that names its model. */
export function countedRequest(body: JsonObject): JsonObject {
  return fieldOf(body, 'contents') === undefined
    ? (objectIn(body, 'generateContentRequest', '') ?? body)
    : body;
}
