import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { countOf } from '../json.ts';
import { encodeGeminiRequest } from './request.ts';

/**
 * Asks how many tokens a request has, for `:countTokens` of Google AI.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be said there
 * @see https://ai.google.dev/api/tokens
 */
export function encodeGeminiCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { generationConfig: _, ...counted } = encodeGeminiRequest(request, context).body;
  return { generateContentRequest: { model: `models/${context.model}`, ...counted } };
}

/**
 * The same at Vertex AI, which takes the request as it is.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
 */
export function encodeVertexCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { generationConfig: _, toolConfig: _choice, ...counted } = encodeGeminiRequest(request, context).body;
  return counted;
}

/** The tokens of the answer; `undefined` when it is no count. */
export function decodeGeminiCount({ totalTokens }: JsonObject): number | undefined {
  return countOf(totalTokens);
}
