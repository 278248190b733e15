/** Limits as callers meet them: every route is charged, and each refusal is in the caller's protocol. */
import { afterAll, describe, expect, test } from 'bun:test';
import OpenAI, { RateLimitError } from 'openai';
import type { ConfigInput } from '../../src/config/schema.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { routes } from '../helpers/routes.ts';
import { call, handshake, OPENAI, sessionUpstream } from '../helpers/realtime.ts';
import { completion, sse, chatStream, upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

/** Answers every endpoint with a usage of 10 input and 5 output tokens. */
const answering = () =>
  upstream(({ path, text }) => {
    if (path.includes('embeddings'))
      return Response.json({
        object: 'list',
        model: 'm',
        data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
        usage: { prompt_tokens: 10, total_tokens: 10 },
      });
    if (text.includes('"stream":true')) return sse(chatStream(['one ', 'two ', 'three']));
    if (path.includes('/completions') && !path.includes('chat'))
      return Response.json({
        id: 'c',
        object: 'text_completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, text: 'one', finish_reason: 'stop', logprobs: null }],
        usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      });
    return completion('one');
  });

/** Gemini's clients name the model in the path. */
const GOOGLES = '/v1beta/models/gpt-4o:generateContent';

const by = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const PRICE = { input: 1_000, output: 1_000 };

type Keys = Exclude<NonNullable<ConfigInput['auth']>, 'none'>['keys'];
const keys = (limits: Record<string, object[]>): { keys: NonNullable<Keys> } => ({
  keys: Object.entries(limits).map(([name, list]) => ({
    name,
    key: name,
    limits: list,
    ops: name === 'ops',
  })) as NonNullable<Keys>,
});

const open: AsyncDisposable[] = [];
afterAll(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
});

function started(
  config: Omit<ConfigInput, 'providers'> & { providers?: ConfigInput['providers'] },
  script = answering(),
) {
  const whole = (more: typeof config): ConfigInput => ({
    providers: [
      provider('one', script.url, {
        models: [
          { name: 'gpt-4o', price: PRICE },
          'free',
          { name: 'dear', upstream: 'dear-v1', price: PRICE },
          'gpt-*',
        ],
      }),
    ],
    ...more,
  });
  const proxy = running(whole(config));
  open.push(proxy, script);
  return { ...proxy, script, change: (more: typeof config) => proxy.reload(whole(more)) };
}

interface Told {
  error: { message: string; code: string; type: string };
}
const errorOf = async (answer: Response) => ((await answer.json()) as Told).error;
const chat = (
  proxy: { post: ReturnType<typeof running>['post'] },
  key: string,
  body: object = {},
  path = '/v1/chat/completions',
) => proxy.post(path, { ...CHAT, ...body }, by(key));
interface OwnKey {
  limits: { name: string; used: number; reserved: number; remaining: number; limit: number }[];
  usage: { total: { requests: number; tokens: number; cost: number } };
}
const own = async (proxy: { url: string }, key: string): Promise<OwnKey> =>
  (await (await fetch(`${proxy.url}/v1/key`, by(key))).json()) as OwnKey;

