/** Responses and conversations that only their provider has stored. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { running } from '../helpers/proxy.ts';
import { at, counting, NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';

type ProviderInput = ConfigInput['providers'][number];

let made = 0;

/** A server of OpenAI's API that creates responses, and answers every other request with what it received. */
function keeping() {
  const asked: { readonly path: string; readonly headers: Headers }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const path = pathname + search;
      asked.push({ path, headers: request.headers });
      return answered(`${request.method} ${path}`, await request.text());
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

function answered(asked: string, body: string): Response {
  if (asked === 'POST /v1/responses')
    return Response.json({
      id: `resp_only${(made += 1)}`,
      object: 'response',
      created_at: 1,
      status: 'completed',
      model: 'gpt-5',
      store: true,
      output: [
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'hi', annotations: [] }],
        },
      ],
    });
  if (asked.includes('missing')) {
    const error = { message: "Response with id 'resp_missing' not found.", type: 'invalid_request_error' };
    return Response.json({ error }, { status: 404 });
  }
  if (asked.includes('stream=true'))
    return new Response('event: response.created\ndata: {"type":"response.created"}\n\n', {
      headers: { 'content-type': 'text/event-stream' },
    });
  return Response.json({ id: 'resp_07theirs', object: 'response', asked, body });
}

const native = (url: string, name = 'o', more: Partial<ProviderInput> = {}): ProviderInput => ({
  name,
  type: 'openai',
  base_url: `${url}/v1`,
  api_key: `sk-of-${name}`,
  models: ['gpt-5'],
  max_retries: 0,
  ...more,
});

const KEYS: NonNullable<ConfigInput['auth']> = {
  keys: [
    { name: 'a', key: 'sk-aaaaaaaa' },
    { name: 'b', key: 'sk-bbbbbbbb' },
    { name: 'narrow', key: 'sk-narrow-1', providers: ['two'] },
    { name: 'nowhere', key: 'sk-nowhere-1', providers: ['chat'] },
    { name: 'models', key: 'sk-models-1', models: ['gpt-5'] },
    { name: 'counted', key: 'sk-counted-1', limits: [{ requests: 2, per: 'hour' }] },
    { name: 'budget', key: 'sk-budget-1', limits: [{ budget: 1, per: 'hour' }] },
  ],
};

