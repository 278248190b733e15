/** What holds between Messages, whole or streamed, and chat, whatever they say. Failures print their seed. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ChatChunk, ChatDelta, ChatResponse } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { messageAssembler } from '../../src/wire/anthropic/assemble.ts';
import { messagesClient } from '../../src/wire/anthropic/client.ts';
import { encodeAnthropicRequest } from '../../src/wire/anthropic/request.ts';
import { objectOf, parseJson } from '../../src/wire/json.ts';
import { encodeOpenaiUsage } from '../../src/wire/usage.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { cutAt, cuts } from '../properties/cuts.ts';

const context = { created: 1, newId: () => 'n' };
const memory = { get: () => undefined, set: () => undefined };

const said = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const object = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });

const thoughts = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('thinking'), thinking: fc.string({ maxLength: 20 }), signature: said }),
    fc.record({ type: fc.constant('redacted_thinking'), data: said }),
    fc.record({
      type: fc.constant('encrypted'),
      id: name,
      summary: fc.constant([]),
      encrypted_content: said,
    }),
  ),
  { maxLength: 3 },
);

interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

const calls: fc.Arbitrary<Call[]> = fc.uniqueArray(
  fc.record({
    id: name,
    name,
    arguments: fc.oneof(
      object.map((value) => JSON.stringify(value)),
      object.map((value) => JSON.stringify(value, null, 2)),
      fc.constant(''),
    ),
  }),
  { maxLength: 3, selector: ({ id }) => id },
);

const count = fc.nat(1_000);
const usage = fc
  .tuple(count, count, count, count)
  .map(([plain, cached, cacheWrite, reasoning]) =>
    encodeOpenaiUsage({ input: plain + cached + cacheWrite, cached, cacheWrite, output: 1_000, reasoning }),
  );

const answers = fc.record({
  blocks: thoughts,
  unsigned: fc.string({ maxLength: 20 }),
  content: fc.option(fc.string({ unit: 'grapheme', maxLength: 30 })),
  refusal: fc.option(said, { freq: 8 }),
  calls,
  finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'error'),
  sequence: fc.option(fc.constantFrom('END', 'other'), { nil: undefined }),
  usage: fc.option(usage, { nil: undefined }),
});
type Answer = typeof answers extends fc.Arbitrary<infer T> ? T : never;

const reasoningOf = ({ blocks, unsigned }: Answer) => {
  const signed = blocks.flatMap((block) => ('thinking' in block ? [block.thinking] : []));
  return signed.length > 0 ? signed.join('') : unsigned;
};

function whole(answer: Answer): ChatResponse {
  const { blocks, content, refusal, finish, sequence } = answer;
  const reasoning = reasoningOf(answer);
  const message = {
    role: 'assistant',
    content,
    refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(blocks.length > 0 ? { thinking_blocks: blocks } : {}),
    ...(answer.calls.length > 0
      ? { tool_calls: answer.calls.map(({ id, ...fn }) => ({ id, type: 'function', function: fn })) }
      : {}),
  };
  const choice = { index: 0, message, finish_reason: finish, ...(sequence ? { stop_reason: sequence } : {}) };
  const top = { id: 'c', object: 'chat.completion' as const, created: 1, model: 'm' };
  return { ...top, choices: [choice], ...(answer.usage ? { usage: answer.usage } : {}) };
}

/** The deltas of the calls, their arguments in pieces and mixed, but begun in their order. */
function callDeltas(list: readonly Call[], places: readonly number[], mixed: boolean): ChatDelta[] {
  const queues = list.map(({ id, name, arguments: text }, index) =>
    cutAt(text, places).map((piece, n) => ({
      index,
      ...(n === 0 ? { id, type: 'function' as const } : {}),
      function: { ...(n === 0 ? { name } : {}), arguments: piece },
    })),
  );
  const longest = Math.max(0, ...queues.map(({ length }) => length));
  const rows = Array.from({ length: longest }, (_, n) => queues.flatMap((queue) => queue[n] ?? []));
  return (mixed ? rows.flat() : queues.flat()).map((call) => ({ tool_calls: [call] }));
}

