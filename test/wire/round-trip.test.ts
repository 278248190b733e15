/** A chat request that is encoded in another protocol and decoded again is unchanged, as far as both can express it. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ChatMessage, ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { anthropicProtocol } from '../../src/wire/anthropic/protocol.ts';
import { clientOf } from '../../src/wire/clients.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { responsesProtocol } from '../../src/wire/responses/protocol.ts';
import { name, object, said } from '../helpers/answers.ts';

const PROTOCOLS = {
  messages: { protocol: anthropicProtocol, model: 'claude-opus-4-6' },
  responses: { protocol: responsesProtocol, model: 'gpt-4.1' },
} as const;

type Protocol = keyof typeof PROTOCOLS;

const context = { created: 1, newId: () => 'id', memory: NO_MEMORY };

const part = fc.oneof(
  said.map((text) => ({ type: 'text', text })),
  fc.webUrl().map((url) => ({ type: 'image_url', image_url: { url } })),
  fc
    .base64String({ minLength: 4, maxLength: 8 })
    .map((data) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } })),
);
const user = fc
  .oneof(said, fc.array(part, { minLength: 2, maxLength: 3 }))
  .map((content): ChatMessage => ({ role: 'user', content }));
const calls = fc.uniqueArray(fc.tuple(name, name, object, said), {
  maxLength: 3,
  selector: ([id]) => id,
});
const turn = fc.tuple(fc.option(said), calls).map(([text, list]): ChatMessage[] => {
  if (list.length === 0) return [{ role: 'assistant', content: text ?? 'Yes.' }];
  const tool_calls = list.map(([id, fn, value]) => ({
    id,
    type: 'function',
    function: { name: fn, arguments: JSON.stringify(value) },
  }));
  return [
    { role: 'assistant', content: text, tool_calls },
    ...list.map(([id, , , content]) => ({ role: 'tool', tool_call_id: id, content })),
  ];
});
const messages = fc
  .tuple(fc.option(said), user, fc.array(fc.tuple(turn, user), { maxLength: 3 }))
  .map(([system, first, rest]): ChatMessage[] => [
    ...(system === null ? [] : [{ role: 'system', content: system }]),
    first,
    ...rest.flatMap(([said, next]) => [...said, next]),
  ]);

const tool = fc.record({ name, description: said }).map((fn) => ({
  type: 'function',
  function: { ...fn, parameters: { type: 'object', properties: { x: { type: 'string' } } } },
}));

/** A schema that every provider accepts. */
const CLOSED = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };

/** Requests that use only what chat, Messages and Responses can all express. */
const requests = fc
  .record(
    {
      messages,
      max_tokens: fc.integer({ min: 16, max: 9_000 }),
      temperature: fc.constantFrom(0, 0.25, 1),
      top_p: fc.constantFrom(0.5, 1),
      user: name,
      stream: fc.constant(true as const),
      response_format: fc.constant({ type: 'json_schema', json_schema: { schema: CLOSED } }),
    },
    { requiredKeys: ['messages', 'max_tokens'] },
  )
  .chain((body) =>
    fc
      .tuple(fc.option(tool), fc.constantFrom('auto', 'none', 'required', 'named', undefined), fc.boolean())
      .map(([only, choice, single]) => {
        if (only === null || body.response_format) return body;
        const named = { type: 'function', function: { name: only.function.name } };
        return {
          ...body,
          tools: [only],
          ...(choice === undefined ? {} : { tool_choice: choice === 'named' ? named : choice }),
          ...(single && choice !== 'none' ? { parallel_tool_calls: false } : {}),
        };
      }),
  )
  .map((body) => body as unknown as ChatRequest);

/** The request with fields that differ between protocols replaced by common ones. */
function plain(request: ChatRequest): JsonObject {
  const { model: _, max_tokens, max_completion_tokens, user: id, safety_identifier, ...rest } = request;
  const { metadata: _m, stream_options: _s, response_format: format, tools, tool_choice, ...others } = rest;
  const meant = format?.type === 'json_schema' ? { schema: format.json_schema?.schema } : undefined;
  return {
    ...others,
    limit: max_completion_tokens ?? max_tokens,
    ...((safety_identifier ?? id) === undefined ? {} : { user: safety_identifier ?? id }),
    ...(meant ? { meant } : {}),
    ...(tools ? { tools: tools.map(({ function: { strict: _strict, ...fn } }) => fn) } : {}),
    // No tool choice means auto.
    ...(tool_choice === undefined || tool_choice === 'auto' ? {} : { tool_choice }),
    messages: request.messages.map(plainMessage),
  };
}

function plainMessage({ content, ...message }: ChatMessage): JsonObject {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  return {
    ...message,
    content: parts
      .filter((each) => each.type !== 'text' || each.text !== '')
      .map((each) => {
        const image = typeof each.image_url === 'object' ? { image_url: { url: each.image_url.url } } : {};
        const { cache_control: _, ...rest } = each;
        return { ...rest, ...image };
      }),
  };
}

function through(request: ChatRequest, by: Protocol): { request: ChatRequest; dropped: readonly string[] } {
  const { protocol, model } = PROTOCOLS[by];
  const { body, dropped } = protocol.encode(request, { ...context, model, quirks: {} });
  const read = clientOf(by).decode(body, context);
  return { request: read.request, dropped: [...dropped, ...read.dropped] };
}

test.each([
  ['messages', ['messages']],
  ['responses', ['responses']],
  ['messages, then responses', ['messages', 'responses']],
  ['responses, then messages', ['responses', 'messages']],
] as const)('a chat request that is converted to %s and back is unchanged', (_, ways) => {
  fc.assert(
    fc.property(requests, (request) => {
      let last = structuredClone(request);
      for (const way of ways) {
        const { request: read, dropped } = through(last, way);
        expect(dropped).toEqual([]);
        last = read;
      }
      expect(plain(last)).toEqual(plain(request));
    }),
    { numRuns: 300 },
  );
});
