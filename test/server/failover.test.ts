import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

const DEAD = 'http://127.0.0.1:1';

const failure = (status: number, error: object = {}, headers: Record<string, string> = {}) =>
  Response.json({ error: { message: 'no', type: 'x', ...error } }, { status, headers });

test('a dead first provider costs no request', async () => {
  await using good = upstream(() => completion('from b'));
  await using proxy = running({ providers: [provider('a', DEAD), provider('b', good.url, { priority: 2 })] });
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await proxy.post('/v1/chat/completions', CHAT)).status),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(proxy.records.every((record) => record.provider === 'b' && record.outcome === 'success')).toBe(true);
  const late = await proxy.post('/v1/chat/completions', CHAT);
  // By now the breaker of the dead one is open: it is not asked again.
  expect(late.headers.get('x-llmproxy-attempts')).toBe('1');
});

test.each([500, 502, 503, 529])('status %i once is retried on the same provider', async (status) => {
  await using flaky = upstream((_, count) => (count === 1 ? failure(status) : completion('ok')));
  await using proxy = running({ providers: [provider('a', flaky.url)] });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-llmproxy-attempts')).toBe('2');
});

test.each([
  ['401 of a provider', () => failure(401, { code: 'invalid_api_key' }), 1],
  ['402 of a provider', () => failure(402), 1],
  ['404 model not found', () => failure(404, { code: 'model_not_found' }), 1],
  ['403 of a provider', () => failure(403), 1],
  ['409 of a provider', () => failure(409), 1],
  ['404 of a file', () => failure(404, { message: 'No such File object: file-1' }), 1],
  ['501 of a provider', () => failure(501), 1],
  ['429 with a long Retry-After', () => failure(429, {}, { 'retry-after': '60' }), 1],
  ['HTML with status 200', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 3],
  [
    'an error with a name that every object has',
    () => failure(500, { code: 'constructor', type: '__proto__' }),
    3,
  ],
  ['an error object with status 200', () => Response.json({ error: { message: 'boom', code: 502 } }), 3],
] as const)('%s fails over', async (_, answer, attempts) => {
  await using bad = upstream(answer);
  await using good = upstream(() => completion('ok'));
  await using proxy = running({
    providers: [provider('a', bad.url), provider('b', good.url, { priority: 2 })],
  });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect(response.headers.get('x-llmproxy-provider')).toBe('b');
  expect(bad.asked.length).toBe(attempts);
});

test('an error event before any content fails over, and the client sees only the good stream', async () => {
  await using bad = upstream(() => sse('data: {"error":{"message":"overloaded","code":503}}\n\n'));
  await using good = upstream(() => sse(chatStream(['fine'])));
  await using proxy = running({
    providers: [provider('a', bad.url, { max_retries: 0 }), provider('b', good.url, { priority: 2 })],
  });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
  expect(await response.text()).toBe(chatStream(['fine']));
});

test('a silent provider is left after timeout.first_byte', async () => {
  await using silent = upstream(() => new Promise<Response>(() => undefined));
  await using good = upstream(() => completion('ok'));
  await using proxy = running({
    providers: [provider('a', silent.url, { timeout: '50ms' }), provider('b', good.url, { priority: 2 })],
  });
  expect((await proxy.post('/v1/chat/completions', CHAT)).headers.get('x-llmproxy-provider')).toBe('b');
  expect(proxy.records[0]!.attempt_log[0]).toMatchObject({ target: 'a/gpt-4o', fault: 'timeout_first_byte' });
});

test('a stream cut after content ends with an error event, and is recorded as truncated', async () => {
  await using cut = upstream(() => sse(`${chatStream(['half'], '')}data: {"choi`));
  await using proxy = running({ providers: [provider('a', cut.url)] });
  const text = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(text).not.toContain('[DONE]');
  const last = JSON.parse(text.trimEnd().split('\n\n').at(-1)!.slice('data: '.length));
  expect(last.error).toMatchObject({ code: 'truncated', type: 'server_error' });
  expect((await proxy.recorded(1))[0]).toMatchObject({
    outcome: 'truncated',
    fault: 'truncated',
    status: 200,
  });
});

