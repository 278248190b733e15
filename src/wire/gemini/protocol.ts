import type { ProviderProtocol } from '../protocol.ts';
import { SseReader } from '../sse.ts';
import { encodeGeminiRequest } from './request.ts';
import { decodeGeminiResponse } from './response.ts';
import { GeminiReader } from './stream.ts';

/** Google's Gemini through its own API, which Vertex AI has as well. */
export const geminiProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    return {
      ...encodeGeminiRequest(request, context),
      decode: (answer) => decodeGeminiResponse(answer, context),
      stream: () => new GeminiReader(context),
    };
  },
};
