/**
 * Answers without the shape of their protocol are malformed for every client: another target is tried, and they are
 * never passed on.
 */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { rawUpstream } from '../helpers/raw-upstream.ts';
import { speaker, speakerConfig, SPEAKERS, eventStream } from '../helpers/speakers.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

const clients = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];

/** Bodies with status 200 that are not valid answers, by protocol. */
const BODIES: Readonly<Record<SpeakerName, readonly unknown[]>> = {
  chat: [
    [],
    [{ choices: [{ message: { content: 'x' } }] }],
    {},
    { choices: [] },
    { choices: {} },
    { choices: [null] },
    { choices: 'x' },
    { choices: [{ message: null }] },
    { choices: [{ message: [] }] },
    { choices: [{ message: { content: 5 } }] },
    { choices: [{ message: { content: null, tool_calls: {} } }] },
    { choices: [{ message: { content: null, tool_calls: [null] } }] },
    { choices: [{ message: { content: null, tool_calls: [{ function: 'f' }] } }] },
  ],
  messages: [
    [],
    {},
    { content: 'x' },
    { content: {} },
    { content: [null] },
    { content: [{ type: 'text', text: 5 }] },
    { content: [{ type: 'tool_use', name: null, input: {} }] },
    { content: [{ type: 'tool_use', name: 'f', input: 'x' }] },
  ],
  responses: [
    [],
    {},
    { output: {} },
    { output: [null] },
    { output: 'x' },
    { output: [{ type: 'message', content: {} }] },
    { output: [{ type: 'function_call', name: 5, arguments: '{}' }] },
  ],
  gemini: [
    [],
    {},
    { candidates: {} },
    { candidates: [] },
    { candidates: [null] },
    { candidates: [{ content: [] }] },
    { candidates: [{ content: { parts: {} } }] },
    { candidates: [{ content: { parts: [{ functionCall: { name: 1 } }] } }] },
  ],
  converse: [[], {}, { output: {} }, { output: { message: [] } }, { output: { message: { content: {} } } }],
  cohere: [[], {}, { message: [] }, { message: { content: {} } }, { message: { tool_calls: [null] } }],
};

const bodies = (Object.keys(BODIES) as SpeakerName[]).flatMap((name) =>
  BODIES[name].map((body) => [name, JSON.stringify(body)] as const),
);

describe.each(clients)('a %s client', (client) => {
  const { path, request, error } = CLIENTS[client];

  test.each(bodies)('receives no malformed %s answer: %s', async (name, body) => {
    await using odd = upstream(() => new Response(body, { headers: { 'content-type': 'application/json' } }));
    await using good = speaker(name, 'whole');
    const [first, second] = [
      { ...speakerConfig(name, odd.url), name: 'odd' },
      { ...speakerConfig(name, good.url), name: 'good' },
    ];
    await using alone = running({ providers: [first] });
    const refused = await alone.post(path, request);
    expect(refused.status).toBe(502);
    expect(error((await refused.json()) as JsonObject).message).toContain('answer of odd/m-1');
    expect((await alone.recorded(1))[0]).toMatchObject({ outcome: 'error', fault: 'malformed' });
    await using pair = running({
      providers: [
        { ...first, priority: 1 },
        { ...second, priority: 2 },
      ],
    });
    const answered = await pair.post(path, request);
    expect([answered.status, answered.headers.get('x-llmproxy-provider')]).toEqual([200, 'good']);
  });

  test.each([600, 999, 204, 205, 206])('receives no answer with status %i', async (status) => {
    const whole = JSON.stringify(SPEAKERS[client].whole);
    const reply = `HTTP/1.1 ${status} Odd\r\ncontent-type: application/json\r\nconnection: close\r\n`;
    await using odd = await rawUpstream(
      `${reply}content-length: ${Buffer.byteLength(whole)}\r\n\r\n${whole}`,
    );
    for (const stream of [false, true]) {
      await using good = speaker(client, stream ? 'stream' : 'whole');
      const first = { ...speakerConfig(client, odd.url), name: 'odd', priority: 1 };
      await using alone = running({ providers: [first] });
      expect((await alone.post(path, { ...request, stream })).status).toBe(502);
      expect((await alone.recorded(1))[0]).toMatchObject({ status: 502, fault: 'malformed' });
      const second = { ...speakerConfig(client, good.url), name: 'good', priority: 2 };
      await using pair = running({ providers: [first, second] });
      const answered = await pair.post(path, { ...request, stream });
      expect([answered.status, answered.headers.get('x-llmproxy-provider')]).toEqual([200, 'good']);
      await answered.text();
    }
  });
});

