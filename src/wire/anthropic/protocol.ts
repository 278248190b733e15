import type { ProviderProtocol } from '../protocol.ts';
import { SseReader } from '../sse.ts';
import { encodeAnthropicRequest } from './request.ts';
import { decodeAnthropicResponse } from './response.ts';
import { AnthropicReader } from './stream.ts';

/** Anthropic's Messages API, asked. @see https://docs.anthropic.com/en/api/messages */
export const anthropicProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    const { created, newId } = context;
    const { body, dropped, structuredTool } = encodeAnthropicRequest(request, context);
    const options = { created, newId, structuredTool };
    return {
      body,
      dropped,
      decode: (answer) => decodeAnthropicResponse(answer, options),
      stream: () => new AnthropicReader(options),
    };
  },
};
