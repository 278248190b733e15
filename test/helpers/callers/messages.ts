import type { JsonObject } from '../../../src/wire/json.ts';
import type { Call, Speech, Told } from './speech.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../src/wire/json.ts';

/** Clients of Anthropic's Messages. */
export const messages: Speech = {
  path: '/v1/messages',
  headers: { 'anthropic-version': '2023-06-01' },
  request: (model, text, stream) => ({
    model,
    max_tokens: 1_024,
    messages: [{ role: 'user', content: text }],
    stream,
  }),
  named: true,
  whole({ content, stop_reason: reason, usage }) {
    const blocks = listOf(content).map(objectOf);
    return {
      content: blocks.map(textOf).join(''),
      calls: blocks.filter(isCall).map(({ name, input }) => callOf(name, JSON.stringify(input))),
      finish: stringOf(reason) ?? null,
      usage: isObject(usage) ? usage : undefined,
    };
  },
  streamed(events) {
    const of = (type: string) => events.filter((event) => event.type === type);
    const blocks = of('content_block_start').map((event) => objectOf(event.content_block));
    const deltas = of('content_block_delta').map((event) => objectOf(event.delta));
    const last = of('message_delta').at(-1);
    const usages = [
      ...of('message_start').map(({ message }) => objectOf(message).usage),
      ...of('message_delta').map(({ usage }) => usage),
    ].filter(isObject);
    return {
      content: [...blocks, ...deltas.filter(({ type }) => type === 'text_delta')].map(textOf).join(''),
      calls: callsOf(events),
      finish: stringOf(objectOf(last?.delta).stop_reason) ?? null,
      usage: usages.length > 0 ? Object.assign({}, ...usages) : undefined,
    };
  },
  ends: (_, event) => event?.type === 'message_stop',
  error({ type, error, request_id }) {
    if (type !== 'error' && error === undefined) return undefined;
    return { code: null, ...objectOf(error), request_id } as Told;
  },
};

function isCall({ type }: JsonObject): boolean {
  return type === 'tool_use';
}

function textOf({ text }: JsonObject): string {
  return stringOf(text) ?? '';
}

function callOf(name: unknown, text: string): Call {
  return { name: stringOf(name) ?? '', arguments: text };
}

/** Pieces of calls are joined by the index of their block. */
function callsOf(events: readonly JsonObject[]): Call[] {
  const calls = new Map<unknown, Call>();
  for (const { index, content_block, delta } of events) {
    const block = objectOf(content_block);
    const known = calls.get(index);
    const piece = stringOf(objectOf(delta).partial_json) ?? '';
    if (isCall(block)) calls.set(index, callOf(block.name, ''));
    else if (known) calls.set(index, { ...known, arguments: known.arguments + piece });
  }
  return [...calls.values()];
}
