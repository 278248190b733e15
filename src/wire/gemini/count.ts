import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { countOf } from '../json.ts';
import { encodeGeminiRequest } from './request.ts';

/**
 * Encodes a request to count tokens for `:countTokens` of Google AI.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://ai.google.dev/api/tokens
 */
export function encodeGeminiCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { generationConfig: _, serviceTier: _tier, ...counted } = encodeGeminiRequest(request, context).body;
  return { generateContentRequest: { model: `models/${context.model}`, ...counted } };
}

/**
 * The same for Vertex AI, which accepts the request itself.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
 */
export function encodeVertexCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const {
    generationConfig: _,
    toolConfig: _choice,
    serviceTier: _tier,
    ...counted
  } = encodeGeminiRequest(request, context).body;
  return counted;
}

/** The token count in an answer; `undefined` if there is none. */
export function decodeGeminiCount({ totalTokens }: JsonObject): number | undefined {
  return countOf(totalTokens);
}
