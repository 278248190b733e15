import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { running } from '../helpers/proxy.ts';
import { pieces, sse, upstream } from '../helpers/upstream.ts';

const claude = (url: string, extra: object = {}) => ({
  providers: [
    {
      name: 'anthropic',
      type: 'anthropic' as const,
      base_url: url,
      api_key: 'sk-ant-test-key',
      retry_delay: '1ms',
      ...extra,
    },
  ],
});

const REQUEST = {
  model: 'claude-sonnet-4-5',
  messages: [
    { role: 'system', content: 'be brief' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    },
    { role: 'tool', tool_call_id: 'toolu_1', content: 'done' },
    { role: 'user', content: 'and now?' },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'f',
        description: 'd',
        parameters: { type: 'object', properties: { a: { type: 'number' } } },
      },
    },
  ],
  tool_choice: 'required',
  stop: ['END'],
  temperature: 1.5,
  max_tokens: 100,
  seed: 7,
};

const USAGE = {
  input_tokens: 10,
  cache_read_input_tokens: 5,
  cache_creation_input_tokens: 2,
  output_tokens: 7,
};

test('a chat request is translated to Messages, and its answer to a chat completion', async () => {
  await using provided = upstream(() =>
    Response.json({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'text', text: 'Calling.' },
        { type: 'tool_use', id: 'toolu_2', name: 'f', input: { a: 2 } },
      ],
      stop_reason: 'tool_use',
      usage: USAGE,
    }),
  );
  await using proxy = running(claude(provided.url));
  const response = await proxy.post('/v1/chat/completions', REQUEST);
  const sent = JSON.parse(provided.asked[0]!.text);
  expect(provided.asked[0]!.path).toBe('/v1/messages');
  expect(provided.asked[0]!.headers.get('x-api-key')).toBe('sk-ant-test-key');
  expect(provided.asked[0]!.headers.get('anthropic-version')).toBe('2023-06-01');
  expect(sent).toMatchObject({
    model: 'claude-sonnet-4-5',
    max_tokens: 100,
    system: [{ type: 'text', text: 'be brief' }],
    temperature: 1,
    stop_sequences: ['END'],
    tool_choice: { type: 'any' },
    tools: [{ name: 'f', description: 'd', input_schema: { type: 'object' } }],
  });
  expect(sent.messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' },
        { type: 'text', text: 'and now?' },
      ],
    },
  ]);
  expect(await response.json()).toMatchObject({
    id: 'chatcmpl-msg_1',
    object: 'chat.completion',
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: 'Calling.',
          reasoning_content: 'hm',
          tool_calls: [{ id: 'toolu_2', type: 'function', function: { name: 'f', arguments: '{"a":2}' } }],
        },
      },
    ],
    usage: {
      prompt_tokens: 17,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
    },
  });
  expect(response.headers.get('x-llmproxy-dropped')).toBe('seed');
  expect(Number(response.headers.get('x-llmproxy-cost'))).toBeGreaterThan(0);
  expect((await proxy.recorded(1))[0]).toMatchObject({
    lane: 'translate',
    input_tokens: 17,
    cached_tokens: 5,
    output_tokens: 7,
  });
});

const EVENTS: readonly object[] = [
  {
    type: 'message_start',
    message: { id: 'msg_2', model: 'claude-x', usage: { input_tokens: 9, output_tokens: 1 } },
  },
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'let me' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'S' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hé' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'llo' } },
  { type: 'content_block_stop', index: 1 },
  {
    type: 'content_block_start',
    index: 2,
    content_block: { type: 'tool_use', id: 'toolu_3', name: 'g', input: {} },
  },
  { type: 'content_block_stop', index: 2 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 12 } },
  { type: 'message_stop' },
];

const text = (events: readonly object[]) =>
  events
    .map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');