describe('no route evades a limit', () => {
  const limits = [{ requests: 3, per: 'day' as const }];
  const voice = sessionUpstream(OPENAI);
  const script = answering();
  const proxy = started(
    {
      auth: {
        keys: [
          { name: 'ops', key: 'ops', ops: true },
          ...[...posts(), ...sessions()].map(({ path }) => ({
            name: nameOf(path),
            key: nameOf(path),
            limits,
            ...(path.startsWith('/providers/') ? { endpoints: ['passthrough'] } : {}),
          })),
        ],
      },
      providers: [
        provider('one', script.url, { models: ['gpt-4o'], passthrough: true }),
        // This provider has an endpoint that the first one lacks.
        provider('two', script.url, { type: 'openai', api_key: 'sk-test', models: ['*'], priority: 2 }),
        provider('voice', voice.url, { models: ['gpt-realtime'] }),
      ],
    },
    script,
  );
  open.push(voice);

  test('covers more than 30 POST routes', () => expect(posts().length).toBeGreaterThan(30));

  test.each(posts().map(({ path }) => path))('POST %s', async (path) => {
    const feedback = path.endsWith('/feedback');
    const responses = path.includes('/responses');
    const interactions = path.endsWith('/interactions');
    const google = path === '/*';
    const body = feedback
      ? { request_id: 'r', score: 1 }
      : responses || interactions
        ? { model: 'gpt-4o', input: 'x' }
        : google
          ? { contents: [{ parts: [{ text: 'x' }] }] }
          : { input: 'x', prompt: 'x', query: 'x', documents: ['x'], max_tokens: 5, ...CHAT };
    const place = google ? GOOGLES : path.replace(':name/*', 'one/files');
    const post = () => proxy.post(place, body, by(nameOf(path)));
    for (const left of ['2', '1', '0']) {
      const answer = await post();
      expect([
        answer.status,
        answer.headers.get('x-ratelimit-limit-requests'),
        answer.headers.get('x-ratelimit-remaining-requests'),
      ]).toEqual([feedback ? 202 : 200, '3', left]);
      await answer.text();
    }
    const refused = await post();
    const { headers } = refused;
    expect(refused.status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^\d/);
    // A day is too long for SDKs, which would otherwise wait and retry.
    if (Number(headers.get('retry-after')) > 60) expect(headers.get('x-should-retry')).toBe('false');
    const messages = path.includes('messages');
    if (messages) {
      expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
      expect(headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    } else if (google || interactions) {
      expect(await refused.json()).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } });
    } else if (path.startsWith('/api/')) {
      expect(await refused.json()).toEqual({ error: expect.stringContaining('3 requests per day of key') });
    } else {
      const { message, code, type } = await errorOf(refused);
      expect({ code, type }).toEqual({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
      expect(message).toContain(
        `3 requests per day of key ${nameOf(path)} is used up (3 requests of 3 requests taken)`,
      );
    }
    expect((await own(proxy, nameOf(path))).limits[0]).toMatchObject({ used: 3, reserved: 0, remaining: 0 });
  });

  test('covers more than three WebSocket routes', () => expect(sessions().length).toBeGreaterThan(3));

  test.each(sessions().map(({ path }) => path))('a WebSocket at %s', async (path) => {
    const url = `${proxy.url + path}?model=gpt-realtime`;
    const { headers } = by(nameOf(path));
    for (let n = 0; n < 3; n += 1) {
      using session = await call(url, { headers });
      await session.heard('session.created');
    }
    const refused = await handshake(url, headers);
    expect(refused.status).toBe(429);
    expect((await errorOf(refused)).message).toContain(
      `3 requests per day of key ${nameOf(path)} is used up`,
    );
  });

  function all() {
    return routes({ providers: [provider('one', 'http://127.0.0.1:1')] });
  }
  function posts() {
    // Requests for stored objects, and Ollama's model management, are not requests to a model.
    const none =
      /\/(?:responses|interactions)\/:id|\/conversations|^\/api\/(?:show|pull|push|create|copy|delete|blobs)/;
    return all().filter(({ method, path }) => method === 'POST' && !none.test(path));
  }
  /** Gemini's sessions are refused by closing the WebSocket: see realtime-live.test.ts. */
  function sessions() {
    return all().filter(({ path }) => path.endsWith('/realtime'));
  }
  function nameOf(path: string) {
    return `key${path.replaceAll(/[^a-z]/g, '-')}`;
  }
});

test('the OpenAI SDK fails at once on a limit with a distant reset, and retries one that resets soon', async () => {
  const proxy = started({
    auth: keys({ day: [{ requests: 1, per: 'total' }], soon: [{ requests: 1, per: 'second' }] }),
  });
  const ask = async (apiKey: string) => {
    const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey, maxRetries: 3 });
    return await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'hi' }],
    });
  };
  await ask('day');
  await ask('soon');
  // A limit in total never resets, so the SDK does not retry; a limit per second resets soon, so it does.
  const error = (await ask('day').catch((thrown: unknown) => thrown)) as InstanceType<typeof RateLimitError>;
  expect(error).toBeInstanceOf(RateLimitError);
  expect([error.code, error.headers.get('x-should-retry')]).toEqual(['rate_limit_exceeded', 'false']);
  expect((await ask('soon')).choices[0]!.message.content).toBe('one');
  const refused = proxy.records.filter(({ fault }) => fault === 'over_limit').map(({ key }) => key);
  expect(refused.filter((key) => key === 'day')).toHaveLength(1);
  expect(refused.filter((key) => key === 'soon').length).toBeGreaterThan(0);
});

