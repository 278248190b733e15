/** Answers whose provider says what they cost, or what besides tokens it charges for. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Usage } from '../../src/wire/usage.ts';
import { Prices } from '../../src/providers/prices.ts';
import { Repricer, usageOf } from '../../src/usage/pricing.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const TOKENS = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 };
const PATHS = ['/v1/chat/completions', '/v1/messages'] as const;

type Provider = ConfigInput['providers'][number];

const whole = (usage: object) =>
  Response.json({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage,
  });

function streamed(usage: object): Response {
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const events = [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { ...chunk, choices: [], usage },
  ];
  return sse(
    [...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
  );
}

interface Asked {
  readonly more?: Partial<Provider>;
  readonly prices?: ConfigInput['prices'];
  readonly model?: string;
  readonly path?: string;
  readonly stream?: boolean;
}

/** The record of an answer with this usage. */
async function recorded(
  type: Provider['type'],
  usage: object,
  { more = {}, prices = [], model = 'unlisted/model', path = PATHS[0], stream = false }: Asked = {},
): Promise<JsonObject> {
  await using provided = upstream(() => (stream ? streamed(usage) : whole(usage)));
  await using proxy = running({
    prices,
    providers: [provider('p', provided.url, { type, models: ['*'], ...more })],
  });
  await (await proxy.post(path, { ...CHAT, model, max_tokens: 200, stream })).text();
  const [record] = await proxy.recorded(1);
  return record as unknown as JsonObject;
}

const ways = PATHS.flatMap((path) => [false, true].map((stream) => ({ path, stream })));

test.each(ways)('the cost that xAI reports applies at $path (stream: $stream)', async (way) => {
  const record = await recorded('xai', { ...TOKENS, cost_in_usd_ticks: 123_000_000 }, way);
  expect(record).toMatchObject({ cost: 0.0123, reported_cost: 0.0123, input_tokens: 1_000 });
  // What was spent is computed from the log in the same way.
  const price = { overrides: [], providers: [{ name: 'p', vendor: 'x-ai', isRegional: false, models: [] }] };
  expect((await Repricer.load(price)).cost(record, usageOf(record)!, Date.now())).toBe(0.0123);
});

test.each([
  ['openrouter', { cost: 0.01, is_byok: false }, 0.01],
  ['openrouter', { cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } }, 0.21],
  ['perplexity-sonar', { cost: { input_tokens_cost: 0.001, request_cost: 0.005, total_cost: 0.006 } }, 0.006],
] as const)('the cost that %s reports as %j is %d USD', async (type, usage, usd) => {
  expect(await recorded(type, { ...TOKENS, ...usage })).toMatchObject({ cost: usd });
});

test.each([
  ['of a vendor that is not known to charge it', 'openai-compatible', { cost: 5 }, null],
  ['that is negative', 'openrouter', { cost: -1 }, null],
  ['that is no number', 'openrouter', { cost: '1' }, null],
  ['beyond all bounds', 'openrouter', { cost: 1e9 }, null],
  ['without the part of the vendor whose key it is', 'openrouter', { cost: 0.01, is_byok: true }, null],
  ['of nothing, for a model without a price', 'openrouter', { cost: 0 }, 0],
] as const)('a cost %s is not believed', async (_, type, usage, cost) => {
  expect(await recorded(type, { ...TOKENS, ...usage })).toMatchObject({ cost });
});

test('the cost of an image is all that xAI reports of it', async () => {
  const answer = { data: [{ url: 'https://a.example/i.jpg' }], usage: { cost_in_usd_ticks: 200_000_000 } };
  await using provided = upstream(() => Response.json(answer));
  await using proxy = running({ providers: [provider('p', provided.url, { type: 'xai', models: ['*'] })] });
  await (await proxy.post('/v1/images/generations', { model: 'grok-imagine-image', prompt: 'A' })).text();
  expect(await proxy.recorded(1)).toMatchObject([{ cost: 0.02, reported_cost: 0.02, units: { images: 1 } }]);
});

test('a reported cost covers all inferences for the answer', async () => {
  const prices = new Prices();
  await prices.load();
  const of = {
    provider: 'p',
    vendor: 'openrouter',
    model: 'anthropic/claude-sonnet-4.5',
    configured: undefined,
  };
  const usage = { input: 1_000, cached: 0, cacheWrite: 0, output: 100, reasoning: 0, usd: 0.5 };
  const iterations = [{ model: undefined, usage: { ...usage, usd: undefined } }];
  expect(prices.cost(of, { ...usage, iterations } as Usage, Date.now())).toBe(0.5);
});

test('a cost of nothing does not make a model free that has a price', async () => {
  const model = 'openai/gpt-4o';
  const listed = await recorded('openrouter', TOKENS, { model });
  expect(listed.cost).toBeGreaterThan(0);
  expect(await recorded('openrouter', { ...TOKENS, cost: 0 }, { model })).toMatchObject({
    cost: listed.cost,
  });
});

test('a configured price takes precedence', async () => {
  const price = { input: 1, output: 10 };
  const usage = { ...TOKENS, cost: 0.5 };
  const cost = 0.002;
  const prices = [{ model: '*', ...price }];
  expect(await recorded('openrouter', usage, { prices })).toMatchObject({ cost, reported_cost: 0.5 });
  const more = { models: [{ name: '*', price }] };
  expect(await recorded('openrouter', usage, { more })).toMatchObject({ cost });
});

test.each([false, true])('searches in a response are charged (stream: %p)', async (stream) => {
  const item = (type: string, more: object = {}) => ({ id: 'i', type, status: 'completed', ...more });
  const output = [
    item('web_search_call', { action: { type: 'search', query: 'a' } }),
    item('web_search_call', { action: { type: 'open_page', url: 'https://example.com' } }),
    item('web_search_call'),
    item('file_search_call', { queries: ['a'] }),
    item('message', { role: 'assistant', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }),
  ];
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: 'gpt-5',
    status: 'completed',
    output,
    usage: { input_tokens: 1_000, output_tokens: 100, total_tokens: 1_100 },
  };
  const event = { type: 'response.completed', sequence_number: 0, response };
  await using provided = upstream(() =>
    stream ? sse(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`) : Response.json(response),
  );
  const settings = { type: 'openai', api: 'responses', models: ['*'] } as const;
  for (const path of ['/v1/responses', '/v1/chat/completions']) {
    await using proxy = running({ providers: [provider('p', provided.url, settings)] });
    const said = [{ role: 'user', content: 'Hello' }];
    const body = path === '/v1/responses' ? { input: said } : { messages: said };
    await (await proxy.post(path, { model: 'gpt-5', stream, ...body })).text();
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', units: { web_searches: 2, file_searches: 1 } });
    // 1,000 tokens at 1.25 USD and 100 at 10 USD per million; 10 USD and 2.50 USD per thousand searches.
    expect(record!.cost).toBeCloseTo(0.00125 + 0.001 + 0.02 + 0.0025, 10);
  }
});
