import type { ClientProtocol } from '../protocol.ts';
import { geminiErrorBody } from '../gemini/client-error.ts';
import { decodeInteractionRequest } from './client-request.ts';
import { encodeInteraction } from './client-response.ts';
import { InteractionWriter } from './client-stream.ts';

/** Gemini's interactions for clients. @see https://ai.google.dev/api/interactions-api */
export const interactionsClient: ClientProtocol = {
  decode(body, { created, newId }) {
    const { request, dropped, thoughts } = decodeInteractionRequest(body);
    const options = { model: request.model, created, thoughts, newId };
    return {
      request,
      dropped,
      encode: (answer, lost) => encodeInteraction(answer, options, lost),
      stream: (begun, lost) => new InteractionWriter(options, begun, lost),
    };
  },
  errorBody: geminiErrorBody,
};
