import type { JsonObject } from '../../../src/wire/json.ts';
import type { Call, Speech } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of Gemini. Their streams have no terminator: the last event contains the finish reason. */
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
    const details = listOf(error.details).map(objectOf);
    const of = (type: string) =>
      details.find((each) => each['@type'] === `type.googleapis.com/google.rpc.${type}`);
    const reason = stringOf(of('ErrorInfo')?.reason);
    const tried = of('DebugInfo');
    return {
      message: stringOf(message) ?? '',
      type: stringOf(status) ?? '',
      code: reason?.toLowerCase() ?? null,
      ...(tried ? { details: listOf(tried.stackEntries).map((entry) => attemptOf(String(entry))) } : {}),
    };
  },
};

/** @param entry such as `openai/gpt-4o: overloaded (503)` */
function attemptOf(entry: string) {
  const [, target = '', fault = null, status] = /^(.*): ([a-z_]+)(?: \((\d+)\))?$/.exec(entry) ?? [];
  return { target, fault, status: status === undefined ? null : Number(status), ms: 0 };
}

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