function chunksOf(answer: Answer, places: readonly number[], mixed: boolean, late: boolean): ChatChunk[] {
  const { blocks, unsigned, content, refusal, finish, sequence } = answer;
  const spoken = blocks.some(({ type }) => type === 'thinking') ? '' : unsigned;
  const deltas: ChatDelta[] = [
    { role: 'assistant', content: '' },
    ...cutAt(spoken, places).map((piece) => ({ reasoning_content: piece })),
    ...blocks.flatMap((block) => [
      ...('thinking' in block ? cutAt(block.thinking, places) : []).map((piece) => ({
        reasoning_content: piece,
      })),
      { thinking_blocks: [block] },
    ]),
    ...cutAt(content ?? '', places).map((piece) => ({ content: piece })),
    ...cutAt(refusal ?? '', places).map((piece) => ({ refusal: piece })),
    ...callDeltas(answer.calls, places, mixed),
  ];
  const top = { id: 'c', object: 'chat.completion.chunk' as const, created: 1, model: 'm' };
  const chunks: ChatChunk[] = deltas.map((delta) => ({
    ...top,
    choices: [{ index: 0, delta, finish_reason: null }],
  }));
  const end = { index: 0, delta: {}, finish_reason: finish, ...(sequence ? { stop_reason: sequence } : {}) };
  // Some servers put the usage beside the finish reason.
  if (late) return [...chunks, { ...top, choices: [end], usage: answer.usage ?? null }];
  const last = answer.usage ? [{ ...top, choices: [], usage: answer.usage }] : [];
  return [...chunks, { ...top, choices: [end] }, ...last];
}

const understood = messagesClient.decode(
  { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }], stop_sequences: ['END'] },
  context,
);

test('a streamed answer keeps the grammar and makes the message that the whole answer is', () => {
  fc.assert(
    fc.property(answers, cuts, fc.boolean(), fc.boolean(), (answer, places, mixed, late) => {
      const writer = understood.stream();
      let sse = '';
      for (const chunk of chunksOf(answer, places, mixed, late)) sse += writer.push(chunk);
      sse += writer.end();
      const { message, problems } = checkMessagesStream(sse);
      expect(problems).toEqual([]);
      expect(message).toEqual(understood.encode(whole(answer)));
      const assembler = messageAssembler();
      for (const { value } of framesOf(sse, [])) assembler.push(objectOf(value));
      expect(assembler.result()).toEqual(message);
    }),
    { numRuns: 500 },
  );
});

test('what a message shows of reasoning comes back as the model gave it', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const { content } = understood.encode(whole(answer));
      const turns = [
        { role: 'assistant', content },
        { role: 'user', content: 'go on' },
      ];
      const { request } = messagesClient.decode({ model: 'm', max_tokens: 1, messages: turns }, context);
      const message = request.messages.find(({ role }) => role === 'assistant');
      expect(message?.thinking_blocks ?? []).toEqual(answer.blocks);
      expect(message?.reasoning_content ?? '').toBe(reasoningOf(answer));
      expect(
        message?.tool_calls?.map(({ id, function: fn }) => [id, fn.name, parseJson(fn.arguments)]),
      ).toEqual(
        answer.calls.length === 0
          ? undefined
          : answer.calls.map((call) => [call.id, call.name, parseJson(call.arguments || '{}')]),
      );
    }),
  );
});

const cache = fc.option(fc.constant({ cache_control: { type: 'ephemeral' } }), { nil: {}, freq: 2 });
const marked = <T extends JsonObject>(blocks: fc.Arbitrary<T>) =>
  fc.tuple(blocks, cache).map(([block, mark]) => ({ ...block, ...mark }) as JsonObject);
const textBlock = said.map((text) => ({ type: 'text', text }));
const base64 = fc.base64String({ minLength: 4, maxLength: 8 });
const source = fc.oneof(
  base64.map((data) => ({ type: 'base64', media_type: 'image/png', data })),
  fc.webUrl().map((url) => ({ type: 'url', url })),
  name.map((file_id) => ({ type: 'file', file_id })),
);
const userBlock = marked(
  fc.oneof<fc.Arbitrary<JsonObject>[]>(
    textBlock,
    source.map((from) => ({ type: 'image', source: from })),
    fc.record({ type: fc.constant('document'), source, title: said }),
  ),
);
const result = marked(
  fc.record<JsonObject>(
    {
      type: fc.constant('tool_result'),
      tool_use_id: name,
      content: said,
      is_error: fc.constant(true),
    },
    { requiredKeys: ['type', 'tool_use_id', 'content'] },
  ),
);
const userTurn = fc
  .tuple(fc.array(result, { maxLength: 2 }), fc.array(userBlock, { minLength: 1, maxLength: 3 }))
  .map(([results, blocks]) => ({ role: 'user', content: [...results, ...blocks] }));
