/** Sessions over Gemini's Live API, whose model is named in the first message. */
import { afterEach, describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { SessionScript } from '../helpers/realtime.ts';
import { running } from '../helpers/proxy.ts';
import { call, handshake, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';

const PATH = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

const bytes = (message: object) => Buffer.from(JSON.stringify(message));

/** Gemini sends its JSON as bytes. */
const GEMINI: SessionScript = {
  message({ socket }, message) {
    const asked = JSON.parse(String(message)) as Record<string, unknown>;
    if (asked.setup) socket.send(bytes({ setupComplete: {} }));
    if (!asked.clientContent) return;
    socket.send(
      bytes({
        serverContent: { modelTurn: { parts: [{ inlineData: { mimeType: 'audio/pcm', data: 'AAAA' } }] } },
      }),
    );
    socket.send(bytes({ serverContent: { outputTranscription: { text: 'Good ' } } }));
    socket.send(bytes({ serverContent: { outputTranscription: { text: 'day' } } }));
    socket.send(
      bytes({
        serverContent: { turnComplete: true },
        usageMetadata: {
          promptTokenCount: 20,
          responseTokenCount: 7,
          totalTokenCount: 27,
          responseTokensDetails: [{ modality: 'AUDIO', tokenCount: 7 }],
        },
      }),
    );
  },
};

function upstream(script = GEMINI) {
  const made = sessionUpstream(script);
  open.push(made);
  return made;
}

function provider(name: string, url: string, extra: object = {}): ConfigInput['providers'][number] {
  return {
    name,
    type: 'gemini',
    base_url: `${url}/v1beta`,
    api_key: 'AIza-upstream',
    models: ['gemini-*'],
    max_retries: 0,
    ...extra,
  };
}

function proxyFor(providers: ConfigInput['providers'], config: Partial<ConfigInput> = {}) {
  const proxy = running({ providers, ...config });
  open.unshift(proxy);
  return proxy;
}

const setup = (model = 'models/gemini-live') => ({
  setup: { model, systemInstruction: { parts: [{ text: 'Be kind' }] } },
});
const QUESTION = {
  clientContent: { turns: [{ role: 'user', parts: [{ text: 'Hi' }] }], turnComplete: true },
};
const json = (message: Uint8Array | string | undefined) => JSON.parse(Buffer.from(message ?? '').toString());

describe('a Gemini Live session', () => {
  test('is routed by its first message, and recorded', async () => {
    const one = upstream();
    const proxy = proxyFor(
      [provider('one', one.url, { models: [{ name: 'voice', upstream: 'gemini-live-2' }] })],
      { auth: { keys: [{ name: 'me', key: 'k' }] } },
    );
    const client = await call(`${proxy.url}/${PATH}?key=k`);
    client.send(setup('models/voice'));
    client.send(QUESTION);
    await until('the answer', () => client.binary.length, { is: 5 });
    const session = one.sessions[0]!;
    expect(session.path).toBe(PATH);
    expect(session.headers.get('x-goog-api-key')).toBe('AIza-upstream');
    expect(session.messages.map((message) => json(message as Buffer))).toEqual([
      setup('models/gemini-live-2'),
      QUESTION,
    ]);
    client.socket.close(1000);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({
      endpoint: 'realtime.live',
      outcome: 'success',
      key: 'me',
      model: 'voice',
      upstream_model: 'gemini-live-2',
      input_tokens: 20,
      output_tokens: 7,
      units: { output_audio_tokens: 7 },
      session: { client_events: 2, provider_events: 5, responses: 1 },
    });
    expect(json(record!.request)).toEqual({ instructions: 'Be kind' });
    expect(json(record!.response).messages).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Good day' },
    ]);
  });

  test('fails over as long as its provider has sent nothing', async () => {
    const bad = upstream({ message: ({ socket }) => socket.close(1011, 'You exceeded your current quota') });
    const good = upstream();
    const proxy = proxyFor([provider('bad', bad.url), provider('good', good.url, { priority: 2 })]);
    using client = await call(proxy.url + PATH);
    client.send(setup());
    client.send(QUESTION);
    await until('the answer', () => client.binary.length, { is: 5 });
    expect(good.sessions[0]!.messages.length).toBe(2);
    client.socket.close();
    const [record] = await proxy.recorded(1);
    expect(record!.attempt_log.map(({ fault }) => fault)).toEqual(['rate_limited', null]);
  });

  test.each([
    ['another model', setup('models/nothing'), 1008, 404],
    ['no setup', QUESTION, 1007, 400],
    ['no JSON', 'hello', 1007, 400],
  ] as const)('is closed with a reason for %s', async (_, first, code, status) => {
    const one = upstream();
    const proxy = proxyFor([provider('one', one.url)]);
    const client = await call(proxy.url + PATH);
    client.send(first);
    const closed = await client.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toStartWith('Cannot ');
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'error', status });
    expect(one.asked.length).toBe(0);
  });

  test('is refused at the handshake without a permitted key, and closed for a model that is not permitted', async () => {
    const one = upstream();
    const proxy = proxyFor([provider('one', one.url)], {
      auth: {
        keys: [
          { name: 'chat', key: 'chat', endpoints: ['chat', 'realtime'] },
          { name: 'other', key: 'other', models: ['gpt-*'] },
        ],
      },
    });
    expect((await handshake(proxy.url + PATH)).status).toBe(401);
    expect((await handshake(`${proxy.url + PATH}?key=chat`)).status).toBe(403);
    const client = await call(`${proxy.url + PATH}?key=other`);
    client.send(setup());
    expect((await client.closed).code).toBe(1008);
    expect(one.asked.length).toBe(0);
  });

  test('is closed if no first message arrives in time, and recorded if the client leaves before it', async () => {
    const proxy = proxyFor([provider('one', upstream().url)], { limits: { body_timeout: '100ms' } });
    const silent = await call(proxy.url + PATH);
    expect((await silent.closed).code).toBe(1008);
    const gone = await call(proxy.url + PATH);
    gone.socket.close();
    expect((await proxy.recorded(2)).map(({ fault }) => fault)).toEqual(['request_timeout', 'client_abort']);
  });

  test('is closed when its limit is used up, since the protocol has no error event', async () => {
    const one = upstream();
    const proxy = proxyFor([provider('one', one.url)], {
      auth: { keys: [{ name: 'me', key: 'k', limits: [{ tokens: 10, per: 'day' }] }] },
    });
    const client = await call(`${proxy.url + PATH}?key=k`);
    client.send(setup());
    client.send(QUESTION);
    await until('the answer', () => client.binary.length, { is: 5 });
    client.send(QUESTION);
    const { code, reason } = await client.closed;
    expect(code).toBe(1008);
    expect(reason).toContain('10 tokens per day of key me is used up');
    expect(one.sessions[0]!.messages.length).toBe(2);
  });

  test('counts as one request, and is closed beyond a limit on requests', async () => {
    const one = upstream();
    const proxy = proxyFor([provider('one', one.url)], {
      auth: { keys: [{ name: 'me', key: 'k', limits: [{ requests: 1, per: 'day' }] }] },
    });
    for (const closes of [false, true]) {
      using client = await call(`${proxy.url + PATH}?key=k`);
      client.send(setup());
      if (closes) expect((await client.closed).reason).toContain('1 requests per day of key me is used up');
      else await until('the session', () => client.binary.length, { is: 1 });
    }
    expect(one.sessions.length).toBe(1);
  });

  test('is closed when the client sends more than max_unsent before it begins', async () => {
    const { promise: never } = Promise.withResolvers<Response>();
    const proxy = proxyFor([provider('one', upstream({ refuse: () => never }).url)], {
      limits: { realtime: { max_unsent: '1KiB' } },
    });
    const client = await call(proxy.url + PATH);
    client.send(setup());
    client.send('x'.repeat(2_000));
    expect((await client.closed).code).toBe(1009);
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort' });
  });
});
