import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { converseProtocol } from '../../src/wire/bedrock/protocol.ts';
import { classifyBody } from '../../src/wire/classify.ts';

const MODEL = 'us.amazon.nova-pro-v1:0';
const schema = { type: 'object' };
const structured = { response_format: { type: 'json_schema', json_schema: { name: 'thing', schema } } };

function encoded(request: Partial<ChatRequest> = {}, memory = new Map<string, JsonObject>()) {
  return converseProtocol.encode(
    { model: 'any', messages: [{ role: 'user', content: 'Hi' }], ...request },
    {
      model: MODEL,
      quirks: {},
      created: 1,
      newId: () => 'abc',
      memory: { get: (id) => memory.get(id), set: (id, value) => void memory.set(id, value) },
    },
  );
}

const USAGE = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const usage = (input: number, output: number, cached = 0, cacheWrite = 0) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrite },
  completion_tokens_details: { reasoning_tokens: 0 },
});

const answer = (content: unknown[], stopReason = 'end_turn', more = {}) => ({
  output: { message: { role: 'assistant', content } },
  stopReason,
  usage: USAGE,
  metrics: { latencyMs: 1 },
  ...more,
});
const toolUse = (toolUseId: string, input: unknown = { a: 1 }, name = 'f') => ({
  toolUse: { toolUseId, name, input },
});
const toolCall = (id: string, json = '{"a":1}', name = 'f') => ({
  id,
  type: 'function',
  function: { name, arguments: json },
});
const choice = (request: Partial<ChatRequest>, body: JsonObject) => encoded(request).decode(body).choices[0];

describe('decode() of a Converse answer', () => {
  test('returns a chat completion with the text and the usage', () => {
    expect(encoded().decode(answer([{ text: 'Hel' }, { text: 'lo' }]))).toEqual({
      id: 'chatcmpl-abc',
      object: 'chat.completion',
      created: 1,
      model: MODEL,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: usage(10, 5),
    });
  });

  test('counts tokens read from and written to the cache as input', () => {
    const cached = { inputTokens: 2, outputTokens: 5, cacheReadInputTokens: 7, cacheWriteInputTokens: 11 };
    expect(encoded().decode(answer([], 'end_turn', { usage: cached })).usage).toEqual(usage(20, 5, 7, 11));
    expect(encoded().decode(answer([], 'end_turn', { usage: undefined })).usage).toBeUndefined();
  });

  test('returns reasoning and parallel calls in their order', () => {
    const memory = new Map<string, JsonObject>();
    const content = [
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 's' } } },
      { reasoningContent: { redactedContent: 'xyz' } },
      { text: 'So' },
      toolUse('a'),
      toolUse('b', {}),
    ];
    const thinking_blocks = [
      { type: 'thinking', thinking: 'Hm', signature: 's' },
      { type: 'redacted_thinking', data: 'xyz' },
    ];
    expect(encoded({}, memory).decode(answer(content, 'tool_use')).choices[0]).toEqual({
      index: 0,
      message: {
        role: 'assistant',
        content: 'So',
        refusal: null,
        reasoning_content: 'Hm',
        thinking_blocks,
        tool_calls: [toolCall('a'), toolCall('b', '{}')],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    });
    expect([...memory]).toEqual([]);
  });

  test('returns the text and URL citations of cited content', () => {
    const citations = [{ title: 'A', location: { web: { url: 'https://a.example' } } }];
    const cited = { citationsContent: { content: [{ text: 'It ' }, { text: 'is' }], citations } };
    const { content, annotations } = choice({}, answer([{ text: 'So. ' }, cited]))!.message;
    const page = { url: 'https://a.example', title: 'A', start_index: 4, end_index: 9 };
    expect([content, annotations]).toEqual(['So. It is', [{ type: 'url_citation', url_citation: page }]]);
  });

  test('reports the tools that the provider ran itself as parts', () => {
    const own = { toolUse: { ...toolUse('x').toolUse, type: 'server_tool_use' } };
    const said = choice({}, answer([own, { toolResult: { toolUseId: 'x' } }, { text: 'Done' }]));
    expect(said?.message).toEqual({
      role: 'assistant',
      content: 'Done',
      refusal: null,
      parts: [
        { type: 'hosted_call', id: 'x', name: 'f', input: '{"a":1}' },
        { type: 'hosted_result', id: 'x', name: 'f', sources: [] },
        { type: 'text', text: 'Done' },
      ],
    });
  });

  test('returns the input of the structured output tool as content, but calls of other tools as calls', () => {
    const only = choice(structured, answer([toolUse('x', { b: 2 }, 'thing')], 'tool_use'));
    expect(only).toMatchObject({ message: { content: '{"b":2}' }, finish_reason: 'stop' });
    expect(only?.message.tool_calls).toBeUndefined();
    expect(choice(structured, answer([toolUse('a')], 'tool_use'))).toMatchObject({
      message: { content: null, tool_calls: [toolCall('a')] },
      finish_reason: 'tool_calls',
    });
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'content_filter'],
    ['content_filtered', 'content_filter'],
    ['malformed_model_output', 'malformed_model_output'],
    ['malformed_tool_use', 'malformed_tool_use'],
    ['something_new', 'something_new'],
  ])('maps the stop reason %s to %s', (reason, finish) => {
    expect(choice({}, answer([{ text: 'x' }], reason))?.finish_reason).toBe(finish);
  });

  test.each([{}, { message: 'no' }, { output: null }, { output: { message: 'x' } }])(
    'refuses %j as malformed',
    (body) => {
      expect(() => encoded().decode(body)).toThrow(expect.objectContaining({ fault: 'malformed' }));
    },
  );

  test('skips content blocks that it cannot read', () => {
    const odd = [null, 'x', { text: 5 }, { toolUse: 'y' }, { reasoningContent: 1 }, { text: 'ok' }];
    expect(choice({}, answer(odd))?.message.content).toBe('ok');
  });
});