describe('a budget that is used up', () => {
  test('is reported to OpenAI and Anthropic clients with their own error types and a readable amount', async () => {
    const proxy = started({ auth: keys({ a: [{ budget: 0.02, per: 'month' }] }) });
    expect((await chat(proxy, 'a', { max_tokens: 5 })).status).toBe(200);
    const { message, code, type } = await errorOf(await chat(proxy, 'a', { max_tokens: 5 }));
    expect({ code, type }).toEqual({ code: 'insufficient_quota', type: 'insufficient_quota' });
    expect(message).toContain(
      '0.02 USD per month of key a is used up (0.015 USD of 0.02 USD taken, this one needs 0.0',
    );
    const refused = await chat(proxy, 'a', { max_tokens: 5 }, '/v1/messages');
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  });

  test('falls back to the model of when_used_up, names it in a header and counts its tokens', async () => {
    const proxy = started({
      auth: keys({ a: [{ budget: 0.02, per: 'month', when_used_up: { use: 'free' } }] }),
    });
    expect((await chat(proxy, 'a', { max_tokens: 1 })).headers.get('x-llmproxy-instead')).toBeNull();
    const answer = await chat(proxy, 'a', { max_tokens: 1 });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-llmproxy-instead')).toBe('free');
    expect(answer.headers.get('x-llmproxy-model')).toBe('free');
    expect(JSON.parse(proxy.script.asked.at(-1)!.text)).toMatchObject({ model: 'free' });
    expect((await own(proxy, 'a')).limits[0]!.used).toBe(0.015);
  });

  test('refuses the request where the fallback model cannot be used', async () => {
    const limits = [{ requests: 0, per: 'day', when_used_up: { use: 'nowhere' } }];
    const proxy = started({ auth: keys({ a: limits }) });
    const { message, code } = await errorOf(await chat(proxy, 'a'));
    expect(code).toBe('rate_limit_exceeded');
    expect(message).not.toContain('nowhere');
  });

  test('refuses the request where two limits fall back to each other’s models', async () => {
    const proxy = started({
      auth: keys({
        a: [
          { requests: 1, per: 'day', models: ['dear'], when_used_up: { use: 'free' } },
          { requests: 1, per: 'day', models: ['free'], when_used_up: { use: 'dear' } },
        ],
      }),
    });
    const answers = [];
    for (let n = 0; n < 4; n += 1) {
      const answer = await chat(proxy, 'a', { model: 'dear' });
      answers.push([answer.status, answer.headers.get('x-llmproxy-instead')]);
    }
    expect(answers).toEqual([
      [200, null],
      [200, 'free'],
      [429, null],
      [429, null],
    ]);
  });
});

