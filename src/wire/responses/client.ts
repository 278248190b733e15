import type { JsonObject } from '../json.ts';
import type { ClientProtocol } from '../protocol.ts';
import { openaiErrorBody } from '../openai/error.ts';
import { decodeResponsesRequest } from './client-request.ts';
import { ALONE } from './standing.ts';
import { encodeResponse } from './client-response.ts';
import { ResponsesWriter } from './client-stream.ts';

/** Clients of OpenAI's Responses API. Items of their answers are remembered for a while, to be referred to. */
export const responsesClient: ClientProtocol = {
  decode(body, { created, newId, memory, asked }) {
    const standing = asked?.standing;
    const { request, dropped, origins } = decodeResponsesRequest(body, memory, standing !== undefined);
    // Who asks for nothing to be stored will not refer to it.
    const remember =
      body.store === false ? () => undefined : (item: JsonObject) => memory.set(String(item.id), item);
    // What was streamed is put together again, for the record and to be stored: under the ids that its client has.
    const drawing = () => {
      const drawn: string[] = [];
      return () => {
        let next = 0;
        return () => (drawn[next++] ??= newId());
      };
    };
    const [items, thoughts] = [drawing(), drawing()];
    const envelope = () => ({
      request: body,
      origins,
      created,
      newId: items(),
      newThoughtId: thoughts(),
      remember,
      standing: standing ?? ALONE,
    });
    return {
      request,
      dropped,
      encode: (answer, lost) => encodeResponse(answer, envelope(), lost),
      stream: (begun, lost) => new ResponsesWriter(envelope(), begun, lost),
    };
  },
  errorBody: openaiErrorBody,
};
