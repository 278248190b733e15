/** Translation beyond answers: embeddings, token counts, models, dropped fields and signatures. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { openapiProblems } from '../helpers/openapi.ts';
import { modelInfo, modelPage } from '../helpers/published/messages.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { speaker, speakerConfig } from '../helpers/speakers.ts';
import { completion, upstream } from '../helpers/upstream.ts';

type Type = Parameters<typeof running>[0]['providers'][number]['type'];

const at = (type: Type, url: string, extra: object = {}) => ({
  providers: [{ name: 'p', type, base_url: url, api_key: 'k', models: ['*'], max_retries: 0, ...extra }],
});

describe('embeddings', () => {
  const vectors = [
    [0.5, -1],
    [0.25, 2],
  ];

  test.each([
    [
      'gemini' as const,
      '/models/e:batchEmbedContents',
      { embeddings: vectors.map((values) => ({ values })) },
      {
        requests: ['a', 'b'].map((text) => ({
          model: 'models/e',
          content: { parts: [{ text }] },
          outputDimensionality: 2,
        })),
      },
      0,
    ],
    [
      'vertex' as const,
      '/v1/projects/-/locations/global/publishers/google/models/e:predict',
      { predictions: vectors.map((values) => ({ embeddings: { values, statistics: { token_count: 3 } } })) },
      { instances: [{ content: 'a' }, { content: 'b' }], parameters: { outputDimensionality: 2 } },
      6,
    ],
    [
      'cohere' as const,
      '/v2/embed',
      { embeddings: { float: vectors }, meta: { billed_units: { input_tokens: 6 } } },
      { model: 'e', texts: ['a', 'b'], embedding_types: ['float'], output_dimension: 2 },
      6,
    ],
  ])('from %s are translated to OpenAI’s shape', async (type, path, answer, asked, tokens) => {
    await using provider = upstream(() => Response.json(answer));
    await using proxy = running(at(type, provider.url));
    const ask = (extra: object) =>
      proxy.post('/v1/embeddings', { model: 'e', input: ['a', 'b'], dimensions: 2, ...extra });
    const floats = (await (await ask({})).json()) as { data: { embedding: number[] }[]; usage: object };
    expect(floats.data.map(({ embedding }) => embedding)).toEqual(vectors);
    expect(floats.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    expect(openapiProblems('CreateEmbeddingResponse', floats)).toEqual([]);
    // The client receives a number in any case, but the record only what the provider reported.
    expect((await proxy.recorded(1))[0]!.input_tokens).toBe(tokens === 0 ? null : tokens);
    expect(provider.asked[0]!.path).toBe(path);
    expect(JSON.parse(provider.asked[0]!.text)).toMatchObject(asked);
    // The openai SDK requests base64 by default.
    const packed = (await (await ask({ encoding_format: 'base64' })).json()) as {
      data: { embedding: string }[];
    };
    const bytes = Buffer.from(packed.data[1]!.embedding, 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual(vectors[1]!);
  });

  test('from Titan are requested one text at a time', async () => {
    await using provider = upstream(() => Response.json({ embedding: [1, 2], inputTextTokenCount: 4 }));
    await using proxy = running(at('bedrock', provider.url));
    const model = 'amazon.titan-embed-text-v2:0';
    const one = await proxy.post('/v1/embeddings', { model, input: 'a' });
    expect(await one.json()).toMatchObject({ data: [{ embedding: [1, 2] }], usage: { prompt_tokens: 4 } });
    const two = await proxy.post('/v1/embeddings', { model, input: ['a', 'b'] });
    expect(await two.json()).toMatchObject({
      data: [{ embedding: [1, 2] }, { embedding: [1, 2] }],
      usage: { prompt_tokens: 8 },
    });
    expect(provider.asked.length).toBe(3);
  });
});

describe('counting tokens', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hello there' }] };

  test.each([
    ['anthropic' as const, '/v1/messages/count_tokens', { input_tokens: 11 }],
    ['gemini' as const, '/models/m:countTokens', { totalTokens: 11 }],
    [
      'vertex' as const,
      '/v1/projects/-/locations/global/publishers/google/models/m:countTokens',
      { totalTokens: 11 },
    ],
  ])('asks %s', async (type, path, answer) => {
    await using provider = upstream(() => Response.json(answer));
    await using proxy = running(at(type, provider.url));
    const messages = await proxy.post('/v1/messages/count_tokens', body);
    expect(await messages.json()).toEqual({ input_tokens: 11 });
    const responses = await proxy.post('/v1/responses/input_tokens', { model: 'm', input: 'Hello there' });
    expect(await responses.json()).toEqual({ object: 'response.input_tokens', input_tokens: 11 });
    expect(provider.asked.map((asked) => asked.path)).toEqual([path, path]);
    const [record] = await proxy.recorded(2);
    expect(record).toMatchObject({ outcome: 'success', endpoint: 'messages.count_tokens' });
  });

  test('is done locally for providers that cannot count, and sends them nothing', async () => {
    await using provider = upstream(() => new Response('no', { status: 500 }));
    await using proxy = running(at('openai-compatible', provider.url));
    const count = await proxy.post('/v1/messages/count_tokens', body);
    // Three for the end of the prompt, three for the message, one for its role, two for its text.
    expect(await count.json()).toEqual({ input_tokens: 9 });
    expect(provider.asked).toEqual([]);
  });
});

describe('models', () => {
  const config = { providers: [{ name: 'm', type: 'mock' as const, models: ['a', 'b', 'c'] }] };

  test('are listed in the shape of the client’s API', async () => {
    await using proxy = running(config);
    const openai = await (await fetch(`${proxy.url}/v1/models`)).json();
    expect(openai).toMatchObject({
      object: 'list',
      data: [{ id: 'a', object: 'model', owned_by: 'm' }, {}, {}],
    });
    expect(openapiProblems('ListModelsResponse', openai)).toEqual([]);
    const headers = { 'anthropic-version': '2023-06-01' };
    const page = async (query: string) => (await fetch(`${proxy.url}/v1/models${query}`, { headers })).json();
    const first = await page('?limit=2');
    expect(publishedProblems(modelPage, first)).toEqual([]);
    expect(first).toMatchObject({
      data: ['a', 'b'].map((id) => ({
        type: 'model',
        id,
        display_name: id,
        created_at: '1970-01-01T00:00:00Z',
      })),
      has_more: true,
      first_id: 'a',
      last_id: 'b',
    });
    expect(await page('?after_id=b')).toMatchObject({ data: [{ id: 'c' }], has_more: false });
    const one = await page('/c');
    expect(publishedProblems(modelInfo, one)).toEqual([]);
    expect(one).toMatchObject({ type: 'model', id: 'c' });
    expect(await page('/zzz')).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  test('are listed with their limits for Anthropic’s clients, as far as they are known', async () => {
    const models = [{ name: 'limited', context_window: 50_000, max_output: 4_000 }, { name: 'unknown' }];
    await using proxy = running(at('anthropic', 'http://127.0.0.1:9', { models }));
    const headers = { 'anthropic-version': '2023-06-01' };
    const limits = async (path: string) => {
      const answer = (await (await fetch(`${proxy.url}/v1/models${path}`, { headers })).json()) as JsonObject;
      const listed = (answer.data ?? [answer]) as JsonObject[];
      return listed.map(({ id, max_input_tokens: input, max_tokens: output }) => [id, input, output]);
    };
    expect(await limits('')).toEqual([
      ['limited', 50_000, 4_000],
      ['unknown', null, null],
    ]);
    expect(await limits('/limited')).toEqual([['limited', 50_000, 4_000]]);
  });
});

describe('a parameter that a target does not support', () => {
  const request = { ...CHAT, seed: 4, logit_bias: { 1: 2 } };

  test('is dropped and named', async () => {
    await using provider = speaker('messages', 'whole');
    await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
    const reply = await proxy.post('/v1/chat/completions', request);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('x-llmproxy-dropped')).toBe('seed, logit_bias');
  });

  test('sends the request to another target that supports it, where unsupported: error is set', async () => {
    await using narrow = speaker('messages', 'whole');
    await using wide = upstream(() => completion('Hi'));
    const { providers } = at('openai-compatible', wide.url, { priority: 2 });
    await using proxy = running({
      providers: [speakerConfig('messages', narrow.url), ...providers],
      routing: { unsupported: 'error' },
    });
    const reply = await proxy.post('/v1/chat/completions', request);
    expect([reply.status, reply.headers.get('x-llmproxy-provider')]).toEqual([200, 'p']);
    expect(narrow.asked).toEqual([]);
    const [record] = await proxy.recorded(1);
    expect(record!.attempt_log.map(({ fault }) => fault)).toEqual(['unsupported', null]);
  });

  test('is an invalid request where no target supports it, and counts against no target', async () => {
    await using narrow = speaker('messages', 'whole');
    await using proxy = running({
      providers: [speakerConfig('messages', narrow.url)],
      routing: { unsupported: 'error' },
    });
    const reply = await proxy.post('/v1/chat/completions', request);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { code: 'unsupported_by_provider', param: 'seed' } });
    const health = await (await fetch(`${proxy.url}/providers`)).json();
    expect(health).toMatchObject({ providers: [{ state: 'healthy', breakers: { open: 0 } }] });
  });

  test('is renamed where the vendor has its own name for it, on a relayed request too', async () => {
    await using provider = upstream(() => completion('Hi'));
    await using proxy = running(at('mistral', provider.url));
    const reply = await proxy.post('/v1/chat/completions', {
      ...CHAT,
      seed: 4,
      max_completion_tokens: 5,
      logit_bias: { 7: 1 },
      safe_prompt: true,
    });
    expect(reply.headers.get('x-llmproxy-dropped')).toBe('logit_bias');
    expect(JSON.parse(provider.asked[0]!.text)).toEqual({
      ...CHAT,
      random_seed: 4,
      max_tokens: 5,
      safe_prompt: true,
    });
  });
});

test('a thought signature that the client drops is restored to its call', async () => {
  await using provider = speaker('gemini', 'whole');
  await using proxy = running({ providers: [speakerConfig('gemini', provider.url)] });
  const first = (await (
    await proxy.post('/v1/chat/completions', { ...CHAT, model: 'gemini-3-pro' })
  ).json()) as {
    choices: { message: { tool_calls: { id: string; function: object; extra_content?: object }[] } }[];
  };
  const [call] = first.choices[0]!.message.tool_calls;
  expect(call!.extra_content).toEqual({ google: { thought_signature: 'c2ln' } });
  const { id, function: fn } = call!;
  const messages = [
    ...CHAT.messages,
    { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: fn }] },
    { role: 'tool', tool_call_id: id, content: 'rain' },
  ];
  await proxy.post('/v1/chat/completions', { model: 'gemini-3-pro', messages });
  expect(JSON.parse(provider.asked[1]!.text).contents.slice(1)).toEqual([
    {
      role: 'model',
      parts: [{ functionCall: { id, name: 'weather', args: { city: 'Paris' } }, thoughtSignature: 'c2ln' }],
    },
    { role: 'user', parts: [{ functionResponse: { id, name: 'weather', response: { result: 'rain' } } }] },
  ]);
});

test('signed thinking that the client drops is restored to its call', async () => {
  await using provider = speaker('messages', 'stream');
  await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
  await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
  const messages = [
    ...CHAT.messages,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
  ];
  await proxy.post('/v1/chat/completions', { ...CHAT, messages, stream: true });
  expect(JSON.parse(provider.asked[1]!.text).messages[1].content[0]).toEqual({
    type: 'thinking',
    thinking: 'Let me see.',
    signature: 'c2ln',
  });
});

test('a relayed Messages request keeps its beta header and query, and no other header of the client', async () => {
  await using provider = speaker('messages', 'whole');
  await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
  const body =
    '{"model":"m-1", "max_tokens":9,\n"messages":[{"role":"user","content":"x"}],"unknown_field":1}';
  const headers = {
    'anthropic-beta': 'a,b',
    'x-api-key': 'client',
    'x-other': 'y',
    authorization: 'Bearer c',
  };
  await proxy.post('/v1/messages?beta=true&x=1', body, { headers });
  const [asked] = provider.asked;
  expect(asked!.text).toBe(body);
  expect(asked!.path).toBe('/v1/messages?beta=true');
  expect(asked!.headers.get('anthropic-beta')).toBe('a,b');
  expect(asked!.headers.get('x-api-key')).toBe('k-test');
  expect([asked!.headers.get('x-other'), asked!.headers.get('authorization')]).toEqual([null, null]);
});

test.each([
  ['previous_response_id', 'resp_1'],
  ['background', true],
  ['conversation', 'conv_1'],
])('a Responses request with %s is refused where nothing is stored', async (param, value) => {
  await using provider = speaker('chat', 'whole');
  const responses = { store: 'never' as const };
  await using proxy = running({ providers: [speakerConfig('chat', provider.url)], responses });
  const reply = await proxy.post('/v1/responses', { model: 'm', input: 'x', [param]: value });
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({
    error: { type: 'invalid_request_error', param, code: 'unsupported_parameter' },
  });
  expect(provider.asked).toEqual([]);
});

test('a chat request for a model that OpenAI serves only by Responses is sent to Responses', async () => {
  await using provider = speaker('responses', 'whole');
  await using proxy = running(at('openai', provider.url));
  const reply = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'gpt-5-codex' });
  expect(await reply.json()).toMatchObject({
    object: 'chat.completion',
    choices: [{ finish_reason: 'tool_calls' }],
  });
  expect(provider.asked[0]!.path).toBe('/responses');
});

test('a thread goes to the target that supports it, and is refused where none does', async () => {
  const message = { type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn' };
  await using holding = upstream(() => Response.json(message));
  await using other = upstream(() => completion('never asked'));
  const common = { api_key: 'k', models: ['m'], max_retries: 0 };
  const chat = { ...common, name: 'c', type: 'openai-compatible' as const, base_url: other.url };
  const messages = { ...common, name: 'a', type: 'anthropic' as const, base_url: holding.url, priority: 2 };
  await using both = running({ providers: [chat, messages] });
  await using alone = running({ providers: [chat] });
  const body = {
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'Hi' }],
    thread: { type: 'create' },
  };
  const held = await both.post('/v1/messages', body);
  expect([held.status, await held.json()]).toEqual([200, message]);
  expect(JSON.parse(holding.asked[0]!.text)).toEqual(body);
  const refused = await alone.post('/v1/messages', body);
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({
    error: { details: { error_code: 'thread_unsupported_request' } },
  });
  expect(other.asked).toEqual([]);
});

test.each([
  [[null], 'messages[0]'],
  [[{ role: 'assistant', tool_calls: {} }], 'messages[0].tool_calls'],
  [[{ role: 'assistant', tool_calls: [null] }], 'messages[0].tool_calls'],
])('malformed messages are an invalid request: %j', async (messages, param) => {
  await using provider = speaker('messages', 'whole');
  await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
  const reply = await proxy.post('/v1/chat/completions', { model: 'm', messages });
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({ error: { type: 'invalid_request_error', param } });
});
