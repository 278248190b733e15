import type { JsonObject } from '../../../src/wire/json.ts';
import type { Answer, Call, Speech, Told } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

const ENDS = new Set<unknown>(['response.completed', 'response.incomplete']);

/** Clients of OpenAI's Responses. */
export const responses: Speech = {
  path: '/v1/responses',
  headers: {},
  request: (model, text, stream) => ({ model, input: text, stream }),
  named: true,
  whole: (body) => answerOf(body),
  streamed(events) {
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    const last = events.find(({ type }) => ENDS.has(type));
    const end = answerOf(objectOf(last?.response));
    const content = deltas.map(({ delta }) => stringOf(delta) ?? '').join('');
    const calls = callsOf(events);
    return {
      ...end,
      content: deltas.length > 0 ? content : end.content,
      calls: calls.length > 0 ? calls : end.calls,
    };
  },
  ends: (_, event) => ENDS.has(event?.type),
  error(event) {
    const { error } = event.type === 'response.failed' ? objectOf(event.response) : event;
    // In OpenAI's reference, the fields of an `error` event are beside its type; its servers send them in an object.
    if (isObject(error)) return { type: 'error', ...error } as unknown as Told;
    return event.type === 'error' ? (event as unknown as Told) : undefined;
  },
};

/** An unstreamed response. */
function answerOf({ status, incomplete_details, output, usage }: JsonObject): Answer {
  const items = listOf(output).map(objectOf);
  const spoken = items.filter(({ type }) => type === 'message').flatMap(({ content }) => listOf(content));
  const reason = status === 'incomplete' ? objectOf(incomplete_details).reason : status;
  return {
    content: spoken.map((part) => stringOf(objectOf(part).text) ?? '').join(''),
    calls: items.filter(({ type }) => type === 'function_call').map(callOf),
    finish: status === 'completed' || status === 'incomplete' ? (stringOf(reason) ?? null) : null,
    usage: isObject(usage) ? usage : undefined,
  };
}

function callOf({ name, arguments: text }: JsonObject): Call {
  return { name: stringOf(name) ?? '', arguments: stringOf(text) ?? '' };
}

/** Calls are announced as items, and their pieces are joined by item id. */
function callsOf(events: readonly JsonObject[]): Call[] {
  const calls = new Map<unknown, Call>();
  for (const { type, item, item_id, delta } of events) {
    const { id, type: kind, ...announced } = objectOf(item);
    const known = calls.get(item_id);
    if (type === 'response.output_item.added' && kind === 'function_call') calls.set(id, callOf(announced));
    else if (type === 'response.function_call_arguments.delta' && known)
      calls.set(item_id, { ...known, arguments: known.arguments + (stringOf(delta) ?? '') });
  }
  return [...calls.values()];
}
