import { expect, test } from 'bun:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { chatStream, completion, pieces, sse, upstream } from '../helpers/upstream.ts';
import { fastClock } from '../helpers/clock.ts';

const sha = (bytes: Uint8Array | string) => new Bun.CryptoHasher('sha256').update(bytes).digest('hex');

test.each([[[1]], [[3, 7]], [[64]], [[1, 5000]]])(
  'a relayed stream is byte-exact, cut into %j',
  async (sizes) => {
    const text = chatStream(['Grüße ', '👋🏽', ' x'.repeat(50)]);
    const bytes = new TextEncoder().encode(`: hello\r\n\r\n${text}`);
    await using provided = upstream(() => sse(pieces(bytes, sizes)));
    await using proxy = running({ providers: [provider('a', provided.url)] });
    const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
    expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(bytes));
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', finish: 'stop', lane: 'relay', stream: true });
    expect(JSON.parse(record!.response!).choices[0].message.content).toBe(`Grüße 👋🏽${' x'.repeat(50)}`);
  },
);

test('a stream is requested uncompressed, and decompressed for the client if it still comes compressed', async () => {
  const bytes = gzipSync(chatStream(['packed']));
  await using provided = upstream(() => sse(pieces(bytes, [11]), { 'content-encoding': 'gzip' }));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true }, {
    decompress: false,
  } as RequestInit);
  expect(provided.asked[0]!.headers.get('accept-encoding')).toBe('identity');
  expect(response.headers.get('content-encoding')).toBeNull();
  expect(await response.text()).toBe(chatStream(['packed']));
  const [record] = await proxy.recorded(1);
  expect(JSON.parse(record!.response!).choices[0].message.content).toBe('packed');
});

test('a compressed answer is passed on unchanged to a client that accepts it', async () => {
  const plain = await completion('hello').text();
  const bytes = gzipSync(plain);
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  await using provided = upstream(() => new Response(bytes, { headers }));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const response = await proxy.post('/v1/chat/completions', CHAT, {
    decompress: false,
    headers: { 'accept-encoding': 'br;q=0.5, gzip' },
  } as RequestInit);
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const got = new Uint8Array(await response.arrayBuffer());
  expect(sha(got)).toBe(sha(bytes));
  expect(gunzipSync(got).toString()).toBe(plain);
  expect((await proxy.recorded(1))[0]).toMatchObject({ input_tokens: 10, output_tokens: 5, finish: 'stop' });
});

test.each([
  ['/v1/chat/completions', CHAT],
  ['/v1/moderations', { model: 'gpt-m', input: 'x' }],
])('a compressed answer of %s is decompressed for clients that do not accept it', async (path, request) => {
  const plain = await completion('hello '.repeat(2_000)).text();
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(gzipSync(plain));
  await using provided = upstream(() => new Response(pieces(bytes, [999]), { headers }));
  await using proxy = running({ providers: [provider('a', provided.url, { max_retries: 0 })] });
  const ask = (accepted: string) =>
    proxy.post(path, request, { decompress: false, headers: { 'accept-encoding': accepted } } as RequestInit);
  for (const accepted of ['identity', 'gzip;q=0, br', 'br', '*;q=0']) {
    const response = await ask(accepted);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toBe(plain);
  }
  bytes = bytes.slice(0, -9);
  expect((await ask('identity')).status).toBe(502);
  expect((await proxy.recorded(5))[4]).toMatchObject({ fault: 'malformed' });
});

test('a relayed request changes only in its model name', async () => {
  await using provided = upstream(() => completion('ok'));
  const models = [{ name: 'gpt-mine', upstream: 'real/name' }];
  await using proxy = running({ providers: [provider('a', provided.url, { models })] });
  const body =
    '{ "nested": {"model":"x"}, "model" : "gpt-mine",\n"big": 12345678901234567890, "messages":[{"role":"user","content":"\\u0041 \\"model\\":"}] }';
  await proxy.post('/v1/chat/completions', body);
  expect(provided.asked[0]!.text).toBe(body.replace('"gpt-mine"', '"real/name"'));
});

