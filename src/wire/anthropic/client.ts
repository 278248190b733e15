import type { ClientProtocol } from '../protocol.ts';
import { messagesErrorBody } from './client-error.ts';
import { decodeMessagesRequest } from './client-request.ts';
import { encodeMessage } from './client-response.ts';
import { MessagesWriter } from './client-stream.ts';

/** The Messages API for clients. @see https://docs.anthropic.com/en/api/messages */
export const messagesClient: ClientProtocol = {
  decode(body, { newId }) {
    const { request, dropped } = decodeMessagesRequest(body);
    const stops = [request.stop ?? []].flat();
    const options = { model: request.model, stops, newId };
    return {
      request,
      dropped,
      encode: (answer, lost) => encodeMessage(answer, options, lost),
      stream: (begun, lost) => new MessagesWriter(options, begun, lost),
    };
  },
  errorBody: messagesErrorBody,
};