test.each([
  [[1], false],
  [[17, 3], false],
  [[9999], false],
  [[13], true],
])('a Messages stream is translated to chat chunks, cut into %j, compressed %p', async (sizes, packed) => {
  const plain = new TextEncoder().encode(text(EVENTS));
  const bytes = packed ? gzipSync(plain) : plain;
  await using provided = upstream(() =>
    sse(pieces(bytes, sizes as number[]), packed ? { 'content-encoding': 'gzip' } : {}),
  );
  await using proxy = running(claude(provided.url));
  const body = { ...REQUEST, stream: true, stream_options: { include_usage: true } };
  const got = await (await proxy.post('/v1/chat/completions', body)).text();
  expect(got.endsWith('data: [DONE]\n\n')).toBe(true);
  const chunks = got
    .trimEnd()
    .split('\n\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line.slice('data: '.length)));
  const deltas = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta);
  expect(deltas[0].role).toBe('assistant');
  expect(deltas.map((delta) => delta.content ?? '').join('')).toBe('Héllo');
  expect(deltas.flatMap((delta) => delta.tool_calls ?? [])).toEqual([
    { index: 0, id: 'toolu_3', type: 'function', function: { name: 'g', arguments: '' } },
    { index: 0, function: { arguments: '{}' } },
  ]);
  expect(deltas.find((delta) => delta.thinking_blocks).thinking_blocks).toEqual([
    { type: 'thinking', thinking: 'let me', signature: 'S' },
  ]);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 12 } });
  expect(chunks.at(-2).choices[0].finish_reason).toBe('tool_calls');
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({
    outcome: 'success',
    finish: 'tool_calls',
    input_tokens: 9,
    output_tokens: 12,
  });
  expect(JSON.parse(record!.response!).choices[0].message).toMatchObject({
    content: 'Héllo',
    reasoning_content: 'let me',
  });
});

test('an error event after content becomes OpenAI’s in-band error', async () => {
  const failing = [
    ...EVENTS.slice(0, 9),
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  ];
  await using provided = upstream(() => sse(text(failing)));
  await using proxy = running(claude(provided.url));
  const got = await (await proxy.post('/v1/chat/completions', { ...REQUEST, stream: true })).text();
  const last = JSON.parse(got.trimEnd().split('\n\n').at(-1)!.slice('data: '.length));
  expect(last.error.message).toContain('Overloaded');
  expect(got).not.toContain('[DONE]');
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'truncated', fault: 'overloaded' });
});

test('Anthropic’s errors reach the client in OpenAI’s shape', async () => {
  const error = {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' },
  };
  await using provided = upstream(() => Response.json(error, { status: 400 }));
  await using proxy = running(claude(provided.url));
  const response = await proxy.post('/v1/chat/completions', REQUEST);
  const body = (await response.json()) as { error: { message: string; type: string } };
  expect(response.status).toBe(400);
  expect(body.error.message).toContain('prompt is too long');
  expect((await proxy.recorded(1))[0]!.fault).toBe('context_length');
});

test('structured output on a model without it uses a tool call, which is returned as content', async () => {
  await using provided = upstream(() =>
    Response.json({
      id: 'm',
      model: 'claude-3-haiku',
      content: [{ type: 'tool_use', id: 't', name: 'person', input: { name: 'Ann' } }],
      stop_reason: 'tool_use',
      usage: USAGE,
    }),
  );
  await using proxy = running(claude(provided.url));
  const format = { type: 'json_schema', json_schema: { name: 'person', schema: { type: 'object' } } };
  const body = {
    model: 'claude-3-haiku-20240307',
    messages: [{ role: 'user', content: 'x' }],
    response_format: format,
  };
  const answer = (await (await proxy.post('/v1/chat/completions', body)).json()) as {
    choices: { message: { content: string }; finish_reason: string }[];
  };
  expect(JSON.parse(provided.asked[0]!.text).tool_choice).toEqual({ type: 'tool', name: 'person' });
  expect([answer.choices[0]!.message.content, answer.choices[0]!.finish_reason]).toEqual([
    '{"name":"Ann"}',
    'stop',
  ]);
});