test.each([
  ['/v1/audio/speech', { model: 'gpt-tts', input: 'x' }],
  ['/v1/moderations', { model: 'gpt-mod', input: 'x' }],
  ['/v1/images/generations', { model: 'gpt-image', prompt: 'x' }],
])('an answer of %s, which is passed on unparsed, must have a valid status', async (path, request) => {
  await using odd = await rawUpstream('HTTP/1.1 799 Odd\r\ncontent-length: 2\r\n\r\n{}');
  await using good = upstream(() => Response.json({ anything: null }));
  const first = provider('a', odd.url, { priority: 1, max_retries: 0 });
  await using proxy = running({ providers: [first, provider('b', good.url, { priority: 2 })] });
  const reply = await proxy.post(path, request);
  expect([reply.status, await reply.json()]).toEqual([200, { anything: null }]);
  expect((await proxy.recorded(1))[0]!.attempt_log).toMatchObject([{ fault: 'malformed', status: 799 }, {}]);
});

test.each([
  ['/v1/embeddings', { model: 'gpt-e', input: 'x' }, [{}, { data: [] }, { data: {} }, { data: [null] }]],
  ['/v1/completions', { model: 'gpt-c', prompt: 'x' }, [{}, { choices: [] }, { choices: [{ text: null }] }]],
])('an answer of %s without its data is malformed', async (path, request, answers) => {
  for (const answer of answers) {
    await using odd = upstream(() => Response.json(answer));
    await using proxy = running({ providers: [provider('a', odd.url, { max_retries: 0 })] });
    const reply = await proxy.post(path, request);
    expect([reply.status, await reply.text()]).toEqual([502, expect.stringContaining('malformed_response')]);
  }
});

const NO_VECTORS = [
  null,
  [],
  [null, 1],
  [1, null],
  ['?'],
  ['a'],
  ['AACAPw=='],
  [true],
  [[null]],
  [[]],
  '',
  '?',
  'a',
  5,
  {},
  { float: [] },
];

test.each(NO_VECTORS.map((embedding) => JSON.stringify(embedding)))(
  'an embedding that is %s is malformed, and the next target is asked',
  async (embedding) => {
    const answerOf = (last: string) => `{"data":[{"embedding":[1]},{"embedding":${last}}]}`;
    const json = { headers: { 'content-type': 'application/json' } };
    await using odd = upstream(() => new Response(answerOf(embedding), json));
    await using good = upstream(() => new Response(answerOf('[0.5,1]'), json));
    const first = provider('a', odd.url, { priority: 1, max_retries: 0 });
    await using proxy = running({ providers: [first, provider('b', good.url, { priority: 2 })] });
    const reply = await proxy.post('/v1/embeddings', { model: 'gpt-e', input: ['x', 'y'] });
    expect([reply.status, await reply.text()]).toEqual([200, answerOf('[0.5,1]')]);
    expect((await proxy.recorded(1))[0]!.attempt_log).toMatchObject([{ fault: 'malformed' }, {}]);
  },
);

const VECTORS = [
  [1, 0.5],
  // Not 32-bit floats, but the bytes of integers.
  'f4CBgg==',
  'AACAPw',
  [[1], [2]],
  { float: [1], base64: 'AACAPw==', int8: null },
];

test.each([undefined, null, 'float'])(
  'embeddings that were not requested in base64 are returned as numbers: %p',
  async (encoding_format) => {
    const packed = { data: [{ embedding: 'AACAPwAAAD8=', index: 0 }], model: 'e' };
    await using good = upstream(() => Response.json(packed));
    await using proxy = running({ providers: [provider('a', good.url, { max_retries: 0 })] });
    const reply = await proxy.post('/v1/embeddings', { model: 'gpt-e', input: 'x', encoding_format });
    expect(await reply.json()).toEqual({ data: [{ embedding: [1, 0.5], index: 0 }], model: 'e' });
  },
);

test.each(VECTORS.map((embedding) => JSON.stringify(embedding)))(
  'an embedding that is %s is passed on unchanged',
  async (embedding) => {
    const answer = { data: [{ embedding: JSON.parse(embedding) as unknown }] };
    await using good = upstream(() => Response.json(answer));
    await using proxy = running({ providers: [provider('a', good.url, { max_retries: 0 })] });
    const reply = await proxy.post('/v1/embeddings', { model: 'gpt-e', input: 'x' });
    expect([reply.status, await reply.json()]).toEqual([200, answer]);
  },
);

test.each([
  [
    'gemini',
    '/v1/embeddings',
    [{}, { embeddings: [] }, { embeddings: [{ values: [null] }] }, { embeddings: {} }],
  ],
  ['cohere', '/v1/embeddings', [{}, { embeddings: [] }, { embeddings: { float: [[]] } }]],
] as const)('embeddings of %s without numbers are malformed', async (name, path, answers) => {
  for (const answer of answers) {
    await using odd = upstream(() => Response.json(answer));
    await using proxy = running({ providers: [speakerConfig(name, odd.url)] });
    const reply = await proxy.post(path, { model: 'm-1', input: 'x' });
    expect([reply.status, await reply.text()]).toEqual([502, expect.stringContaining('malformed_response')]);
  }
});