test('a multipart request reaches the provider byte for byte except for the model', async () => {
  await using provided = upstream(() => Response.json({ text: 'spoken' }));
  const models = [{ name: 'whisper', upstream: 'whisper-1' }];
  await using proxy = running({ providers: [provider('a', provided.url, { models })] });
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array([0, 255, 13, 10, 45, 45])]), 'a.wav');
  form.set('model', 'whisper');
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type')!;
  const bytes = new Uint8Array(await encoded.arrayBuffer());
  const response = await proxy.post('/v1/audio/transcriptions', bytes, { headers: { 'content-type': type } });
  expect(await response.json()).toEqual({ text: 'spoken' });
  const expected = Buffer.from(bytes)
    .toString('latin1')
    .replace('\r\n\r\nwhisper\r\n', '\r\n\r\nwhisper-1\r\n');
  expect(Buffer.from(provided.asked[0]!.body).toString('latin1')).toBe(expected);
});

test('a binary answer is passed on unchanged', async () => {
  const sound = crypto.getRandomValues(new Uint8Array(60_000));
  await using provided = upstream(
    () => new Response(pieces(sound, [999]), { headers: { 'content-type': 'audio/mpeg' } }),
  );
  await using proxy = running({ providers: [provider('a', provided.url, { models: ['tts-1'] })] });
  const response = await proxy.post('/v1/audio/speech', { model: 'tts-1', input: 'x' });
  expect(response.headers.get('content-type')).toBe('audio/mpeg');
  expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(sound));
  expect((await proxy.recorded(1))[0]).toMatchObject({
    outcome: 'success',
    response_bytes: 60_000,
    omitted: ['response'],
  });
});

test('the provider’s key is sent, but not the client’s credentials and cookies', async () => {
  await using provided = upstream(() => completion('ok'));
  const config = {
    providers: [
      provider('a', provided.url, { api_key: 'sk-upstream-secret', custom_headers: { 'X-Team': 'blue' } }),
    ],
  };
  await using proxy = running(config);
  await proxy.post('/v1/chat/completions', CHAT, {
    headers: { authorization: 'Bearer mine', cookie: 'a=b', 'openai-beta': 'x' },
  });
  const { headers } = provided.asked[0]!;
  expect(headers.get('authorization')).toBe('Bearer sk-upstream-secret');
  expect([headers.get('cookie'), headers.get('x-team'), headers.get('openai-beta')]).toEqual([
    null,
    'blue',
    'x',
  ]);
});

test('a stream typed as JSON is still streamed, and an unstreamed answer to a stream request becomes a stream', async () => {
  const json = { 'content-type': 'application/json' };
  await using provided = upstream((_, count) =>
    count === 1
      ? new Response(chatStream(['named', ' badly']), { headers: json })
      : completion('in one piece'),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const ask = async () => await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
  const first = await ask();
  expect(await first.text()).toBe(chatStream(['named', ' badly']));
  const second = await ask();
  const text = await second.text();
  expect(second.headers.get('content-type')).toBe('text/event-stream');
  expect(text).toContain('"delta":{"role":"assistant","content":"in one piece"}');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect((await proxy.recorded(2))[1]).toMatchObject({
    outcome: 'success',
    finish: 'stop',
    output_tokens: 5,
  });
});

test('a chunk too deep to be serialized again is skipped and counted, without further loss', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const first = `data: {"choices":[{"index":0,"delta":{"content":"hi","deep":${deep}},"finish_reason":null}]}\n\n`;
  await using a = upstream(() => sse(first + chatStream(['!'])));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const text = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  expect(text).toBe(chatStream(['!']));
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', malformed: 1 });
});

test('a finished answer whose usage is still missing is waited for no longer than timeout.idle', async () => {
  const silent = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(chatStream(['hi'], ' ').slice(0, -1))),
  });
  await using a = upstream(() => sse(silent));
  await using proxy = running({ providers: [provider('a', a.url, { timeout: '150ms' })] });
  const usage = { stream_options: { include_usage: true } };
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, ...usage, stream: true });
  expect(await response.text()).toBe(chatStream(['hi']));
  expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'success', finish: 'stop' });
});

test.each([
  ['is complete', ''],
  ['lacks only its terminator', 'data: [DONE]\n\n'],
])('a provider that keeps sending comments when its answer %s is disconnected', async (_, missing) => {
  const left = Promise.withResolvers<void>();
  const living = new ReadableStream({
    start: (controller) => controller.enqueue(chatStream(['hi']).slice(0, -missing.length || undefined)),
    async pull(controller) {
      await Bun.sleep(20);
      controller.enqueue(': alive\n\n');
    },
    cancel: () => left.resolve(),
  });
  await using a = upstream(() => sse(living));
  await using proxy = running({ providers: [provider('a', a.url)] }, {}, [], fastClock(10));
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
  expect((await response.text()).replaceAll(': alive\n\n', '')).toBe(chatStream(['hi']));
  await left.promise;
});
