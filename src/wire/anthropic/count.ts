import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { encodeAnthropicRequest } from './request.ts';

/** Fields of a message request that the counting endpoint rejects. */
const ONLY_ANSWERING = [
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'service_tier',
];

/** A request to count tokens. @see https://docs.anthropic.com/en/api/messages-count-tokens */
export function encodeAnthropicCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { body } = encodeAnthropicRequest(request, context);
  return Object.fromEntries(Object.entries(body).filter(([name]) => !ONLY_ANSWERING.includes(name)));
}