test.each(['/v1/messages/count_tokens', '/v1/responses/input_tokens'])(
  'a count of %s must be a non-negative integer',
  async (path) => {
    for (const input_tokens of [-1, 0.5, 1e300, '5', null, {}]) {
      await using odd = upstream(() => Response.json({ input_tokens }));
      await using proxy = running({ providers: [speakerConfig('messages', odd.url)] });
      const { request } = path.includes('messages') ? CLIENTS.messages : CLIENTS.responses;
      expect((await proxy.post(path, request)).status).toBe(502);
    }
  },
);

/** By protocol, an event that can be skipped, and one without which the rest cannot be read. */
const EVENTS: Readonly<Record<SpeakerName, readonly [odd: [string, unknown], broken: [string, unknown]]>> = {
  chat: [
    ['', { choices: [{ index: 0, delta: 5 }] }],
    ['', { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 5 } }] } }] }],
  ],
  messages: [
    ['content_block_delta', { type: 'content_block_delta', index: 0, delta: null }],
    ['content_block_start', { type: 'content_block_start', index: 9, content_block: null }],
  ],
  responses: [
    ['response.output_text.delta', { type: 'response.output_text.delta', delta: {} }],
    ['response.output_item.added', { type: 'response.output_item.added', item: null }],
  ],
  gemini: [
    ['', { candidates: {} }],
    ['', { candidates: [{ content: { parts: [{ functionCall: { name: [] } }] } }] }],
  ],
  converse: [
    ['contentBlockDelta', { contentBlockIndex: 1, delta: [] }],
    ['contentBlockStart', { contentBlockIndex: 7, start: { toolUse: { name: null } } }],
  ],
  cohere: [
    ['content-delta', { type: 'content-delta', index: 0, delta: { message: null } }],
    ['tool-call-start', { type: 'tool-call-start', index: 0, delta: { message: { tool_calls: [] } } }],
  ],
};

const pairs = clients.flatMap((client) =>
  (Object.keys(SPEAKERS) as SpeakerName[]).map((name) => [client, name] as const),
);

describe.each(pairs)('a malformed event in a stream for a %s client from a %s provider', (client, name) => {
  const { path, request, check } = CLIENTS[client];
  const [odd, broken] = EVENTS[name];
  const { type, events, said, ...rest } = SPEAKERS[name];
  const end = 'end' in rest ? rest.end : '';
  const config = { name, type, api_key: 'k', models: ['*'], max_retries: 0 };

  test('is skipped and counted where the rest can be read without it', async () => {
    const all = [...events.slice(0, said), odd, ...events.slice(said)] as [string, object][];
    await using provided = upstream(() => eventStream(type, all, end));
    await using proxy = running({ providers: [{ ...config, base_url: provided.url }] });
    const text = await (await proxy.post(path, { ...request, stream: true })).text();
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', malformed: 1 });
    if (client === name) expect(text).not.toContain(JSON.stringify(odd[1]));
    else expect(check(text).problems).toEqual([]);
  });

  test('ends the answer with an error where the rest cannot be read without it', async () => {
    const all = [...events.slice(0, said), broken, ...events.slice(said)] as [string, object][];
    await using provided = upstream(() => eventStream(type, all, end));
    await using proxy = running({ providers: [{ ...config, base_url: provided.url }] });
    const text = await (await proxy.post(path, { ...request, stream: true })).text();
    expect(text).toContain('does not have the shape of the protocol');
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'truncated', fault: 'malformed' });
  });

  test('makes another target answer where no content came before it', async () => {
    await using first = upstream(() => eventStream(type, [broken] as [string, object][], end));
    await using second = speaker(name, 'stream');
    const providers = [
      { ...config, name: 'first', base_url: first.url, priority: 1 },
      { ...config, name: 'second', base_url: second.url, priority: 2 },
    ];
    await using proxy = running({ providers });
    const reply = await proxy.post(path, { ...request, stream: true });
    expect([reply.status, reply.headers.get('x-llmproxy-provider')]).toEqual([200, 'second']);
    await reply.text();
    expect((await proxy.recorded(1))[0]!.attempt_log).toMatchObject([
      { fault: 'malformed' },
      { fault: null },
    ]);
  });
});

test('a malformed event with a finish reason still ends the answer', async () => {
  const last = 'data: {"choices":[{"index":0,"delta":[],"finish_reason":"stop"}]}\n\n';
  await using provided = upstream(() => sse(`${chatStream(['hi'], '')}${last}data: [DONE]\n\n`));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const text = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(text).toEndWith('data: [DONE]\n\n');
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', finish: 'stop' });
});

test('an answer nested too deeply to be serialized again is malformed', async () => {
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const body = (await completion('hi').text()).replace('"usage"', `"more":${deep},"usage"`);
  await using odd = upstream(() => new Response(body, { headers: { 'content-type': 'application/json' } }));
  await using proxy = running({ providers: [provider('a', odd.url, { max_retries: 0 })] });
  for (const stream of [true, false]) {
    const reply = await proxy.post('/v1/chat/completions', { ...CHAT, stream });
    expect([reply.status, await reply.text()]).toEqual([502, expect.stringContaining('malformed_response')]);
  }
});
