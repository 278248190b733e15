/** Rate limits of providers and of their models: configured ones, and those that providers report in headers. */
import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const PATH = '/v1/chat/completions';
const NO_WAIT = { wait_budget: '0s' };

const failure = (status: number) => Response.json({ error: { message: 'no' } }, { status });

interface ErrorBody {
  readonly error: { readonly type: string; readonly code: string; readonly message: string };
}

test('a rate limit on tokens reserves what answers may use, and releases what they do not', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using limited = upstream(async (_, count) => {
    if (count === 1) await gate;
    return completion('a');
  });
  await using other = upstream(() => completion('b'));
  await using proxy = running({
    providers: [
      provider('a', limited.url, { rate_limit: { tokens: '6k' } }),
      provider('b', other.url, { priority: 2 }),
    ],
  });
  const ask = () => proxy.post(PATH, { ...CHAT, max_tokens: 5_000 });
  const first = ask();
  while (limited.asked.length === 0) await Bun.sleep(5);
  expect((await ask()).headers.get('x-llmproxy-provider')).toBe('b');
  open();
  expect((await first).headers.get('x-llmproxy-provider')).toBe('a');
  // The first used 15 tokens of the 5 000.
  expect((await ask()).headers.get('x-llmproxy-provider')).toBe('a');
  expect([limited.asked.length, other.asked.length]).toEqual([2, 1]);
});

test('an answer that used more than was reserved leaves a debt, which later requests wait for', async () => {
  const usage = { prompt_tokens: 7_000, completion_tokens: 1_000, total_tokens: 8_000 };
  await using limited = upstream(() => completion('a', { usage }));
  await using proxy = running({
    providers: [provider('a', limited.url, { rate_limit: { tokens: 6_000 } })],
    routing: NO_WAIT,
  });
  const ask = () => proxy.post(PATH, { ...CHAT, max_tokens: 10 });
  expect((await ask()).status).toBe(200);
  const refused = await ask();
  expect(refused.status).toBe(429);
  // A debt of 2 000 tokens and the next reservation, refilled at 100 a second.
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(18);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThan(25);
  expect(limited.asked.length).toBe(1);
});

test('a request that is larger than the limit passes while no other is in progress', async () => {
  await using limited = upstream(() => completion('a'));
  await using proxy = running({
    providers: [provider('a', limited.url, { rate_limit: { tokens: 1_000 } })],
    routing: NO_WAIT,
  });
  expect((await proxy.post(PATH, { ...CHAT, max_tokens: 50_000 })).status).toBe(200);
});

test('a failed request is counted, and its unused tokens are released', async () => {
  await using broken = upstream((_, count) => (count === 1 ? failure(500) : completion('a')));
  await using proxy = running({
    providers: [provider('a', broken.url, { rate_limit: { requests: 2, tokens: 1_000 } })],
    routing: { wait_budget: '100ms' },
  });
  expect((await proxy.post(PATH, { ...CHAT, max_tokens: 900 })).status).toBe(200);
  expect((await proxy.post(PATH, { ...CHAT, max_tokens: 900 })).status).toBe(429);
  expect(broken.asked.length).toBe(2);
});

test('a provider’s limit applies to all its models together, a model’s limit to that model', async () => {
  await using limited = upstream(() => completion('a'));
  await using proxy = running({
    providers: [
      {
        ...provider('a', limited.url, { rate_limit: 4 }),
        models: [{ name: 'small', rate_limit: { requests: 1 } }, { name: 'gpt-*', rate_limit: 2 }, 'free'],
      },
    ],
    routing: NO_WAIT,
  });
  const statuses: number[] = [];
  for (const model of ['small', 'small', 'gpt-a', 'gpt-b', 'gpt-c', 'free', 'free']) {
    statuses.push((await proxy.post(PATH, { ...CHAT, model })).status);
  }
  expect(statuses).toEqual([200, 429, 200, 200, 429, 200, 429]);
});

test('a reload adopts the limits of models, and requests in progress settle in the bucket they began with', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using limited = upstream(async (_, count) => {
    if (count === 1) await gate;
    return completion('a');
  });
  const config = (rateLimit: object | undefined) => {
    const models = [rateLimit ? { name: 'm', rate_limit: rateLimit } : 'm'];
    return { providers: [{ ...provider('a', limited.url), models }], routing: NO_WAIT };
  };
  await using proxy = running(config({ tokens: 1_000 }));
  const ask = () => proxy.post(PATH, { ...CHAT, model: 'm', max_tokens: 900 });
  const first = ask();
  while (limited.asked.length === 0) await Bun.sleep(5);
  expect((await ask()).status).toBe(429);
  proxy.reload(config({ tokens: 1_900, requests: 3 }));
  // The new limit has its own bucket, in which the request in progress reserves nothing.
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
  open();
  expect((await first).status).toBe(200);
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 429]);
  proxy.reload(config(undefined));
  for (let n = 0; n < 5; n += 1) expect((await ask()).status).toBe(200);
});

