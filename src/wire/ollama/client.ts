import type { ClientProtocol, DecodeContext } from '../protocol.ts';
import type { OllamaKind } from './client-answer.ts';
import type { OllamaRequest } from './client-request.ts';
import type { JsonObject } from '../json.ts';
import { ollamaErrorBody } from './client-error.ts';
import { decodeChat, decodeGenerate } from './client-request.ts';
import { encodeWhole } from './client-response.ts';
import { LineWriter } from './client-stream.ts';

function clientFor(kind: OllamaKind, decode: (body: JsonObject) => OllamaRequest): ClientProtocol {
  return {
    decode(body, { created, newId, elapsedMs = () => 0 }: DecodeContext) {
      const { request, dropped } = decode(body);
      // Thinking models show their thoughts unless that is disabled.
      const thoughts = body.think !== false;
      const options = { kind, model: request.model, created, thoughts, newId, elapsedMs };
      return {
        request,
        dropped,
        encode: (answer, lost) => encodeWhole(answer, options, lost),
        stream: (_begun, lost) => new LineWriter(options, lost),
      };
    },
    errorBody: ollamaErrorBody,
  };
}

/** Ollama's own API for clients. @see https://github.com/ollama/ollama/blob/main/docs/api.md */
export const ollamaChat = clientFor('chat', decodeChat);
export const ollamaGenerate = clientFor('generate', decodeGenerate);