type Event = [event: string, data: unknown];
const delta = (contentBlockIndex: number, value: unknown): Event => [
  'contentBlockDelta',
  { contentBlockIndex, delta: value, p: 'abc' },
];
const start = (contentBlockIndex: number, toolUseId: string, name = 'f'): Event => [
  'contentBlockStart',
  { contentBlockIndex, start: { toolUse: { toolUseId, name } } },
];
const stop = (contentBlockIndex: number): Event => ['contentBlockStop', { contentBlockIndex }];
const first: Event = ['messageStart', { role: 'assistant' }];
const last = (stopReason = 'end_turn'): Event[] => [
  ['messageStop', { stopReason }],
  ['metadata', { usage: USAGE, metrics: { latencyMs: 1 } }],
];

function read(events: Event[], request: Partial<ChatRequest> = {}, memory = new Map<string, JsonObject>()) {
  const reader = encoded(request, memory).stream();
  const chunks = events.flatMap(([event, data]) => reader.push({ event, data: JSON.stringify(data) }));
  chunks.push(...reader.end());
  const said = chunks.map(({ choices: [one], usage: counted }) =>
    one ? [one.delta, one.finish_reason] : counted,
  );
  return { reader, chunks, said };
}

const ROLE = [{ role: 'assistant', content: '' }, null];

