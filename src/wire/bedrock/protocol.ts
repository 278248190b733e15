import type { ProviderProtocol } from '../protocol.ts';
import { EventStreamReader } from './frames.ts';
import { encodeConverseRequest } from './request.ts';
import { decodeConverseResponse } from './response.ts';
import { ConverseReader } from './stream.ts';

/**
 * Bedrock's Converse API of providers. The model, and whether to stream, are in the path, `/model/{model}/converse` or
 * `/converse-stream`, rather than in the body.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export const converseProtocol: ProviderProtocol = {
  framing: () => new EventStreamReader(),
  encode(request, context) {
    const { body, dropped, structuredTool } = encodeConverseRequest(request, context);
    const { model, created, newId } = context;
    const options = { model, created, newId, structuredTool };
    return {
      body,
      dropped,
      decode: (answer) => decodeConverseResponse(answer, options),
      stream: () => new ConverseReader(options),
    };
  },
};