const signed = thoughts.map((list) => list.filter(({ type }) => type !== 'encrypted'));
const toolUse = marked(fc.record({ type: fc.constant('tool_use'), id: name, name, input: object }));
const assistantTurn = fc
  .tuple(signed, marked(textBlock), fc.array(toolUse, { maxLength: 2 }))
  .map(([list, text, uses]) => ({ role: 'assistant', content: [...list, text, ...uses] as JsonObject[] }));
const turns = fc
  .tuple(fc.array(fc.tuple(userTurn, assistantTurn), { maxLength: 3 }), userTurn)
  .map(([pairs, last]) => [...pairs.flat(), last]);

const tool = marked(
  fc.record<JsonObject>(
    { name, description: said, input_schema: fc.constant({ type: 'object' }), strict: fc.constant(true) },
    { requiredKeys: ['name', 'input_schema'] },
  ),
);
const choice = (list: readonly JsonObject[], free: boolean) => {
  const kinds = ['auto', 'none', ...(free ? ['any', 'tool'] : [])];
  return fc.tuple(fc.constantFrom(...kinds), fc.boolean()).map(([type, single]) => ({
    type,
    ...(type === 'tool' ? { name: list[0]!.name } : {}),
    ...(single && type !== 'none' ? { disable_parallel_tool_use: true } : {}),
  }));
};
const thinking = fc.constantFrom<JsonObject | undefined>(
  undefined,
  { type: 'disabled' },
  { type: 'enabled', budget_tokens: 4_096, display: 'omitted' },
);

/** Requests that say no more than both sides can. */
const requests: fc.Arbitrary<JsonObject> = fc
  .tuple(fc.array(tool, { maxLength: 2 }), thinking)
  .chain(([tools, thought]) => {
    const free = thought?.type !== 'enabled';
    const some: Record<string, fc.Arbitrary<unknown>> = {
      system: fc.array(marked(textBlock), { minLength: 1, maxLength: 3 }),
      stream: fc.constant(true),
      stop_sequences: fc.array(name, { minLength: 1, maxLength: 4 }),
      metadata: fc.record({ user_id: fc.string({ minLength: 1, maxLength: 200 }) }),
      service_tier: fc.constantFrom('auto', 'standard_only'),
      output_config: fc.constantFrom(
        { effort: 'max' },
        { format: { type: 'json_schema', schema: { type: 'object' } } },
        { effort: 'low', format: { type: 'json_schema', schema: { type: 'string' } } },
      ),
      cache_control: fc.constant({ type: 'ephemeral', ttl: '1h' }),
      ...(tools.length > 0 ? { tool_choice: choice(tools, free) } : {}),
      ...(free
        ? {
            temperature: fc.double({ min: 0, max: 1, noNaN: true }),
            top_p: fc.constantFrom(0, 0.5, 1),
            top_k: fc.nat(500),
          }
        : {}),
    };
    const model = fc.constant('claude-sonnet-4-5');
    const needed = { model, max_tokens: fc.integer({ min: 8_192, max: 64_000 }), messages: turns };
    return fc
      .record({ ...needed, ...some }, { requiredKeys: ['model', 'max_tokens', 'messages'] })
      .map((body) => ({
        ...body,
        ...(tools.length > 0 ? { tools } : {}),
        ...(thought ? { thinking: thought } : {}),
      }));
  });

test('a Messages request through chat to Anthropic is what it was', () => {
  fc.assert(
    fc.property(requests, (body) => {
      const { request, dropped } = messagesClient.decode(structuredClone(body), context);
      const encoded = encodeAnthropicRequest(request, { model: request.model, memory });
      expect([...dropped, ...encoded.dropped]).toEqual([]);
      expect(encoded.body).toEqual(body);
    }),
    { numRuns: 300 },
  );
});
