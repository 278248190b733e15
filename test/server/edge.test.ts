import { expect, test } from 'bun:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { schema } from '../../src/config/schema.ts';
import { FakeClock } from '../helpers/clock.ts';
import { until } from '../helpers/until.ts';
import { createProxy } from '../../src/proxy.ts';
import type { Running } from '../helpers/proxy.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { rawClient } from '../helpers/raw-client.ts';
import { chatStream, sse, upstream } from '../helpers/upstream.ts';

const MOCK = { providers: [{ name: 'mock', type: 'mock' as const, models: ['mock', 'mock-*'] }] };
const ASK = { model: 'mock', messages: [{ role: 'user', content: 'hi' }] };

async function errorOf(response: Response): Promise<{ code: string; param: string | null; message: string }> {
  return ((await response.json()) as { error: { code: string; param: string | null; message: string } })
    .error;
}

test.each([
  ['invalid JSON', '{', 'invalid_request'],
  ['a JSON array', '[]', 'invalid_request'],
  ['no model', '{"messages":[]}', 'invalid_request'],
  ['two models', '{"model":"mock","model":"mock-b","messages":[]}', 'invalid_request'],
  ['two models, one escaped', '{"model":"mock","mod\\u0065l":"mock-b","messages":[]}', 'invalid_request'],
  [
    'a model name that is too long',
    JSON.stringify({ ...ASK, model: `mock-${'x'.repeat(3_000)}` }),
    'invalid_request',
  ],
  ['a stream field that is not a boolean', '{"model":"mock","stream":"yes"}', 'invalid_request'],
  ['half a character in a model name', '{"model":"mock-\\ud83d","messages":[]}', 'invalid_request'],
  ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'invalid_request'],
  ['an unknown model', '{"model":"moc"}', 'model_not_found'],
])('%s is a 4xx in OpenAI’s shape', async (_, body, code) => {
  await using proxy = running(MOCK);
  const response = await proxy.post('/v1/chat/completions', body);
  expect([400, 404]).toContain(response.status);
  expect(await errorOf(response)).toMatchObject({ code });
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'error', status: response.status });
});

test('an unknown path is answered with 404, and a wrong method with 405', async () => {
  await using proxy = running(MOCK);
  expect((await proxy.post('/v1/nothing', {})).status).toBe(404);
  const got = await fetch(`${proxy.url}/v1/chat/completions`);
  expect([got.status, (await errorOf(got)).code]).toEqual([405, 'method_not_allowed']);
});

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const)('a %s request body is decompressed', async (encoding, pack) => {
  await using proxy = running(MOCK);
  const body = new Uint8Array(pack(JSON.stringify(ASK)));
  const response = await proxy.post('/v1/chat/completions', body, {
    headers: { 'content-encoding': encoding },
  });
  expect(response.status).toBe(200);
});

test('a body over the limit is answered with 413, whether plain, chunked or decompressed', async () => {
  await using proxy = running({ ...MOCK, limits: { max_body: '64KiB' } });
  const big = JSON.stringify({ ...ASK, pad: 'x'.repeat(4_000_000) });
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(big));
      controller.close();
    },
  });
  const attempts = [
    await proxy.post('/v1/chat/completions', big),
    await fetch(`${proxy.url}/v1/chat/completions`, { method: 'POST', body: chunked }),
    await proxy.post('/v1/chat/completions', new Uint8Array(gzipSync(big)), {
      headers: { 'content-encoding': 'gzip' },
    }),
  ];
  for (const response of attempts)
    expect([response.status, (await errorOf(response)).code]).toEqual([413, 'request_too_large']);
});

test('keys are accepted as Bearer token and in X-API-Key, and name the caller in the record', async () => {
  const auth = {
    keys: [
      { name: 'alice', key: 'alice-secret-key' },
      { name: 'bob', key_env: 'BOB', log: 'metadata' as const },
    ],
  };
  await using proxy = running({ ...MOCK, auth }, { BOB: 'bob-secret-key' });
  const statuses = [];
  const presented: Record<string, string>[] = [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Bearer alice-secret-key' },
    { 'x-api-key': 'bob-secret-key' },
  ];
  for (const headers of presented) {
    statuses.push((await proxy.post('/v1/chat/completions', ASK, { headers })).status);
  }
  expect(statuses).toEqual([401, 401, 200, 200]);
  const records = await proxy.recorded(4);
  expect(records.map(({ key }) => key)).toEqual([null, null, 'alice', 'bob']);
  expect([records[2]!.request !== undefined, records[3]!.request !== undefined]).toEqual([true, false]);
});

test('x-llmproxy-log can reduce what is logged, never extend it', async () => {
  await using proxy = running(MOCK);
  await proxy.post('/v1/chat/completions', ASK, {
    headers: { 'x-llmproxy-log': 'none', 'x-session-id': 's', 'user-agent': 'me' },
  });
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ content: 'none', conversation: null, user_agent: null });
  expect(record!.request ?? record!.response).toBeUndefined();
});

