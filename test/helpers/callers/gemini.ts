import type { JsonObject } from '../../../src/wire/json.ts';
import type { Call, Speech } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of Gemini. Their streams have no terminator: the last event says why the answer ended. */
export const gemini: Speech = {
  path: '/v1beta/models/{model}:generateContent',
  headers: {},
  request: (_model, text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
  named: false,
  whole: (body) => answerOf([body]),
  streamed: answerOf,
  ends: (_, event) => finishOf(event ?? {}) !== undefined,
  error({ error }) {
    if (!isObject(error)) return undefined;
    const { message, status } = error;
    return { message: stringOf(message) ?? '', type: stringOf(status) ?? '', code: null };
  },
};

function finishOf({ candidates }: JsonObject): string | undefined {
  return stringOf(objectOf(listOf(candidates)[0]).finishReason) || undefined;
}

function answerOf(events: readonly JsonObject[]) {
  const parts = events.flatMap(({ candidates }) =>
    listOf(objectOf(objectOf(listOf(candidates)[0]).content).parts).map(objectOf),
  );
  const usage = events.map(({ usageMetadata }) => usageMetadata).findLast(isObject);
  return {
    content: parts.map(({ text, thought }) => (thought === true ? '' : (stringOf(text) ?? ''))).join(''),
    calls: parts.flatMap(({ functionCall }) => (isObject(functionCall) ? [callOf(functionCall)] : [])),
    finish: events.map(finishOf).findLast((finish) => finish !== undefined) ?? null,
    usage,
  };
}

function callOf({ name, args }: JsonObject): Call {
  return { name: stringOf(name) ?? '', arguments: JSON.stringify(args ?? {}) };
}