describe('a limit of a model', () => {
  test('holds for every name by which the model is requested', async () => {
    const limits = [{ requests: 0, per: 'day', models: ['dear'] }];
    const proxy = started({
      auth: keys({ a: limits }),
      models: { alias: 'dear', route: ['one/dear', 'free'] },
    });
    for (const model of ['dear', 'one/dear', 'alias', 'route'])
      expect([model, (await chat(proxy, 'a', { model })).status]).toEqual([model, 429]);
    // The provider's own name for the model is not one of its names here, and names are case-sensitive.
    for (const model of ['free', 'DEAR'])
      expect([model, (await chat(proxy, 'a', { model })).status]).not.toEqual([model, 429]);
  });

  test('holds for a renamed model if it names the provider’s own model', async () => {
    const proxy = started({ auth: keys({ a: [{ requests: 0, per: 'day', models: ['one/dear-*'] }] }) });
    for (const model of ['dear', 'one/dear']) expect((await chat(proxy, 'a', { model })).status).toBe(429);
  });

  test('counts a model once under all its names where each model is counted apart', async () => {
    const proxy = started({
      auth: 'none',
      rate_limits: [{ requests: 2, per: 'day', each: 'model' }],
      models: { alias: 'dear' },
    });
    const statuses = [];
    for (const model of ['dear', 'one/dear', 'alias', 'free'])
      statuses.push((await chat(proxy, 'x', { model })).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
  });
});

describe('models without a price', () => {
  const under = (unpriced: unknown) => {
    const proxy = started({
      auth: { keys: [{ name: 'a', key: 'a', group: 'g', ops: true }] },
      groups: { g: { limits: [{ budget: 0.02, per: 'day' }], unpriced } as never },
    });
    return proxy;
  };
  const used = async (proxy: { url: string }) => (await own(proxy, 'a')).limits[0]!.used;

  test('are free under "allow"', async () => {
    const proxy = under('allow');
    expect((await chat(proxy, 'a', { model: 'free' })).status).toBe(200);
    expect(await used(proxy)).toBe(0);
  });
  test('are refused under "refuse"', async () => {
    const proxy = under('refuse');
    const answer = await chat(proxy, 'a', { model: 'free' });
    expect(answer.status).toBe(403);
    expect((await errorOf(answer)).code).toBe('key_not_permitted');
    expect(await used(proxy)).toBe(0);
    expect((await chat(proxy, 'a', { max_tokens: 5 })).status).toBe(200);
  });
  test.each(['refuse', { request: 0.005, input: 500, output: 500 }])(
    'are charged nothing for token counting under %p',
    async (unpriced) => {
      const proxy = under(unpriced);
      const ask = (path: string, more: object) => chat(proxy, 'a', { model: 'free', ...more }, path);
      expect((await ask('/v1/messages/count_tokens', {})).status).toBe(200);
      expect((await ask('/v1/responses/input_tokens', { input: 'x' })).status).toBe(200);
      expect(await used(proxy)).toBe(0);
    },
  );
  test('are charged at the operator’s price', async () => {
    const proxy = under({ input: 500, output: 500 });
    expect((await chat(proxy, 'a', { model: 'free', max_tokens: 5 })).status).toBe(200);
    expect(await used(proxy)).toBe(0.0075);
  });
});

describe('a limit reached during a stream', () => {
  const words = Array.from({ length: 600 }, (_, n) => `word${n} `);
  const endless = () =>
    upstream(() => {
      const bytes = new TextEncoder();
      let n = 0;
      return sse(
        new ReadableStream({
          async pull(controller) {
            await Bun.sleep(1);
            if (n >= words.length) return controller.close();
            controller.enqueue(
              bytes.encode(chatStream([words[n++]!], '').split('\n\n').slice(-2).join('\n\n')),
            );
          },
        }),
      );
    });
  const body = { messages: [{ role: 'user', content: 'x' }], max_tokens: undefined, stream: true };

  test.each(['/v1/chat/completions', '/v1/messages', '/v1/responses'])(
    'cuts a stream of %s short with an error if it is hard',
    async (path) => {
      const proxy = started(
        { auth: keys({ a: [{ tokens: 30, per: 'day', hard: true, count: 'output' }] }) },
        endless(),
      );
      const answer = await chat(
        proxy,
        'a',
        path.endsWith('messages') ? { ...body, max_tokens: 30 } : { ...body, input: 'x' },
        path,
      );
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect(text).toContain('is used up, and is set to cut off answers (hard)');
      const said = words.filter((word) => text.includes(word));
      expect(said.length).toBeGreaterThan(10);
      expect(said.length).toBeLessThan(300);
      // Nothing follows the error.
      expect(text.slice(text.indexOf('(hard)'))).not.toMatch(/delta["']/);
      expect(text).not.toContain('[DONE]');
      const [record] = await proxy.recorded(1);
      expect(record).toMatchObject({ outcome: 'truncated', fault: 'over_limit', output_tokens: null });
      const { used } = (await own(proxy, 'a')).limits[0]!;
      expect(used).toBe(record!.estimate!.output_tokens);
      expect(used).toBeGreaterThan(10);
      // A chunk is passed on in one piece, and on a busy machine it may hold many words, but by far not all of them.
      expect(used).toBeLessThan(600);
    },
  );

  test('lets the stream finish if it is not hard, and refuses the next request', async () => {
    const proxy = started(
      { auth: keys({ a: [{ tokens: 30, per: 'day', count: 'output' }] }) },
      upstream(() => sse(chatStream(words))),
    );
    const text = await (await chat(proxy, 'a', body)).text();
    expect(text).toContain('word59');
    expect(text).toContain('[DONE]');
    expect((await chat(proxy, 'a', body)).status).toBe(429);
  });
});

describe('a warning', () => {
  test('comes in a header, once per window on stderr, and shows in /metrics', async () => {
    const config: Parameters<typeof started>[0] = {
      auth: { keys: [{ name: 'a', key: 'a', group: 'g', ops: true }] },
      groups: { g: { limits: [{ requests: 4, per: 'day', warn_at: '50%' }] } },
    };
    const proxy = started(config);
    const seen = [];
    for (let n = 0; n < 3; n += 1) seen.push((await chat(proxy, 'a')).headers.get('x-llmproxy-warning'));
    expect(seen[0]).toBeNull();
    expect(seen[1]).toBe('50% taken of 4 requests per day of group g (2 requests of 4 requests)');
    expect(seen[2]).toContain('75% taken');
    const warned = () => proxy.problems.filter((line) => line.includes('Nearly used up'));
    expect(warned()).toHaveLength(1);
    const metrics = await (await fetch(`${proxy.url}/metrics`, by('a'))).text();
    expect(metrics).toContain(
      'llmproxy_limit_used_ratio{limit="4 requests per day of group g",kind="requests"} 0.75',
    );
    // A reload does not begin a new window.
    proxy.change(config);
    expect((await chat(proxy, 'a')).headers.get('x-llmproxy-warning')).toContain('100% taken');
    expect(warned()).toHaveLength(1);
  });
});

test('a warning about a model whose name no header can have reaches the caller with every kind of answer', async () => {
  const limits = [{ requests: 4, per: 'day' as const, models: ['модель*'], warn_at: '25%' }];
  const proxy = started(
    { auth: keys({ a: limits }), models: { модель: ['gpt-4o'] } },
    upstream(({ text }) => (text.includes('fail') ? new Response('{}', { status: 400 }) : completion('one'))),
  );
  for (const [content, status] of [
    ['hi', 200],
    ['fail', 400],
  ] as const) {
    const answer = await chat(proxy, 'a', { model: 'модель', messages: [{ role: 'user', content }] });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-llmproxy-warning')).toContain(encodeURIComponent('модель'));
  }
});

test('a provider’s rate limit headers do not reach callers that have limits of their own', async () => {
  const names = ['limit', 'remaining', 'reset'].map((what) => `x-ratelimit-${what}-tokens`);
  const telling = () =>
    upstream(() => {
      const answer = completion('one');
      for (const name of names) answer.headers.set(name, '77');
      return answer;
    });
  const proxy = started(
    { auth: keys({ a: [{ requests: 5, per: 'day' }], b: [{ tokens: 500, per: 'total' }], c: [] }) },
    telling(),
  );
  const told = async (key: string) => {
    const { headers } = await chat(proxy, key, { max_tokens: 5 });
    return names.map((name) => headers.get(name));
  };
  expect(await told('a')).toEqual([null, null, null]);
  await told('b');
  const [most, left, resets] = await told('b');
  expect([most, resets]).toEqual(['500', null]);
  expect(Number(left)).toBeGreaterThan(400);
  expect(await told('c')).toEqual(['77', '77', '77']);
});

describe('limits with extreme amounts', () => {
  test('apply where they are zero, one, or more than anyone uses', async () => {
    const proxy = started({
      auth: keys({
        none: [{ requests: 0, per: 'total' }],
        one: [{ tokens: 1, per: 'day' }],
        much: [
          { tokens: Number.MAX_SAFE_INTEGER, per: 'total' },
          { budget: 1e15, per: 'total' },
          { requests: Number.MAX_SAFE_INTEGER, per: 'second' },
        ],
        free: [{ budget: 0, per: 'day' }],
      }),
    });
    const none = await chat(proxy, 'none');
    expect(none.status).toBe(429);
    expect(none.headers.get('retry-after')).toBeNull();
    expect(none.headers.get('x-should-retry')).toBe('false');
    // The message must not suggest that a smaller request would fit.
    expect((await errorOf(none)).message).toBe(
      'Cannot accept the request: its limit is 0 requests in total of key none; ask the operator',
    );
    const one = await chat(proxy, 'one');
    expect(one.status).toBe(429);
    expect((await errorOf(one)).message).toContain('more than 1 tokens per day of key one ever allows');
    for (let n = 0; n < 2; n += 1) expect((await chat(proxy, 'much')).status).toBe(200);
    expect((await own(proxy, 'much')).limits.map(({ used }) => used)).toEqual([30, 0.03, 2]);
    expect((await chat(proxy, 'free')).status).toBe(429);
    // A budget does not refuse what costs nothing.
    expect((await chat(proxy, 'free', { model: 'free' })).status).toBe(200);
    expect((await chat(proxy, 'free', {}, '/v1/messages/count_tokens')).status).toBe(200);
  });

  test('add up correctly for a request with more tokens than a number can hold', async () => {
    const proxy = started({ auth: keys({ a: [{ tokens: 1, per: 'day', when_used_up: { use: 'free' } }] }) });
    const asked = await Promise.all(
      Array.from({ length: 8 }, () =>
        chat(proxy, 'a', { max_tokens: Number.MAX_SAFE_INTEGER, n: Number.MAX_SAFE_INTEGER }),
      ),
    );
    expect(asked.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await own(proxy, 'a')).limits[0]).toMatchObject({ used: 8 * 15, reserved: 0 });
  });
});

test('a request reserves no more than the maximum output of its model, however much it asks for', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = upstream(async () => {
    await promise;
    return completion('one');
  });
  const models = [{ name: 'gpt-4o', max_output: 100 }];
  const proxy = started(
    {
      auth: keys({ a: [{ tokens: 1_000, per: 'total' }] }),
      providers: [provider('one', slow.url, { models })],
    },
    slow,
  );
  const asked = Array.from({ length: 5 }, () => chat(proxy, 'a', { max_tokens: 100_000 }));
  await until('all requests at the provider', () => slow.asked.length, { is: 5 });
  expect((await own(proxy, 'a')).limits[0]!.reserved).toBeLessThan(5 * 130);
  resolve();
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(5).fill(200));
});

