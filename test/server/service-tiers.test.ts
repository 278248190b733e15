/** Answers computed in a service tier cost what the tier costs, by the built-in prices or by those of the configuration. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { Prices } from '../../src/providers/prices.ts';
import { requestedTiers } from '../../src/wire/reported-tiers.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const PATHS = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
} as const;
const COUNTS = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 };
const chat = (more: object) => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: COUNTS,
  ...more,
});
const response = (more: object) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'm',
  status: 'completed',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1_000, output_tokens: 100, total_tokens: 1_100 },
  ...more,
});
const message = (usage: object) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1_000, output_tokens: 100, ...usage },
});
const gemini = (usage: object) => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100, ...usage },
});
const converse = (more: object) => ({
  output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 1_000, outputTokens: 100, totalTokens: 1_100 },
  ...more,
});

type Type = ConfigInput['providers'][number]['type'];

/** The record of a request that gets this answer. */
async function recorded(
  type: Type,
  model: string,
  answer: object,
  { path = PATHS.chat, prices = [] }: { path?: string; prices?: ConfigInput['prices'] } = {},
): Promise<JsonObject> {
  await using provided = upstream(() => Response.json(answer));
  const api = path === PATHS.responses ? 'responses' : 'chat';
  const settings = {
    type,
    models: ['*'],
    ...(type === 'openai' ? { api } : {}),
    ...(type === 'bedrock' ? { region: 'us-east-1', api_key: 'k' } : {}),
  } as const;
  await using proxy = running({ prices, providers: [provider('p', provided.url, settings)] });
  const said = [{ role: 'user', content: 'Hello' }];
  await proxy.post(path, {
    model,
    max_tokens: 200,
    ...(path === PATHS.responses ? { input: said } : { messages: said }),
  });
  const [record] = await proxy.recorded(1);
  return record as unknown as JsonObject;
}

const ROWS: readonly (readonly [Type, string, object, readonly string[], number, path?: string])[] = [
  ['openai', 'gpt-5', chat({ service_tier: 'flex' }), ['flex'], 0.5],
  ['openai', 'gpt-5', chat({ service_tier: 'priority' }), ['priority'], 2],
  ['openai', 'gpt-4.1', chat({ service_tier: 'priority' }), ['priority'], 1.75],
  ['openai', 'gpt-5', response({ service_tier: 'flex' }), ['flex'], 0.5, PATHS.responses],
  ['anthropic', 'claude-opus-4-6', message({ speed: 'fast' }), ['fast'], 6],
  ['anthropic', 'claude-opus-4-6', message({ speed: 'fast' }), ['fast'], 6, PATHS.messages],
  ['anthropic', 'claude-opus-4-6', message({ inference_geo: 'us' }), ['us'], 1.1],
  ['anthropic', 'claude-opus-4-6', message({ speed: 'fast', inference_geo: 'us' }), ['fast', 'us'], 6.6],
  ['gemini', 'gemini-2.5-pro', gemini({ serviceTier: 'PRIORITY' }), ['priority'], 1.8],
  ['gemini', 'gemini-2.5-pro', gemini({ trafficType: 'ON_DEMAND_FLEX' }), ['flex'], 0.5],
  ['bedrock', 'amazon.nova-pro-v1:0', converse({ serviceTier: { type: 'flex' } }), ['flex'], 0.5],
];

test.each(
  ROWS.map(([type, model, answer, tiers, factor, path = PATHS.chat]) => ({
    type,
    model,
    answer,
    tiers,
    factor,
    path,
  })),
)('$type: $model in $tiers costs $factor times as much at $path', async (row) => {
  const { type, model, answer, tiers, factor, path } = row;
  const plain = JSON.parse(
    JSON.stringify(answer, (name, value: unknown) =>
      /^(?:service_tier|serviceTier|trafficType|speed|inference_geo)$/.test(name) ? undefined : value,
    ),
  ) as object;
  const usual = await recorded(type, model, plain, { path });
  expect(usual.tiers).toBeUndefined();
  expect(usual.cost).toBeGreaterThan(0);
  const record = await recorded(type, model, answer, { path });
  expect(record.tiers).toEqual([...tiers]);
  expect(record.cost).toBeCloseTo((usual.cost as number) * factor, 9);
});

test.each([
  ['priority', ['priority'], 1.25],
  ['default', undefined, 1],
])('Fireworks, which does not report its tier, charges for %s', async (tier, tiers, factor) => {
  const model = 'accounts/fireworks/models/glm-5p2';
  await using provided = upstream(() => Response.json(chat({})));
  const settings = { type: 'fireworks', models: ['*'] };
  await using proxy = running({ providers: [provider('p', provided.url, settings)] });
  await (await proxy.post(PATHS.chat, { ...CHAT, model, service_tier: tier })).text();
  const [record] = await proxy.recorded(1);
  expect(record!.tiers as unknown).toEqual(tiers);
  expect(record!.cost).toBeCloseTo((factor * (1_000 * 1.4 + 100 * 4.4)) / 1e6, 9);
});

test.each([
  ['OpenAI’s default tier', 'openai', chat({ service_tier: 'default' })],
  ['capacity bought in advance', 'openai', chat({ service_tier: 'scale' })],
  ['Anthropic’s tiers', 'anthropic', message({ service_tier: 'priority', speed: 'standard' })],
  ['inference anywhere', 'anthropic', message({ inference_geo: 'global' })],
] as const)('%s has no price of its own', async (_, type, answer) => {
  const record = await recorded(type, 'claude-opus-4-6', answer);
  expect(record.tiers).toBeUndefined();
});