test('the client’s x-request-id is kept, and an invalid one is replaced', async () => {
  await using proxy = running(MOCK);
  const kept = await proxy.post('/v1/chat/completions', ASK, { headers: { 'x-request-id': 'my-id.1' } });
  const strange = await proxy.post('/v1/chat/completions', ASK, { headers: { 'x-request-id': 'a b' } });
  expect(kept.headers.get('x-request-id')).toBe('my-id.1');
  expect(strange.headers.get('x-request-id')).toStartWith('req_');
});

test('every path is served with and without /v1 and below base_path', async () => {
  await using proxy = running({ ...MOCK, server: { base_path: '/llm' } });
  for (const path of ['/v1', '', '/llm/v1', '/llm', '/openai/v1', '/llm/openai/v1']) {
    expect((await proxy.post(`${path}/chat/completions`, ASK)).status).toBe(200);
    expect((await fetch(`${proxy.url}${path}/models`)).status).toBe(200);
  }
  expect((await fetch(`${proxy.url}/llm/health`)).status).toBe(200);
});

test('the paths of Azure’s clients are served', async () => {
  await using proxy = running({ ...MOCK, server: { base_path: '/llm' } });
  for (const base of ['', '/llm']) {
    const path = `${base}/openai/deployments/mock/chat/completions?api-version=2024-10-21`;
    const answer = await proxy.post(path, ASK, { headers: { 'api-key': 'k' } });
    expect([answer.status, (await answer.json()) as object]).toMatchObject([
      200,
      { object: 'chat.completion' },
    ]);
  }
});

test('models are listed, and found by id, with slashes and by glob', async () => {
  const models = { fast: 'mock', 'team/best': ['mock-b', 'mock'] };
  await using proxy = running({
    providers: [{ name: 'mock', type: 'mock', models: ['mock', 'mock-*'] }],
    models,
  });
  const list = (await (await fetch(`${proxy.url}/v1/models`)).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).toEqual(['fast', 'team/best', 'mock']);
  for (const id of ['fast', 'team/best', 'mock-anything', 'mock/mock']) {
    expect(((await (await fetch(`${proxy.url}/v1/models/${id}`)).json()) as { id: string }).id).toBe(id);
  }
  for (const id of ['nope', '%E0%A4%A']) {
    expect((await fetch(`${proxy.url}/v1/models/${id}`)).status).toBe(404);
  }
});

test('/metrics returns Prometheus text, or JSON when requested', async () => {
  await using proxy = running(MOCK);
  await proxy.post('/v1/chat/completions', ASK);
  const text = await (await fetch(`${proxy.url}/metrics`)).text();
  expect(text).toContain(
    'llmproxy_requests_total{endpoint="chat",provider="mock",model="mock",outcome="success",status="200"} 1',
  );
  const json = await (
    await fetch(`${proxy.url}/metrics`, { headers: { accept: 'application/json' } })
  ).json();
  expect(Array.isArray(json)).toBe(true);
});

test('CORS headers are sent only where they are configured', async () => {
  await using off = running(MOCK);
  await using on = running({ ...MOCK, server: { cors: { origins: ['https://app.example'] } } });
  const ask = async ({ url }: Running) => {
    const { status, headers } = await fetch(`${url}/v1/models`, {
      headers: { origin: 'https://app.example' },
    });
    return [status, headers.get('access-control-allow-origin')];
  };
  expect(await ask(off)).toEqual([403, null]);
  expect(await ask(on)).toEqual([200, 'https://app.example']);
});

test('a quiet stream is kept alive by comments, and not cut', async () => {
  await using proxy = running({
    server: { keepalive_comment: '20ms' },
    providers: [{ name: 'mock', type: 'mock', mock: { allow_header: true } }],
  });
  const abort = new AbortController();
  const headers = { 'x-mock-fault': 'stall; after=2' };
  const response = await proxy.post(
    '/v1/chat/completions',
    { ...ASK, stream: true },
    { headers, signal: abort.signal },
  );
  let text = '';
  for await (const chunk of response.body!) {
    text += new TextDecoder().decode(chunk as Uint8Array);
    if (text.includes(': keep-alive\n\n: keep-alive')) break;
  }

  expect(text).toContain('data: ');
});

test('the comment has no blank line once an event had an id: SDKs in Python would take it for an event', async () => {
  const events = chatStream(['Hello', ' there']).replaceAll(/^data:/gm, 'id: 1\ndata:');
  await using slow = upstream(() => sse(after(200, events)));
  await using proxy = running({
    server: { keepalive_comment: '20ms' },
    providers: [{ name: 'a', type: 'openai-compatible', base_url: slow.url, models: ['*'] }],
  });
  const text = await (await proxy.post('/v1/chat/completions', { ...ASK, model: 'm', stream: true })).text();
  expect(text.replaceAll(/^: keep-alive\n/gm, '')).toBe(events);
  expect(text).toContain(': keep-alive\n: keep-alive\n');
});