test('a complete stream without [DONE] gets it', async () => {
  await using short = upstream(() => sse(chatStream(['all'], ': bye\n\n')));
  await using proxy = running({ providers: [provider('a', short.url)] });
  const text = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
});

test('the caller’s own mistake is told in the provider’s words and counts against nobody', async () => {
  const body =
    '{"error": {"message":"bad temperature","type":"invalid_request_error","param":"temperature","code":null}}';
  await using strict = upstream(
    () => new Response(body, { status: 400, headers: { 'content-type': 'application/json' } }),
  );
  await using other = upstream(() => completion('never'));
  await using proxy = running({
    providers: [provider('a', strict.url), provider('b', other.url, { priority: 2 })],
  });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect([response.status, await response.text()]).toEqual([400, body]);
  expect([strict.asked.length, other.asked.length]).toEqual([1, 0]);
  const report = (await (await fetch(`${proxy.url}/providers`)).json()) as { status: string };
  expect(report.status).toBe('healthy');
});

test('a caller’s own words in a provider’s answer take no key from the others', async () => {
  const quoting = (words: string) => failure(400, { message: `Cannot read messages[0].content: ${words}` });
  await using strict = upstream(({ text }) => {
    const { content } = (JSON.parse(text) as { messages: { content: string }[] }).messages[0]!;
    return content === 'hi' ? completion('ok') : quoting(content);
  });
  await using proxy = running({ providers: [provider('a', strict.url)] });
  for (const content of [
    'invalid api key',
    'insufficient balance',
    'model gpt-4o not found',
    'unknown model',
  ]) {
    const body = { ...CHAT, messages: [{ role: 'user', content }] };
    expect((await proxy.post('/v1/chat/completions', body)).status).toBe(400);
  }
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
});

test('when all providers are out the answer is 5xx in bounded attempts, with each attempt listed', async () => {
  await using bad = upstream(() => failure(500));
  await using proxy = running({
    providers: [provider('a', bad.url), provider('b', bad.url, { priority: 2 })],
  });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  const { error } = (await response.json()) as { error: { details: unknown[]; request_id: string } };
  expect(response.status).toBe(500);
  expect(error.details.length).toBe(6);
  expect(error.request_id).toBe(response.headers.get('x-request-id')!);
});

test('a client that leaves cancels the provider and is recorded as client_abort', async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  await using slow = upstream(() => {
    const first = new TextEncoder().encode(chatStream(['one'], ''));
    return sse(
      new ReadableStream({ start: (controller) => controller.enqueue(first), cancel: () => resolve() }),
    );
  });
  await using proxy = running({ providers: [provider('a', slow.url)] });
  const abort = new AbortController();
  const response = await proxy.post(
    '/v1/chat/completions',
    { ...CHAT, stream: true },
    { signal: abort.signal },
  );
  await response.body!.getReader().read();
  abort.abort();
  await cancelled;
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort', fault: 'client_abort' });
});

test('rate_limit and max_connections send what is too much elsewhere', async () => {
  await using limited = upstream(() => completion('a'));
  await using other = upstream(() => completion('b'));
  await using proxy = running({
    providers: [provider('a', limited.url, { rate_limit: 2 }), provider('b', other.url, { priority: 2 })],
  });
  for (let n = 0; n < 5; n += 1) await proxy.post('/v1/chat/completions', CHAT);
  expect([limited.asked.length, other.asked.length]).toEqual([2, 3]);
});

