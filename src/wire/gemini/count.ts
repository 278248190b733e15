import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { numberOf } from '../json.ts';
import { encodeGeminiRequest } from './request.ts';

/** Asks how many tokens a request has, for `:countTokens`. @see https://ai.google.dev/api/tokens */
export function encodeGeminiCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { body } = encodeGeminiRequest(request, context);
  const { generationConfig: _, ...counted } = body;
  return { generateContentRequest: { model: `models/${context.model}`, ...counted } };
}

/** The same at Vertex, which takes the request as it is. */
export function encodeVertexCount(request: ChatRequest, context: EncodeContext): JsonObject {
  const { contents, systemInstruction, tools } = encodeGeminiRequest(request, context).body;
  return { contents, systemInstruction, tools };
}

export function decodeGeminiCount({ totalTokens }: JsonObject): number | undefined {
  return numberOf(totalTokens);
}