/** A stream that stalls after its first two events. */
function after(ms: number, events: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const [first = '', second = '', ...rest] = events.split(/(?<=\n\n)/);
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(first + second));
      await Bun.sleep(ms);
      controller.enqueue(encoder.encode(rest.join('')));
      controller.close();
    },
  });
}

test.each([
  ['a list', '/v1beta/models/m:streamGenerateContent', (text: string) => JSON.parse(text) as unknown[]],
  [
    'lines',
    '/api/chat',
    (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
  ],
])('a quiet stream that is %s of JSON is kept alive by spaces', async (_, path, read) => {
  await using slow = upstream(() => sse(after(200, chatStream(['Hello', ' there']))));
  await using proxy = running({
    server: { keepalive_comment: '20ms' },
    providers: [provider('a', slow.url, { models: ['m'] })],
  });
  const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
  const body = path.startsWith('/api/') ? { ...ASK, model: 'm' } : { contents };
  const text = await (await proxy.post(path, body)).text();
  expect(text).toMatch(/ {3}/);
  expect(JSON.stringify(read(text))).toMatch(/Hello.*there/);
});

const SECRET = 'sk-super-secret-value-123456';
const REFUSED = { error: { message: `Incorrect API key provided: ${SECRET}`, code: 'invalid_api_key' } };
const REFUSED_EVENT = `data: ${JSON.stringify(REFUSED)}\n\n`;

test.each([
  ['a 401', () => Response.json(REFUSED, { status: 401 }), false],
  ['a 200', () => Response.json(REFUSED), false],
  ['the first event', () => sse(REFUSED_EVENT), true],
  ['a later event', () => sse(chatStream(['hi'], '') + REFUSED_EVENT), true],
] as const)('no configured secret appears in a record, an error or a page: %s', async (_, refuse, stream) => {
  await using leaky = upstream(refuse);
  await using proxy = running({ providers: [provider('a', leaky.url, { api_key: SECRET, max_retries: 0 })] });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream });
  const pages = await Promise.all(
    ['/providers', '/health', '/metrics'].map(async (path) => (await fetch(proxy.url + path)).text()),
  );
  const all = [await response.text(), ...pages, JSON.stringify(await proxy.recorded(1))].join('');
  expect(all).toContain('refused our key');
  expect(all).not.toContain(SECRET);
});

test.each(['mock-👋🏽', 'mock-ü'])('a model may be named %s', async (name) => {
  await using proxy = running(MOCK);
  const response = await proxy.post('/v1/chat/completions', JSON.stringify(ASK).replace('mock', name));
  expect(response.status).toBe(200);
  expect(response.headers.get('x-llmproxy-model')).toMatch(/^mock-(?:%[0-9A-F]{2})+$/);
});

test.each([
  ['content-length: 100', '{"model":'],
  ['transfer-encoding: chunked', '9\r\n{"model":\r\n'],
])('a caller that leaves while sending its request (%s) is a client_abort', async (header, sent) => {
  await using proxy = running(MOCK);
  using caller = await rawClient(proxy.url);
  caller.send(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${header}\r\n\r\n${sent}`);
  await Bun.sleep(20);
  caller.socket.destroy();
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort', status: 499 });
});

test.each([false, true])(
  'the idle timeout of a connection is lifted only for slow requests, streamed: %s',
  async (stream) => {
    const clock = new FakeClock();
    const providers = [{ name: 'slow', type: 'mock', mock: { latency: '30s' } }];
    const config = schema.parse({ providers, logging: { requests: { enabled: false } } });
    const proxy = createProxy(config, { env: {}, clock });
    const limits: number[] = [];
    const server = {
      timeout: (_: Request, seconds: number) => void limits.push(seconds),
      requestIP: () => null,
    };
    const body = JSON.stringify({ ...ASK, stream });
    const request = new Request('http://proxy/v1/chat/completions', { method: 'POST', body });
    await proxy.warm();
    const { timers } = clock;
    const asked = proxy.fetch(request, { server });
    // The timers of the connection, the deadline, the attempt and the mock itself.
    await until('the request at the mock', () => clock.timers, { is: timers + 4 });
    clock.advance(19_000);
    expect(limits).toEqual([]);
    clock.advance(2_000);
    expect(limits).toEqual([0]);
    clock.advance(10_000);
    await (await asked).text();
    expect(limits).toEqual([0, 60]);
    await proxy.close();
  },
);

test.each([
  ['/v1/embeddings', { model: 'mock', input: 'hi' }, 'data'],
  ['/v1/messages/count_tokens', ASK, 'input_tokens'],
  ['/v1/responses/input_tokens', { model: 'mock', input: 'hi' }, 'input_tokens'],
])('%s returns an unstreamed answer even to a client that requests a stream', async (path, ask, field) => {
  await using proxy = running(MOCK);
  const response = await proxy.post(path, { ...ask, stream: true });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('application/json'),
  ]);
  expect(await response.json()).toHaveProperty(field);
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', stream: false });
});