test('an alias with weights reaches all its targets, an ordered one the first', async () => {
  await using a = upstream(() => completion('a'));
  await using b = upstream(() => completion('b'));
  const models = {
    both: {
      strategy: 'weighted' as const,
      targets: [
        { target: 'a/gpt-4o', weight: 1 },
        { target: 'b/gpt-4o', weight: 1 },
      ],
    },
    first: ['b/gpt-4o', 'a/gpt-4o'],
  };
  await using proxy = running({ providers: [provider('a', a.url), provider('b', b.url)], models });
  for (let n = 0; n < 30; n += 1) await proxy.post('/v1/chat/completions', { ...CHAT, model: 'both' });
  expect(a.asked.length > 0 && b.asked.length > 0).toBe(true);
  expect(
    (await proxy.post('/v1/chat/completions', { ...CHAT, model: 'first' })).headers.get(
      'x-llmproxy-provider',
    ),
  ).toBe('b');
});

test('an error page that is small only while it is compressed costs no more than others', async () => {
  const page = gzipSync('<title'.repeat(100_000));
  await using bad = upstream(
    () => new Response(page, { status: 400, headers: { 'content-encoding': 'gzip' } }),
  );
  await using proxy = running({ providers: [provider('a', bad.url)] });
  const beganMs = performance.now();
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect([response.status, (await response.text()).length < 4_000]).toEqual([400, true]);
  expect(performance.now() - beganMs).toBeLessThan(1_000);
});

test('an error whose body does not come is what its status says', async () => {
  const stalled = () =>
    new Response(new ReadableStream({ start: (body) => body.enqueue('{') }), { status: 401 });
  await using bad = upstream(stalled);
  await using good = upstream(() => completion('ok'));
  await using proxy = running({
    providers: [provider('a', bad.url), provider('b', good.url, { priority: 2 })],
  });
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
  expect((await proxy.recorded(1))[0]!.attempt_log.map(({ fault }) => fault)).toEqual(['auth', null]);
}, 10_000);

test('tokens that are counted here bring back no target that is down', async () => {
  await using bad = upstream(() => failure(503));
  await using proxy = running({
    providers: [provider('a', bad.url, { max_retries: 0 })],
    health: { probe: 'never' },
    routing: { breaker: { failures: 1, cooldown: '1h', max_cooldown: '1h' } },
  });
  await proxy.post('/v1/chat/completions', CHAT);
  // As a last resort, a second after it failed, somebody asks of the target what no provider has to be asked.
  await until('the count', async () => {
    const counted = await proxy.post('/v1/messages/count_tokens', CHAT);
    return counted.status === 200;
  });
  const { providers } = (await (await fetch(`${proxy.url}/providers`)).json()) as {
    providers: { held: { scope: string }[] }[];
  };
  expect(providers[0]!.held.map(({ scope }) => scope)).toEqual(['target']);
});

test('tokens that are counted here take none of the time that a provider has', async () => {
  await using silent = upstream(() => failure(503));
  const timeout = { connect: '100ms', first_byte: '100ms', total: '100ms' };
  await using proxy = running({ providers: [provider('a', silent.url, { timeout, max_retries: 0 })] });
  const long = { ...CHAT, messages: [{ role: 'user', content: 'some words of a prompt, '.repeat(100_000) }] };
  const counted = await proxy.post('/v1/messages/count_tokens', long);
  expect([counted.status, await counted.json()]).toEqual([200, { input_tokens: expect.any(Number) }]);
  expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'success', fault: null }]);
});

test('no target uses up the attempts of those behind it', async () => {
  await using limited = upstream(() => failure(429));
  await using good = upstream(() => completion('ok'));
  const keys = ['key-one', 'key-two', 'key-three'];
  await using proxy = running({
    providers: [
      provider('a', limited.url, { models: ['m', 'gpt-4o'], api_keys: keys }),
      provider('b', good.url, { priority: 2 }),
    ],
    models: { both: ['a/gpt-4o', 'a/m', 'b/gpt-4o'] },
    routing: { max_attempts: 4 },
  });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'both' });
  expect([response.status, response.headers.get('x-llmproxy-provider')]).toEqual([200, 'b']);
  expect(response.headers.get('x-llmproxy-attempts')).toBe('4');
});