describe('stream() of a Converse answer', () => {
  test('begins with the role, passes on text, and ends with the usage', () => {
    const { reader, chunks } = read([
      first,
      delta(0, { text: 'Hel' }),
      delta(0, { text: 'lo' }),
      stop(0),
      ...last(),
    ]);
    const chunk = (value: unknown, finish_reason: string | null = null) => ({
      id: 'chatcmpl-abc',
      object: 'chat.completion.chunk',
      created: 1,
      model: MODEL,
      choices: [{ index: 0, delta: value, logprobs: null, finish_reason }],
    });
    expect(chunks as unknown).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      { ...chunk({}), choices: [], usage: usage(10, 5) },
    ]);
    expect([reader.done, reader.error, reader.malformed]).toEqual([true, undefined, 0]);
  });

  test('numbers parallel calls and sends each its arguments', () => {
    const { said } = read([
      first,
      delta(0, { text: 'Look' }),
      stop(0),
      start(1, 'a'),
      delta(1, { toolUse: { input: '{"a"' } }),
      delta(1, { toolUse: { input: ':1}' } }),
      stop(1),
      start(2, 'b', 'g'),
      delta(2, { toolUse: { input: '' } }),
      stop(2),
      ...last('tool_use'),
    ]);
    const call = (index: number, id: string, name: string) => [
      { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
      null,
    ];
    const args = (index: number, json: string) => [
      { tool_calls: [{ index, function: { arguments: json } }] },
      null,
    ];
    expect(said as unknown).toEqual([
      ROLE,
      [{ content: 'Look' }, null],
      call(0, 'a', 'f'),
      args(0, '{"a"'),
      args(0, ':1}'),
      call(1, 'b', 'g'),
      args(1, '{}'),
      [{}, 'tool_calls'],
      usage(10, 5),
    ]);
  });

  test('sends signed and redacted reasoning as thinking blocks', () => {
    const memory = new Map<string, JsonObject>();
    const events: Event[] = [
      first,
      delta(0, { reasoningContent: { text: 'H' } }),
      delta(0, { reasoningContent: { text: 'm' } }),
      delta(0, { reasoningContent: { text: '' } }),
      delta(0, { reasoningContent: { signature: 'sig' } }),
      stop(0),
      delta(1, { reasoningContent: { redactedContent: 'xyz' } }),
      stop(1),
      start(2, 'a'),
      stop(2),
      ...last('tool_use'),
    ];
    const thinking = { type: 'thinking', thinking: 'Hm', signature: 'sig' };
    const redacted = { type: 'redacted_thinking', data: 'xyz' };
    const { said } = read(events, {}, memory);
    expect(said.slice(0, 5) as unknown).toEqual([
      ROLE,
      [{ reasoning_content: 'H' }, null],
      [{ reasoning_content: 'm' }, null],
      [{ thinking_blocks: [thinking] }, null],
      [{ thinking_blocks: [redacted] }, null],
    ]);
    expect([...memory]).toEqual([]);
  });

  test('sends the input of the structured output tool as content', () => {
    const { said } = read(
      [
        first,
        start(0, 'x', 'thing'),
        delta(0, { toolUse: { input: '{"b":2}' } }),
        stop(0),
        ...last('tool_use'),
      ],
      structured,
    );
    expect(said as unknown).toEqual([ROLE, [{ content: '{"b":2}' }, null], [{}, 'stop'], usage(10, 5)]);
  });

  test('reports the tools that the provider ran itself as parts', () => {
    const own = { toolUse: { toolUseId: 'x', name: 'nova_grounding', type: 'server_tool_use' } };
    const { said } = read([
      first,
      ['contentBlockStart', { contentBlockIndex: 0, start: own }],
      delta(0, { toolUse: { input: '{}' } }),
      stop(0),
      ['contentBlockStart', { contentBlockIndex: 1, start: { toolResult: { toolUseId: 'x' } } }],
      delta(1, { toolResult: [{ text: 'found' }] }),
      stop(1),
      delta(2, { citation: { title: 'x' } }),
      delta(2, { text: 'Yes' }),
      ...last(),
    ]);
    const named = { id: 'x', name: 'web_search' };
    expect(said as unknown).toEqual([
      ROLE,
      [{ parts: [{ type: 'hosted_call', ...named, input: '{}' }] }, null],
      [{ parts: [{ type: 'hosted_result', ...named, sources: [], output: 'found' }] }, null],
      [{ content: 'Yes' }, null],
      [
        {
          annotations: [
            {
              type: 'document_citation',
              document: 0,
              title: 'x',
              cited_text: '',
              start_index: 0,
              end_index: 3,
            },
          ],
        },
        null,
      ],
      [{}, 'stop'],
      usage(10, 5),
    ]);
  });

  test('reads blocks that start late, never stop or share an index', () => {
    const { said } = read([
      delta(0, { text: 'Hi' }),
      start(0, 'a'),
      start(0, 'b'),
      ['metadata', { usage: USAGE }],
      ['messageStop', { stopReason: 'tool_use' }],
      ['messageStop', { stopReason: 'end_turn' }],
    ]);
    const calls = said
      .slice(2, 6)
      .map((one) => (one as unknown as [{ tool_calls: JsonObject[] }])[0].tool_calls[0]);
    expect(calls).toMatchObject([
      { index: 0, id: 'a' },
      { index: 0, function: { arguments: '{}' } },
      { index: 1, id: 'b' },
      { index: 1, function: { arguments: '{}' } },
    ]);
    expect(said.slice(6) as unknown).toEqual([[{}, 'tool_calls'], usage(10, 5)]);
  });

  test('is done once it has a stop reason, and not before', () => {
    expect(read([first, delta(0, { text: 'x' }), stop(0)]).reader.done).toBeFalse();
    const { reader, said } = read([first, ...last('max_tokens').slice(0, 1)]);
    expect(reader.done).toBeTrue();
    expect(said as unknown).toEqual([ROLE, [{}, 'length']]);
  });

  test.each<[string, string, string]>([
    ['throttlingException', 'rate_limit_error', 'rate_limited'],
    ['serviceUnavailableException', 'overloaded_error', 'overloaded'],
    ['modelTimeoutException', 'api_error', 'server'],
    ['internalServerException', 'api_error', 'server'],
    ['modelStreamErrorException', 'api_error', 'server'],
    ['validationException', 'invalid_request_error', 'invalid_request'],
    ['somethingNewException', 'api_error', 'server'],
  ])('reports the exception %s as the error type %s', (event, type, fault) => {
    const { reader, said } = read([first, [event, { message: 'Sorry' }]]);
    expect(said as unknown).toEqual([ROLE]);
    expect(reader.error).toEqual({ type: 'error', error: { type, message: `${event}: Sorry` } });
    expect(classifyBody(reader.error)?.fault as string).toBe(fault);
    expect(reader.done).toBeFalse();
  });

  test('recognizes the exception for a prompt that is too long', () => {
    const { reader } = read([['validationException', { message: 'Input is too long for requested model.' }]]);
    expect(classifyBody(reader.error)?.fault).toBe('context_length');
  });

  test('counts events that it cannot parse, but not unknown ones', () => {
    const reader = encoded().stream();
    expect(reader.push({ event: 'contentBlockDelta', data: '{"x' })).toEqual([]);
    expect(reader.push({ event: 'messageStart', data: '[]' })).toEqual([]);
    expect(reader.push({ event: 'initial-response', data: '{}' })).toEqual([]);
    expect(reader.malformed).toBe(2);
  });
});
