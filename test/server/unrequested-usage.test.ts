import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { chatStream, sse, upstream } from '../helpers/upstream.ts';

const STREAM = { ...CHAT, stream: true };
const USED = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const TELLING = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [], usage: USED })}\n\n`;

/** A stream as OpenAI sends it, with usage if that is requested. */
function openai(text: string): Response {
  const { stream_options: options } = JSON.parse(text) as { stream_options?: { include_usage?: boolean } };
  const stream = chatStream(['Hi', ' there']);
  if (!options?.include_usage) return sse(stream);
  const nulls = stream.replaceAll(/\}\n/g, ',"usage":null}\n');
  return sse(nulls.replace('data: [DONE]', `${TELLING}data: [DONE]`));
}

const REFUSAL = {
  error: { message: 'Unrecognized request argument supplied: stream_options', type: 'invalid_request_error' },
};

/** A server that does not know the field. */
const old = (text: string) =>
  text.includes('stream_options') ? Response.json(REFUSAL, { status: 400 }) : openai(text);

test.each(['/v1/chat/completions', '/v1/completions'])(
  'the usage of a %s stream is recorded although the client did not request it, and hidden from the client',
  async (path) => {
    await using a = upstream(({ text }) => openai(text));
    await using proxy = running({ providers: [provider('a', a.url)] });
    const asked = path.includes('chat') ? STREAM : { model: 'gpt-4o', prompt: 'hi', stream: true };
    const response = await proxy.post(path, asked);
    expect(await response.text()).toBe(chatStream(['Hi', ' there']));
    expect(a.asked[0]!.text).toBe(
      JSON.stringify(asked).replace('{', '{"stream_options":{"include_usage":true},'),
    );
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', input_tokens: 7, output_tokens: 3 });
    expect(record!.estimate).toBeUndefined();
  },
);

test('a client that requests the usage receives it unchanged', async () => {
  await using a = upstream(({ text }) => openai(text));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const asked = { ...STREAM, stream_options: { include_usage: true } };
  const response = await proxy.post('/v1/chat/completions', asked);
  expect(a.asked[0]!.text).toBe(JSON.stringify(asked));
  expect(await response.text()).toBe(await openai(a.asked[0]!.text).text());
});

test('a model rename and the usage option are both written into one request', async () => {
  await using a = upstream(({ text }) => openai(text));
  const models = [{ name: 'gpt-mine', upstream: 'gpt-4o' }];
  await using proxy = running({ providers: [provider('a', a.url, { models })] });
  await (
    await proxy.post('/v1/chat/completions', '{ "stream":true, "model" : "gpt-mine","messages":[] }')
  ).text();
  expect(a.asked[0]!.text).toBe(
    '{"stream_options":{"include_usage":true}, "stream":true, "model" : "gpt-4o","messages":[] }',
  );
});

test.each([
  ['off', 'openai-compatible', false],
  [false, 'openai-compatible', false],
  ['auto', 'openai-compatible', true],
  ['auto', 'openai', true],
  ['auto', 'deepseek', true],
  ['auto', 'together', false],
  ['auto', 'openrouter', false],
  ['on', 'together', true],
])('with ask_usage: %s a provider of type %s is asked for usage: %p', async (askUsage, type, asks) => {
  await using a = upstream(({ text }) => openai(text));
  const extra = { type, ask_usage: askUsage, api_key: 'sk-test' };
  await using proxy = running({ providers: [provider('a', a.url, extra)] });
  await (await proxy.post('/v1/chat/completions', STREAM)).text();
  expect(a.asked[0]!.text.includes('include_usage')).toBe(asks);
  expect((await proxy.recorded(1))[0]!.input_tokens).toBe(asks ? 7 : null);
});

test('a vendor that is known to refuse the field is not sent it', async () => {
  await using a = upstream(({ text }) => openai(text));
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'mistral', api_key: 'sk', ask_usage: 'on' })],
  });
  await (await proxy.post('/v1/chat/completions', STREAM)).text();
  expect(a.asked[0]!.text).not.toContain('include_usage');
});

test.each([
  ['/v1/chat/completions', STREAM, 'relay'],
  ['/v1/messages', { ...STREAM, max_tokens: 9 }, 'translate'],
])(
  'a server that refuses the field is asked again at once, and from then on without it: %s',
  async (path, body, lane) => {
    await using a = upstream(({ text }) => old(text));
    await using proxy = running({
      providers: [provider('a', a.url, { max_retries: 0 })],
      routing: { max_attempts: 1, breaker: { failures: 1 } },
    });
    for (const _ of [1, 2]) {
      const response = await proxy.post(path, body);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-llmproxy-dropped')).toBeNull();
      expect(await response.text()).toContain(' there');
    }
    const [first, second] = await proxy.recorded(2);
    expect(first).toMatchObject({ outcome: 'success', lane, attempts: 2 });
    expect(first!.attempt_log.map(({ fault }) => fault)).toEqual(['usage_unasked', null]);
    expect(second!.attempts).toBe(1);
    expect(a.asked.map(({ text }) => text.includes('stream_options'))).toEqual([true, false, false]);
    const { providers } = (await (await fetch(`${proxy.url}/providers`)).json()) as {
      providers: { state: string; success_rate: number; calls: number }[];
    };
    expect(providers[0]).toMatchObject({ state: 'healthy', success_rate: 1, calls: 2 });
  },
);

test('a client’s own invalid stream_options is refused, and not mistaken for the server’s refusal', async () => {
  await using a = upstream(({ text }) => old(text));
  await using proxy = running({ providers: [provider('a', a.url)] });
  const response = await proxy.post('/v1/chat/completions', { ...STREAM, stream_options: 'usage' });
  expect([response.status, await response.json()]).toEqual([400, REFUSAL]);
  expect(a.asked).toHaveLength(1);
});

test('limits count a stream by its usage although the client did not request it', async () => {
  await using a = upstream(({ text }) => openai(text));
  await using proxy = running({
    providers: [provider('a', a.url)],
    rate_limits: [{ tokens: 1_000, per: 'hour' }],
  });
  const remaining = async () => {
    const response = await proxy.post('/v1/chat/completions', { ...STREAM, max_tokens: 5 });
    await response.text();
    return Number(response.headers.get('x-ratelimit-remaining-tokens'));
  };
  const before = await remaining();
  await proxy.recorded(1);
  expect(before - (await remaining())).toBe(10);
});
