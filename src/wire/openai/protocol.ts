import type { ProviderProtocol } from '../protocol.ts';
import { SseReader } from '../sse.ts';
import { encodeChatRequest } from './request.ts';
import { decodeChatResponse } from './response.ts';
import { ChunkReader } from './stream.ts';

/** OpenAI's chat completions, asked of any server that speaks them. */
export const chatProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    return {
      ...encodeChatRequest(request, context),
      decode: (answer) => decodeChatResponse(answer, context),
      stream: () => new ChunkReader(context),
    };
  },
};