describe('users named by clients', () => {
  const limits = {
    groups: { g: { each_user: [{ requests: 1, per: 'day' as const }] } },
    auth: { keys: [{ name: 'a', key: 'a', group: 'g' }] },
  };

  test('are counted apart whatever their names, and requests without a name together', async () => {
    const proxy = started(limits);
    const names = [
      'u',
      'U',
      '__proto__',
      '"]',
      '["u"]',
      'u | all others',
      ' ',
      '💥',
      '\ud800',
      'x'.repeat(500),
    ];
    for (const user of names) expect([user, (await chat(proxy, 'a', { user })).status]).toEqual([user, 200]);
    for (const user of names) expect([user, (await chat(proxy, 'a', { user })).status]).toEqual([user, 429]);
    expect((await chat(proxy, 'a')).status).toBe(200);
    expect((await chat(proxy, 'a', { user: 7 })).status).toBe(429);
  });
});

describe('a reload', () => {
  test('that changes an amount keeps what was used', async () => {
    const proxy = started({ auth: keys({ a: [{ requests: 2, per: 'day' }] }) });
    for (const status of [200, 200, 429]) expect((await chat(proxy, 'a')).status).toBe(status);
    proxy.change({ auth: keys({ a: [{ requests: 3, per: 'day' }] }) });
    for (const status of [200, 429]) expect((await chat(proxy, 'a')).status).toBe(status);
    // Without the limit every request passes uncounted; when the limit comes back, it still knows its earlier count.
    proxy.change({ auth: keys({ a: [] }) });
    expect((await chat(proxy, 'a')).status).toBe(200);
    proxy.change({ auth: keys({ a: [{ requests: 4, per: 'day', window: 'calendar' }] }) });
    for (const status of [200, 429]) expect((await chat(proxy, 'a')).status).toBe(status);
  });

  test('settles requests that began before it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = upstream(async () => {
      await promise;
      return completion('one');
    });
    const proxy = started({ auth: keys({ a: [{ concurrent: 1 }] }) }, slow);
    const first = chat(proxy, 'a');
    await until('the first request at the provider', () => slow.asked.length, { is: 1 });
    proxy.change({ auth: keys({ a: [{ concurrent: 1 }] }) });
    const refused = await chat(proxy, 'a');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    resolve();
    expect((await first).status).toBe(200);
    expect((await chat(proxy, 'a')).status).toBe(200);
  });
});