const get = async (url: string, path: string, key?: string, init: RequestInit = {}) => {
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  const response = await fetch(`${url}${path}`, { ...init, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('an object that is not stored here', () => {
  test('is requested from the only provider that may have it, by every method and path', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)] });
    const json = { 'content-type': 'application/json' };
    const post = (body: string) => ({ method: 'POST', body, headers: json });
    for (const [path, init, asked, body] of [
      ['/v1/responses/resp_07theirs', {}, 'GET /v1/responses/resp_07theirs', ''],
      ['/responses/resp_07theirs?include=a', {}, 'GET /v1/responses/resp_07theirs?include=a', ''],
      ['/v1/responses/resp_07theirs', { method: 'DELETE' }, 'DELETE /v1/responses/resp_07theirs', ''],
      [
        '/v1/responses/resp_07theirs/cancel',
        { method: 'POST' },
        'POST /v1/responses/resp_07theirs/cancel',
        '',
      ],
      [
        '/v1/responses/resp_07theirs/input_items?limit=3',
        {},
        'GET /v1/responses/resp_07theirs/input_items?limit=3',
        '',
      ],
      ['/v1/conversations/conv_1', {}, 'GET /v1/conversations/conv_1', ''],
      [
        '/v1/conversations/conv_1',
        post('{"metadata":{"a":"b"}}'),
        'POST /v1/conversations/conv_1',
        '{"metadata":{"a":"b"}}',
      ],
      [
        '/v1/conversations/conv_1/items',
        post('{"items":[]}'),
        'POST /v1/conversations/conv_1/items',
        '{"items":[]}',
      ],
      ['/v1/conversations/conv_1/items/msg_1', {}, 'GET /v1/conversations/conv_1/items/msg_1', ''],
    ] as const) {
      const { status, text, headers } = await get(proxy.url, path, undefined, init);
      expect([status, JSON.parse(text)]).toMatchObject([200, { asked, body }]);
      expect(headers.get('x-llmproxy-provider')).toBe('o');
    }
    expect(provider.asked.every(({ headers }) => headers.get('authorization') === 'Bearer sk-of-o')).toBe(
      true,
    );
    const records = await proxy.recorded(9);
    expect(records[0]).toMatchObject({
      endpoint: 'passthrough',
      provider: 'o',
      outcome: 'success',
      passed: { method: 'GET', path: '/responses/{id}' },
    });
  });

  test('is streamed, and an error has the provider’s status', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)] });
    const streamed = await get(proxy.url, '/v1/responses/resp_07theirs?stream=true&starting_after=3');
    expect([streamed.status, streamed.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(streamed.text).toContain('response.created');
    const missing = await refusal(sdk(proxy).responses.retrieve('resp_missing'));
    expect(missing?.[0]).toBe(404);
  });

  test('is not found where no provider stores responses', async () => {
    await using provider = counting();
    await using proxy = running(at(provider.url));
    expect(await refusal(sdk(proxy).responses.retrieve('resp_07theirs'))).toEqual(NOT_FOUND);
    expect(provider.asked.length).toBe(0);
  });

  test('is requested from no provider where several may have it, and the 404 names them', async () => {
    await using provider = keeping();
    await using proxy = running({
      providers: [native(provider.url, 'one'), native(provider.url, 'two')],
      auth: KEYS,
    });
    const several = await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-aaaaaaaa');
    expect([several.status, several.text]).toEqual([
      404,
      expect.stringContaining('several providers may have it (one, two)'),
    ]);
    expect(provider.asked.length).toBe(0);
    // This key may use only one of them.
    const narrow = await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-narrow-1');
    expect([narrow.status, narrow.headers.get('x-llmproxy-provider')]).toEqual([200, 'two']);
    expect((await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-nowhere-1')).status).toBe(404);
    expect(provider.asked.length).toBe(1);
  });

  test('is requested from the provider that was seen to store it, for the key that created it', async () => {
    await using one = keeping();
    await using two = keeping();
    await using proxy = running({
      providers: [
        native(one.url, 'one', { models: ['gpt-5-one'] }),
        native(two.url, 'two', { models: ['gpt-5-two'] }),
      ],
      auth: KEYS,
      // No content is logged, and so nothing is stored here.
      logging: { requests: { content: 'metadata' } },
    });
    for (const [model, name] of [
      ['gpt-5-one', 'one'],
      ['gpt-5-two', 'two'],
    ] as const) {
      const { id } = await sdk(proxy, 'sk-aaaaaaaa').responses.create({ model, input: 'hi' });
      const found = await get(proxy.url, `/v1/responses/${id}`, 'sk-aaaaaaaa');
      expect([found.status, found.headers.get('x-llmproxy-provider')]).toEqual([200, name]);
      expect((await get(proxy.url, `/v1/responses/${id}`, 'sk-bbbbbbbb')).status).toBe(404);
    }
  });

  test('is not found for keys other than the one that created it', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)], auth: KEYS });
    const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
    const { id } = await a.responses.create({ model: 'gpt-5', input: 'hi' });
    const conversation = await a.conversations.create({});
    const count = provider.asked.length;
    expect(await refusal(b.responses.retrieve(id))).toEqual(NOT_FOUND);
    expect(await refusal(b.responses.delete(id))).toEqual(NOT_FOUND);
    expect(await refusal(b.conversations.retrieve(conversation.id))).toEqual(NOT_FOUND);
    expect(provider.asked.length).toBe(count);
  });

  test('counts as a request of its key, and costs nothing', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)], auth: KEYS });
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1)
      statuses.push((await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-counted-1')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-budget-1')).status).toBe(200);
  });

  test('is denied to a key with a list of models, unless that key created it', async () => {
    await using provider = keeping();
    await using proxy = running({
      providers: [native(provider.url)],
      auth: KEYS,
      logging: { requests: { content: 'metadata' } },
    });
    expect((await get(proxy.url, '/v1/responses/resp_07theirs', 'sk-models-1')).status).toBe(404);
    expect(provider.asked.length).toBe(0);
    const { id } = await sdk(proxy, 'sk-models-1').responses.create({ model: 'gpt-5', input: 'hi' });
    expect((await get(proxy.url, `/v1/responses/${id}`, 'sk-models-1')).status).toBe(200);
  });

  test('cannot be requested by a path that escapes its endpoint', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)] });
    for (const path of ['/v1/responses/..%2fmodels', '/v1/responses/%2e%2e', '/v1/responses/a%5cb'])
      expect([400, 404]).toContain((await get(proxy.url, path)).status);
    expect(provider.asked.length).toBe(0);
  });

  test('is requested from the provider where responses.store is never', async () => {
    await using provider = keeping();
    await using proxy = running({ providers: [native(provider.url)], responses: { store: 'never' } });
    expect(JSON.parse((await get(proxy.url, '/v1/responses/resp_07theirs')).text)).toMatchObject({
      asked: 'GET /v1/responses/resp_07theirs',
    });
    const created = await get(proxy.url, '/v1/conversations', undefined, {
      method: 'POST',
      body: '{"items":[]}',
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(created.text)).toMatchObject({
      asked: 'POST /v1/conversations',
      body: '{"items":[]}',
    });
    await using none = counting();
    await using alone = running(at(none.url, { responses: { store: 'never' } }));
    expect((await get(alone.url, '/v1/responses/resp_07theirs')).text).toContain('responses.store');
  });

  test('is requested at Azure’s paths', async () => {
    await using provider = keeping();
    await using proxy = running({
      providers: [
        {
          name: 'az',
          type: 'azure',
          base_url: provider.url,
          api_version: '2025-04-01-preview',
          api_key: 'sk-az',
          models: ['gpt-5'],
        },
      ],
    });
    const found = await get(proxy.url, '/v1/responses/resp_07theirs/input_items?limit=2');
    expect(JSON.parse(found.text)).toMatchObject({
      asked: 'GET /openai/responses/resp_07theirs/input_items?limit=2&api-version=2025-04-01-preview',
    });
  });
});
