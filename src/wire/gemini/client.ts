import type { ClientProtocol, DecodeContext } from '../protocol.ts';
import { stringOf } from '../json.ts';
import { geminiErrorBody } from './client-error.ts';
import { countedRequest, decodeGeminiClient } from './client-request.ts';
import { encodeContent } from './client-response.ts';
import { ContentWriter } from './client-stream.ts';

/** Gemini's generateContent for clients. @see https://ai.google.dev/api/generate-content */
export const geminiClient: ClientProtocol = {
  decode(body, context) {
    const { model, stream } = askedIn(context, body);
    const { request, dropped, thoughts } = decodeGeminiClient(body, { model, stream });
    const options = { model, thoughts, newId: context.newId };
    return {
      request,
      dropped,
      encode: (answer, lost) => encodeContent(answer, options, lost),
      stream: (begun, lost) => new ContentWriter(options, begun, lost),
    };
  },
  errorBody: geminiErrorBody,
};

/** Gemini's countTokens for clients. @see https://ai.google.dev/api/tokens */
export const geminiCountClient: ClientProtocol = {
  ...geminiClient,
  decode: (body, context) => geminiClient.decode(countedRequest(body), context),
};

/**
 * The model is in the path of a request; where the path is unknown, as in log lines, the model is read from the body.
 */
function askedIn(
  { requested }: DecodeContext,
  body: { model?: unknown },
): { model: string; stream: boolean } {
  return requested ?? { model: stringOf(body.model) ?? '', stream: false };
}
