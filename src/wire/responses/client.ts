import type { JsonObject } from '../json.ts';
import type { ClientProtocol } from '../protocol.ts';
import { openaiErrorBody } from '../openai/error.ts';
import { decodeResponsesRequest } from './client-request.ts';
import { NOT_STORED } from './storage-state.ts';
import { encodeResponse } from './client-response.ts';
import { ResponsesWriter } from './client-stream.ts';

/** The Responses API for clients. The items of answers are remembered for a while, so that they can be referred to. */
export const responsesClient: ClientProtocol = {
  decode(body, { created, newId, memory, requested }) {
    const storage = requested?.storage;
    const { request, dropped, origins } = decodeResponsesRequest(body, memory, storage !== undefined);
    // A client that requests no storage will not refer to it.
    const remember =
      body.store === false ? () => undefined : (item: JsonObject) => memory.set(String(item.id), item);
    // Streamed answers are assembled for the record and for storage, under the ids that the client has.
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
      storage: storage ?? NOT_STORED,
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