test.each([PATHS.chat, PATHS.messages])(
  'the tier of a stream is recorded for a client of %s',
  async (path) => {
    const chunk = (more: object) => ({
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'gpt-5',
      service_tier: 'flex',
      ...more,
    });
    const events = [
      chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      chunk({ choices: [], usage: COUNTS }),
    ];
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    await using provided = upstream(() => sse(`${text}data: [DONE]\n\n`));
    await using proxy = running({ providers: [provider('p', provided.url, { models: ['*'] })] });
    await (await proxy.post(path, { ...CHAT, max_tokens: 9, stream: true })).text();
    expect(await proxy.recorded(1)).toMatchObject([{ outcome: 'success', tiers: ['flex'] }]);
  },
);

test('what a tier costs is reserved', async () => {
  await using provided = upstream(() => Response.json(chat({})));
  await using proxy = running({
    providers: [provider('p', provided.url, { models: ['*'] })],
    prices: [{ model: '*', input: 0, output: 10, tiers: { priority: 2 } }],
    groups: { all: { limits: [{ budget: 0.0015, per: 'day' }] } },
    auth: { keys: [{ name: 'k', key: 'secret-key', group: 'all' }] },
  });
  const ask = async (more: object) => {
    const body = { ...CHAT, max_tokens: 100, ...more };
    return (await proxy.post(PATHS.chat, body, { headers: { authorization: 'Bearer secret-key' } })).status;
  };
  expect(await ask({ service_tier: 'priority' })).toBe(429);
  expect(await ask({})).toBe(200);
});

describe('a tier is requested from Google', () => {
  const HEADER = 'x-vertex-ai-llm-shared-request-type';
  const TYPES = {
    gemini: { type: 'gemini' },
    vertex: { type: 'vertex', project: 'p', region: 'global', api_key: 'k' },
  } as const;

  /** What arrives as `serviceTier` and as the header, and what is left out. */
  async function asked(type: keyof typeof TYPES, service_tier: unknown) {
    await using provided = upstream(() => Response.json(gemini({})));
    const settings = { ...TYPES[type], models: ['*'] };
    await using proxy = running({ providers: [provider('p', provided.url, settings)] });
    const body = { ...CHAT, model: 'gemini-3.5-flash', service_tier };
    const { headers } = await proxy.post(PATHS.chat, body);
    const [call] = provided.asked;
    return [
      (JSON.parse(call!.text) as JsonObject).serviceTier,
      call!.headers.get(HEADER) ?? undefined,
      headers.get('x-llmproxy-dropped') ?? undefined,
    ];
  }

  test.each([
    ['gemini', 'flex', ['flex', undefined, undefined]],
    ['gemini', 'priority', ['priority', undefined, undefined]],
    ['vertex', 'flex', [undefined, 'flex', undefined]],
    ['vertex', 'priority', [undefined, 'priority', undefined]],
    ['gemini', 'default', [undefined, undefined, undefined]],
    ['vertex', 'auto', [undefined, undefined, undefined]],
    ['gemini', 'scale', [undefined, undefined, 'service_tier']],
  ] as const)('%s, %s', async (type, tier, expected) => {
    expect(await asked(type, tier)).toEqual([...expected]);
  });
});

test.each([
  ['default', 'on_demand'],
  ['priority', 'performance'],
  ['flex', 'flex'],
  ['auto', 'auto'],
])('the tier %s is called %s by Groq', async (service_tier, name) => {
  for (const model of ['openai/gpt-oss-120b', 'qwen/qwen3-32b']) {
    await using provided = upstream(() => Response.json(chat({})));
    await using proxy = running({
      providers: [provider('p', provided.url, { type: 'groq', models: ['*'] })],
    });
    await proxy.post(PATHS.chat, { ...CHAT, model, service_tier });
    expect((JSON.parse(provided.asked[0]!.text) as JsonObject).service_tier).toBe(name);
  }
});

describe('a configured price', () => {
  const price = { model: '*', input: 1, output: 10 };

  test('applies to all tiers', async () => {
    const record = await recorded('openai', 'm', chat({ service_tier: 'priority' }), { prices: [price] });
    expect(record).toMatchObject({ cost: 0.002, tiers: ['priority'] });
  });

  test('may have factors of its own', async () => {
    const prices = [{ ...price, tiers: { priority: 3 } }];
    const record = await recorded('openai', 'm', chat({ service_tier: 'priority' }), { prices });
    expect(record.cost).toBeCloseTo(0.006, 10);
  });
});

test('searches of an answer cost the same in every tier', async () => {
  const prices = new Prices();
  await prices.load();
  const of = { provider: 'p', vendor: 'anthropic', model: 'claude-opus-4-6', configured: undefined };
  const usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0, webSearches: 3 };
  const cost = prices.cost(of, usage, Date.now());
  expect(cost).toBeGreaterThan(0);
  expect(prices.cost(of, { ...usage, tiers: ['fast'] }, Date.now())).toBe(cost);
});

test.each<[object, string[] | undefined]>([
  [{ service_tier: 'priority' }, ['priority']],
  [{ serviceTier: 'flex' }, ['flex']],
  [{ speed: 'fast', inference_geo: 'us' }, ['fast', 'us']],
  [{ service_tier: 'auto', speed: 7, inference_geo: null }, undefined],
])('requestedTiers(%j)', (request, tiers) => {
  expect(requestedTiers(request as JsonObject).tiers as unknown).toEqual(tiers);
});
