import type { ChatRequest } from '../chat.ts';
import type { ProviderProtocol } from '../protocol.ts';
import { numberOf } from '../json.ts';
import { SseReader } from '../sse.ts';
import { encodeChatRequest } from './request.ts';
import { decodeChatResponse } from './response.ts';
import { regularAnswer } from './regular-answer.ts';
import { ChunkReader } from './stream.ts';

/** OpenAI's chat completions, from any compatible server. */
export const chatProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    return {
      ...encodeChatRequest(request, context),
      decode: (answer) => decodeChatResponse(regularAnswer(answer, isSingle(request)), context),
      stream: () => new ChunkReader(context, isSingle(request)),
    };
  },
};

/** Whether a single answer is requested: several choices are then parts of it. */
function isSingle({ n }: ChatRequest): boolean {
  return (numberOf(n) ?? 1) <= 1;
}
