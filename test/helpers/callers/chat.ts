import type { JsonObject } from '../../../src/wire/json.ts';
import type { Call, Speech, Told } from './speech.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of OpenAI's chat completions. */
export const chat: Speech = {
  path: '/v1/chat/completions',
  headers: {},
  request: (model, text, stream) => ({
    model,
    messages: [{ role: 'user', content: text }],
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  }),
  named: false,
  whole(body) {
    const { message, finish_reason: finish } = firstChoice(body);
    const { content, tool_calls: calls } = objectOf(message);
    return {
      content: stringOf(content) ?? '',
      calls: listOf(calls).map((call) => callOf(objectOf(objectOf(call).function))),
      finish: stringOf(finish) ?? null,
      usage: isObject(body.usage) ? body.usage : undefined,
    };
  },
  streamed(events) {
    const choices = events.map(firstChoice);
    const deltas = choices.map(({ delta }) => objectOf(delta));
    const usage = events.findLast((event) => isObject(event.usage))?.usage;
    const finish = choices.findLast(({ finish_reason: reason }) => stringOf(reason))?.finish_reason;
    return {
      content: deltas.map(({ content }) => stringOf(content) ?? '').join(''),
      calls: callsOf(deltas.flatMap(({ tool_calls: calls }) => listOf(calls).map(objectOf))),
      finish: stringOf(finish) ?? null,
      usage: isObject(usage) ? usage : undefined,
    };
  },
  ends: (data) => data === '[DONE]',
  error: ({ error }) => (error ? (error as Told) : undefined),
};

/** The choice with index 0. */
function firstChoice({ choices }: JsonObject): JsonObject {
  const all = listOf(choices).map(objectOf);
  return all.find(({ index }) => (numberOf(index) ?? 0) === 0) ?? {};
}

function callOf({ name, arguments: text }: JsonObject): Call {
  return { name: stringOf(name) ?? '', arguments: stringOf(text) ?? '' };
}

/** Pieces of calls are joined by index. */
function callsOf(deltas: readonly JsonObject[]): Call[] {
  const calls = new Map<unknown, Call>();
  for (const { index, function: fn } of deltas) {
    const known = calls.get(index);
    const piece = callOf(objectOf(fn));
    calls.set(index, known ? { ...known, arguments: known.arguments + piece.arguments } : piece);
  }
  return [...calls.values()];
}