test('where every target is at its limit, the answer is a 429 that names the limits and has a Retry-After', async () => {
  await using limited = upstream(() => completion('a'));
  const providers = [
    provider('a', limited.url, { rate_limit: 1 }),
    provider('b', limited.url, { rate_limit: { tokens: 4_097 }, priority: 2 }),
  ];
  await using proxy = running({ providers, routing: NO_WAIT });
  const ask = (path: string, body: object) => proxy.post(path, body);
  expect((await ask(PATH, CHAT)).status).toBe(200);
  // It reserves all the tokens, and uses some of them.
  expect((await ask(PATH, { ...CHAT, max_tokens: 4_097 })).status).toBe(200);
  const refused = await ask(PATH, { ...CHAT, max_tokens: 4_097 });
  const { error } = (await refused.json()) as ErrorBody;
  expect([refused.status, error.type, error.code]).toEqual([429, 'rate_limit_error', 'rate_limit_exceeded']);
  expect(error.message).toBe(
    'Cannot answer for model "gpt-4o" now: every target is at its limit (a/gpt-4o: rate_limit of 1 a minute, b/gpt-4o: rate_limit of 4097 tokens a minute)',
  );
  const waitS = Number(refused.headers.get('retry-after'));
  expect([waitS >= 1, waitS <= 2]).toEqual([true, true]);
  const message = { model: 'gpt-4o', max_tokens: 4_097, messages: CHAT.messages };
  const anthropic = await ask('/v1/messages', message);
  expect([anthropic.status, ((await anthropic.json()) as ErrorBody).error.type]).toEqual([
    429,
    'rate_limit_error',
  ]);
  const record = (await proxy.recorded(4)).at(-1)!;
  expect([record.fault, record.attempts, record.status]).toEqual(['full', 0, 429]);
});

test('where one target is down and the other at its limit, the answer is a 503', async () => {
  await using limited = upstream(() => completion('a'));
  await using down = upstream(() => failure(401));
  await using proxy = running({
    providers: [
      provider('a', limited.url, { rate_limit: 1, priority: 2 }),
      provider('b', down.url, { max_retries: 0 }),
    ],
    routing: NO_WAIT,
  });
  expect((await proxy.post(PATH, CHAT)).status).toBe(200);
  const refused = await proxy.post(PATH, CHAT);
  expect([refused.status, ((await refused.json()) as ErrorBody).error.code]).toEqual([
    503,
    'no_target_available',
  ]);
});

const told = (headers: Record<string, string>, status = 200) => {
  const response = status === 200 ? completion('a') : failure(status);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
};

const USED_UP = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '30s' };
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

test.each([
  ['OpenAI’s', () => USED_UP],
  [
    'Anthropic’s',
    () => ({
      'anthropic-ratelimit-input-tokens-limit': '10',
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': inSeconds(30),
    }),
  ],
])('a limit exhausted by %s headers sends requests elsewhere before a 429 does', async (_, headers) => {
  await using limited = upstream(() => told(headers()));
  await using other = upstream(() => completion('b'));
  await using proxy = running({
    providers: [provider('a', limited.url), provider('b', other.url, { priority: 2 })],
  });
  for (let n = 0; n < 3; n += 1) expect((await proxy.post(PATH, CHAT)).status).toBe(200);
  expect([limited.asked.length, other.asked.length]).toEqual([1, 2]);
  const status = (await (await fetch(`${proxy.url}/providers`)).json()) as {
    providers: { held: { scope: string; fault: string }[]; reasons: string[] }[];
  };
  expect(status.providers[0]).toMatchObject({
    held: [{ scope: 'key', fault: 'rate_limited' }],
    reasons: ['rate limited: gpt-4o'],
  });
});

test('an exhausted limit is waited out if it resets soon and no other target exists, else answered with 429', async () => {
  let resetS = 0.3;
  await using limited = upstream(() =>
    told({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': `${resetS}s` }),
  );
  await using proxy = running({ providers: [provider('a', limited.url)] });
  expect((await proxy.post(PATH, CHAT)).status).toBe(200);
  const atMs = performance.now();
  resetS = 40;
  expect((await proxy.post(PATH, CHAT)).status).toBe(200);
  expect(performance.now() - atMs).toBeGreaterThan(100);
  const refused = await proxy.post(PATH, CHAT);
  expect([refused.status, ((await refused.json()) as ErrorBody).error.message]).toEqual([
    429,
    'Cannot answer for model "gpt-4o" now: every target is at its limit (a/gpt-4o: the provider\'s own limit)',
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(30);
  expect(limited.asked.length).toBe(2);
});

test('an exhausted limit of one key does not affect other keys and models', async () => {
  await using limited = upstream(({ headers }) =>
    headers.get('authorization') === 'Bearer one' ? told(USED_UP) : completion('b'),
  );
  await using proxy = running({
    providers: [provider('a', limited.url, { api_keys: ['one', 'two'], models: ['*'] })],
    routing: NO_WAIT,
  });
  for (let n = 0; n < 5; n += 1) expect((await proxy.post(PATH, CHAT)).status).toBe(200);
  const keys = () => limited.asked.map(({ headers }) => headers.get('authorization')!.slice(7));
  expect(keys()).toEqual(['one', 'two', 'two', 'two', 'two']);
  expect((await proxy.post(PATH, { ...CHAT, model: 'other' })).status).toBe(200);
  expect(keys().at(-1)).toBe('one');
});

test('limits reported with an error count as well', async () => {
  await using limited = upstream(() => told(USED_UP, 400));
  await using proxy = running({ providers: [provider('a', limited.url)], routing: NO_WAIT });
  const statuses = [await proxy.post(PATH, CHAT), await proxy.post(PATH, CHAT)].map(({ status }) => status);
  expect([statuses, limited.asked.length]).toEqual([[400, 429], 1]);
});

test.each<Record<string, string>>([
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '0s' },
  { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '30s' },
  { 'x-ratelimit-remaining-requests': '0' },
  { 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': 'later' },
])('headers like %p cause no cooldown', async (headers) => {
  await using free = upstream(() => told(headers));
  await using proxy = running({ providers: [provider('a', free.url)], routing: NO_WAIT });
  for (let n = 0; n < 3; n += 1) expect((await proxy.post(PATH, CHAT)).status).toBe(200);
});
