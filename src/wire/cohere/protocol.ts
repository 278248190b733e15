import type { ProviderProtocol } from '../protocol.ts';
import { SseReader } from '../sse.ts';
import { encodeCohereRequest } from './request.ts';
import { decodeCohereResponse } from './response.ts';
import { CohereReader } from './stream.ts';

/** Cohere's v2 chat of providers. @see https://docs.cohere.com/reference/chat */
export const cohereProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    const { body, dropped } = encodeCohereRequest(request, context);
    const { model, created, newId } = context;
    const options = { model, created, newId };
    return {
      body,
      dropped,
      decode: (answer) => decodeCohereResponse(answer, options),
      stream: () => new CohereReader(options),
    };
  },
};
