import type { JsonObject } from '../../../src/wire/json.ts';
import type { Speech } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of Ollama's own API; their lines are read as the events that they are inside the proxy. */
export function ollama(kind: 'chat' | 'generate'): Speech {
  const messageOf = (event: JsonObject) =>
    kind === 'chat' ? objectOf(event.message) : { ...event, content: event.response };
  const answerOf = (events: readonly JsonObject[]) => {
    const messages = events.map(messageOf);
    const last = events.findLast(({ done }) => done === true);
    return {
      content: messages.map(({ content }) => stringOf(content) ?? '').join(''),
      calls: messages.flatMap(({ tool_calls: calls }) =>
        listOf(calls).map((call) => {
          const { name, arguments: args } = objectOf(objectOf(call).function);
          return { name: stringOf(name) ?? '', arguments: JSON.stringify(args ?? {}) };
        }),
      ),
      finish: stringOf(last?.done_reason) ?? null,
      usage: last,
    };
  };
  return {
    path: `/api/${kind}`,
    headers: {},
    request: (model, text, stream) => ({
      model,
      stream,
      ...(kind === 'chat' ? { messages: [{ role: 'user', content: text }] } : { prompt: text }),
    }),
    named: false,
    whole: (body) => answerOf([body]),
    streamed: answerOf,
    ends: (_, event) => event?.done === true,
    error({ error }) {
      if (typeof error !== 'string') return isObject(error) ? toldBy(error.message) : undefined;
      return toldBy(error);
    },
  };
}

function toldBy(message: unknown) {
  return { message: stringOf(message) ?? '', type: '', code: null };
}

/** Lines of JSON as events. */
export function linesAsEvents(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `data: ${line.trim()}\n\n`)
    .join('');
}