describe('usage that is not reported is estimated', () => {
  test('for an Anthropic stream whose client leaves before its end', async () => {
    const text = 'The committee agreed on Tuesday that the bridge should be closed. ';
    const event = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
    const anthropic = upstream(() =>
      sse(
        new ReadableStream({
          async start(controller) {
            const send = (value: { type: string } & object) =>
              controller.enqueue(new TextEncoder().encode(event(value)));
            send({
              type: 'message_start',
              message: {
                id: 'm',
                type: 'message',
                role: 'assistant',
                model: 'gpt-4o',
                content: [],
                stop_reason: null,
                stop_sequence: null,
                usage: { input_tokens: 25, output_tokens: 1 },
              },
            } as never);
            send({
              type: 'content_block_start',
              index: 0,
              content_block: { type: 'text', text: '' },
            } as never);
            for (let n = 0; n < 50; n += 1)
              send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never);
          },
        }),
      ),
    );
    const proxy = started(
      {
        auth: keys({ a: [{ tokens: 10_000, per: 'day' }] }),
        providers: [provider('one', anthropic.url, { type: 'anthropic', api_key: 'k' })],
      },
      anthropic,
    );
    const leaving = new AbortController();
    const answer = await proxy.post(
      '/v1/messages',
      { ...CHAT, max_tokens: 2_000, stream: true },
      { ...by('a'), signal: leaving.signal },
    );
    const reader = answer.body!.getReader();
    for (let seen = 0; seen < 40 * text.length;) seen += (await reader.read()).value!.length;
    leaving.abort();
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({
      outcome: 'client_abort',
      input_tokens: 25,
      output_tokens: 1,
      estimate: { input_tokens: 25 },
    });
    // A sentence is 13 tokens, and at least thirty sentences have passed.
    expect(record!.estimate!.output_tokens).toBeGreaterThan(30 * 9);
    expect(record!.estimate!.output_tokens).toBeLessThan(50 * 19);
    const { limits, usage } = await own(proxy, 'a');
    expect(limits[0]!.used).toBe(25 + record!.estimate!.output_tokens);
    expect(usage.total.tokens).toBe(limits[0]!.used);
  });

  const said = { role: 'assistant', content: 'Hello there, my friend.' };
  const USAGES: readonly (readonly [object | undefined, number | undefined, number])[] = [
    // What is reported, and the tokens that are charged: an estimated input is 20 to 30 tokens.
    [undefined, undefined, 6],
    [{}, undefined, 6],
    [{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, undefined, 6],
    [{ prompt_tokens: null, completion_tokens: -3, total_tokens: 12 }, undefined, 6],
    [{ completion_tokens: 9 }, undefined, 9],
    [{ prompt_tokens: 5 }, 5, 6],
    [{ prompt_tokens: 5, completion_tokens: 0 }, 5, 6],
    [{ prompt_tokens: '5', completion_tokens: '9' }, undefined, 6],
  ];
  test.each(USAGES)(
    'for an answer with the usage %j, streamed or whole, to every client',
    async (usage, input, output) => {
      const one = upstream(({ body }) => {
        const { stream } = body as { stream?: boolean };
        const of = { id: 'chatcmpl-0123456789abcdef', created: 1_700_000_000, model: 'gpt-4o' };
        if (!stream) {
          const choices = [{ index: 0, message: said, finish_reason: 'stop', logprobs: null }];
          return Response.json({
            ...of,
            object: 'chat.completion',
            system_fingerprint: 'fp_1',
            choices,
            usage,
          });
        }
        const chunks = [
          { choices: [{ index: 0, delta: said, finish_reason: null }] },
          { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
          { choices: [], usage },
        ];
        const text = chunks.map((each) =>
          JSON.stringify({ ...of, object: 'chat.completion.chunk', ...each }),
        );
        return sse([...text, '[DONE]'].map((data) => `data: ${data}\n\n`).join(''));
      });
      const proxy = started({ auth: keys({ a: [{ tokens: 10_000, per: 'day' }] }) }, one);
      const asked = [{ role: 'user', content: 'Say hello to me please, and nothing else' }];
      const bodies: Record<string, object> = {
        '/v1/chat/completions': { messages: asked },
        '/v1/messages': { messages: asked, max_tokens: 50 },
        '/v1/responses': { input: asked },
        '/api/chat': { messages: asked },
        '/api/generate': { prompt: asked[0]!.content },
      };
      let used = 0;
      for (const [path, body] of Object.entries(bodies)) {
        for (const stream of [false, true]) {
          const answer = await proxy.post(path, { model: 'gpt-4o', stream, ...body }, by('a'));
          expect([path, answer.status]).toEqual([path, 200]);
          await answer.text();
          const { limits } = await own(proxy, 'a');
          const charged = limits[0]!.used - used;
          used = limits[0]!.used;
          if (input !== undefined) expect([path, stream, charged]).toEqual([path, stream, input + output]);
          else {
            expect(charged).toBeGreaterThanOrEqual(12 + output);
            expect(charged).toBeLessThanOrEqual(32 + output);
          }
        }
      }
      const records = await proxy.recorded(10);
      if (
        input === undefined ||
        usage === undefined ||
        !('completion_tokens' in usage) ||
        usage.completion_tokens === 0
      )
        expect(new Set(records.map(({ estimate }) => estimate!.output_tokens))).toEqual(new Set([output]));
    },
  );

  test.each<[string, object[], number]>([
    [
      'includes reasoning that its total adds',
      [
        {
          prompt_tokens: 5,
          completion_tokens: 6,
          total_tokens: 21,
          completion_tokens_details: { reasoning_tokens: 10 },
        },
      ],
      21,
    ],
    [
      'includes reasoning once',
      [
        {
          prompt_tokens: 5,
          completion_tokens: 16,
          total_tokens: 21,
          completion_tokens_details: { reasoning_tokens: 10 },
        },
      ],
      21,
    ],
    [
      'is the last of several',
      [
        { prompt_tokens: 5, completion_tokens: 1 },
        { prompt_tokens: 5, completion_tokens: 6 },
      ],
      11,
    ],
    [
      'is not taken back by an empty one',
      [{ prompt_tokens: 5, completion_tokens: 6 }, { prompt_tokens: 0, completion_tokens: 0 }, {}],
      11,
    ],
  ])('but what a stream reports %s', async (_, reports, tokens) => {
    const of = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' };
    const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const chunks = [
      { choices: [{ index: 0, delta: said }] },
      end,
      ...reports.map((usage) => ({ choices: [], usage })),
    ];
    const one = upstream(() =>
      sse(
        [...chunks.map((each) => JSON.stringify({ ...of, ...each })), '[DONE]']
          .map((data) => `data: ${data}\n\n`)
          .join(''),
      ),
    );
    const proxy = started({ auth: keys({ a: [{ tokens: 10_000, per: 'day' }] }) }, one);
    for (const [n, path] of ['/v1/chat/completions', '/v1/messages'].entries()) {
      await (await proxy.post(path, { ...CHAT, max_tokens: 50, stream: true }, by('a'))).text();
      expect((await own(proxy, 'a')).limits[0]!.used).toBe(tokens * (n + 1));
    }
  });

  test('for a stream without usage, from its text and not from the fields around it', async () => {
    const text =
      'The committee agreed on Tuesday that the bridge should be closed to traffic until engineers had examined the northern pier, which has been sinking by about three millimetres a year since the flood. '.repeat(
        5,
      );
    const tokens = text.match(/ ?[^ ]+/g)!;
    // As OpenAI sends them, with some three hundred characters beside each token.
    const about = {
      system_fingerprint: 'fp_50cad350e4',
      service_tier: 'default',
      obfuscation: 'x'.repeat(120),
    };
    const event = (delta: object, finish: string | null) =>
      `data: ${JSON.stringify({ id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-2024-08-06', ...about, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], usage: null })}\n\n`;
    const each = (pieces: readonly string[]) =>
      event({ role: 'assistant', content: '', refusal: null }, null) +
      pieces.map((content) => event({ content }, null)).join('') +
      event({}, 'stop') +
      'data: [DONE]\n\n';
    for (const pieces of [tokens, [text], text.match(/[^]{1,50}/g)!]) {
      const proxy = started(
        { auth: keys({ a: [{ tokens: 10_000, per: 'day' }] }) },
        upstream(() => sse(each(pieces))),
      );
      await (await chat(proxy, 'a', { stream: true })).text();
      const [record] = await proxy.recorded(1);
      expect(record).toMatchObject({ outcome: 'success', output_tokens: null });
      const ratio = record!.estimate!.output_tokens / tokens.length;
      expect(ratio).toBeGreaterThan(0.7);
      expect(ratio).toBeLessThan(1.4);
      expect((await own(proxy, 'a')).limits[0]!.used).toBe(
        record!.estimate!.input_tokens + record!.estimate!.output_tokens,
      );
    }
  });

  test('for the input, where a server reports zero, as some do for what they have cached', async () => {
    const prompt = 'word '.repeat(200);
    const message = { role: 'assistant', content: 'Hello there' };
    const answers: Record<string, object> = {
      '/v1/chat/completions': {
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'gpt-4o',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 0, completion_tokens: 7, total_tokens: 7 },
      },
      '/v1/embeddings': {
        object: 'list',
        model: 'gpt-4o',
        data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
        usage: { prompt_tokens: 0, total_tokens: 0 },
      },
    };
    const server = upstream(({ path }) => Response.json(answers[path]));
    const proxy = started(
      {
        auth: keys({ a: [{ tokens: 10_000, per: 'day' }] }),
        providers: [provider('one', `${server.url}/v1`, { models: ['gpt-4o'] })],
      },
      server,
    );
    const chat = { messages: [{ role: 'user', content: prompt }] };
    const asked = { model: 'gpt-4o', ...chat };
    expect((await proxy.post('/v1/chat/completions', asked, by('a'))).status).toBe(200);
    const embedding = { model: 'gpt-4o', input: prompt };
    expect((await proxy.post('/v1/embeddings', embedding, by('a'))).status).toBe(200);
    const records = await proxy.recorded(2);
    for (const { endpoint, estimate } of records) {
      expect(estimate!.input_tokens).toBeGreaterThan(140);
      expect(estimate!.input_tokens).toBeLessThan(280);
      expect(estimate!.output_tokens).toBe(endpoint === 'chat' ? 7 : 0);
    }
    const sum = records.reduce(
      (all, { estimate }) => all + estimate!.input_tokens + estimate!.output_tokens,
      0,
    );
    expect((await own(proxy, 'a')).limits[0]!.used).toBe(sum);
  });

  test('for a request whose client leaves before the answer', async () => {
    const slow = upstream(() => new Promise<Response>(() => undefined));
    const proxy = started(
      {
        auth: keys({
          a: [
            { tokens: 10_000, per: 'day' },
            { requests: 9, per: 'day' },
          ],
        }),
      },
      slow,
    );
    const leaving = new AbortController();
    const asked = proxy
      .post(
        '/v1/chat/completions',
        { ...CHAT, max_tokens: 50, messages: [{ role: 'user', content: 'word '.repeat(200) }] },
        { ...by('a'), signal: leaving.signal },
      )
      .catch(() => undefined);
    await until('the request at the provider', () => slow.asked.length, { is: 1 });
    expect((await own(proxy, 'a')).limits[0]!.reserved).toBeGreaterThan(200);
    leaving.abort();
    await asked;
    await proxy.recorded(1);
    const [tokens, requests] = (await own(proxy, 'a')).limits;
    expect(tokens).toMatchObject({ reserved: 0 });
    expect(tokens!.used).toBeGreaterThan(150);
    expect(tokens!.used).toBeLessThan(300);
    expect(requests!.used).toBe(1);
  });
});

describe('the reservation of a request that reaches no provider', () => {
  test('is released', async () => {
    const proxy = started({
      auth: keys({
        a: [
          { requests: 2, per: 'day' },
          { tokens: 1_000, per: 'day' },
        ],
      }),
    });
    for (const body of [{ messages: 'nonsense' }, { model: 'no-such-model' }, { model: 7 }])
      expect((await chat(proxy, 'a', body, '/v1/messages')).status).toBeGreaterThanOrEqual(400);
    expect((await own(proxy, 'a')).limits.map(({ used, reserved }) => used + reserved)).toEqual([0, 0]);
  });
});
