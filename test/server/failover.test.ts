import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { fastClock } from '../helpers/clock.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';
import { usedMs } from '../helpers/cpu.ts';

const DEAD = 'http://127.0.0.1:1';

const failure = (status: number, error: object = {}, headers: Record<string, string> = {}) =>
  Response.json({ error: { message: 'no', type: 'x', ...error } }, { status, headers });

test('requests succeed although the first provider is dead', async () => {
  await using good = upstream(() => completion('from b'));
  await using proxy = running({ providers: [provider('a', DEAD), provider('b', good.url, { priority: 2 })] });
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await proxy.post('/v1/chat/completions', CHAT)).status),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(proxy.records.every((record) => record.provider === 'b' && record.outcome === 'success')).toBe(true);
  const late = await proxy.post('/v1/chat/completions', CHAT);
  // By now the breaker of the dead provider is open, so it is not asked again.
  expect(late.headers.get('x-llmproxy-attempts')).toBe('1');
});

test.each([500, 502, 503, 529])('status %i is retried once on the same provider', async (status) => {
  await using flaky = upstream((_, count) => (count === 1 ? failure(status) : completion('ok')));
  await using proxy = running({ providers: [provider('a', flaky.url)] });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-llmproxy-attempts')).toBe('2');
});

test.each([
  ['401', () => failure(401, { code: 'invalid_api_key' }), 1],
  ['402', () => failure(402), 1],
  ['404 model not found', () => failure(404, { code: 'model_not_found' }), 1],
  ['403', () => failure(403), 1],
  ['409', () => failure(409), 1],
  ['404 for a file', () => failure(404, { message: 'No such File object: file-1' }), 1],
  ['501', () => failure(501), 1],
  ['429 with a long Retry-After', () => failure(429, {}, { 'retry-after': '60' }), 1],
  ['HTML with status 200', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 3],
  [
    'an error code that is a property of every object',
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

test('a silent provider is abandoned after timeout.first_byte', async () => {
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

test('a complete stream without [DONE] is given one', async () => {
  await using short = upstream(() => sse(chatStream(['all'], ': bye\n\n')));
  await using proxy = running({ providers: [provider('a', short.url)] });
  const text = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
});

test('a provider’s message for an invalid request is passed on, and counts against no target', async () => {
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

test('user text quoted in a provider’s error puts no key or model on cooldown', async () => {
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

test('when all providers fail, the answer is a 5xx after bounded attempts, and lists each attempt', async () => {
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

test('requests over rate_limit go to the next provider', async () => {
  await using limited = upstream(() => completion('a'));
  await using other = upstream(() => completion('b'));
  await using proxy = running({
    providers: [provider('a', limited.url, { rate_limit: 2 }), provider('b', other.url, { priority: 2 })],
  });
  for (let n = 0; n < 5; n += 1) await proxy.post('/v1/chat/completions', CHAT);
  expect([limited.asked.length, other.asked.length]).toEqual([2, 3]);
});

test('an alias with weights reaches all its targets, and an ordered one the first', async () => {
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

test('a small compressed error page that expands hugely is handled in bounded time', async () => {
  const page = gzipSync('<title'.repeat(100_000));
  await using bad = upstream(
    () => new Response(page, { status: 400, headers: { 'content-encoding': 'gzip' } }),
  );
  await using proxy = running({ providers: [provider('a', bad.url)] });
  const beganMs = usedMs();
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect([response.status, (await response.text()).length < 4_000]).toEqual([400, true]);
  expect(usedMs() - beganMs).toBeLessThan(1_000);
});

test('an error whose body never arrives is classified by its status', async () => {
  const stalled = () =>
    new Response(new ReadableStream({ start: (body) => body.enqueue('{') }), { status: 401 });
  await using bad = upstream(stalled);
  await using good = upstream(() => completion('ok'));
  const providers = [provider('a', bad.url), provider('b', good.url, { priority: 2 })];
  await using proxy = running({ providers }, {}, [], fastClock(20));
  expect((await proxy.post('/v1/chat/completions', CHAT)).status).toBe(200);
  expect((await proxy.recorded(1))[0]!.attempt_log.map(({ fault }) => fault)).toEqual(['auth', null]);
});

test('counting tokens locally does not mark a target as recovered', async () => {
  await using bad = upstream(() => failure(503));
  const config = {
    providers: [provider('a', bad.url, { max_retries: 0 })],
    health: { probe: 'never' as const },
    routing: { breaker: { failures: 1, cooldown: '10h', max_cooldown: '10h' } },
  };
  await using proxy = running(config, {}, [], fastClock(20));
  await proxy.post('/v1/chat/completions', CHAT);
  // As a last resort, a second after the failure, the target is tried with a request that needs no provider.
  await until('the count', async () => {
    const counted = await proxy.post('/v1/messages/count_tokens', CHAT);
    return counted.status === 200;
  });
  const { providers } = (await (await fetch(`${proxy.url}/providers`)).json()) as {
    providers: { held: { scope: string }[] }[];
  };
  expect(providers[0]!.held.map(({ scope }) => scope)).toEqual(['target']);
});

test('counting tokens locally uses no time of a provider’s timeouts', async () => {
  await using silent = upstream(() => failure(503));
  const timeout = { connect: '20ms', first_byte: '20ms', total: '20ms' };
  await using proxy = running({ providers: [provider('a', silent.url, { timeout, max_retries: 0 })] });
  const long = { ...CHAT, messages: [{ role: 'user', content: 'some words of a prompt, '.repeat(20_000) }] };
  const counted = await proxy.post('/v1/messages/count_tokens', long);
  expect([counted.status, await counted.json()]).toEqual([200, { input_tokens: expect.any(Number) }]);
  expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'success', fault: null }]);
});

test('no target uses up the attempts of the targets behind it', async () => {
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
