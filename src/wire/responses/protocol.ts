import type { ProviderProtocol } from '../protocol.ts';
import { SseReader } from '../sse.ts';
import { encodeResponsesRequest } from './request.ts';
import { decodeResponse } from './response.ts';
import { ResponsesReader } from './stream.ts';

/** The Responses API of providers. */
export const responsesProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    return {
      ...encodeResponsesRequest(request, context),
      decode: (answer) => decodeResponse(answer, context),
      stream: () => new ResponsesReader(context),
    };
  },
};
