import { describe, expect, spyOn, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calcPrice } from '@pydantic/genai-prices';
import type { ConfigInput } from '../../src/config/schema.ts';
import { schema } from '../../src/config/schema.ts';
import { CORRECTIONS } from '../../src/providers/price-corrections.ts';
import { feesFor } from '../../src/providers/fees.ts';
import { listedVendors } from '../../src/providers/price-list.ts';
import { Prices } from '../../src/providers/prices.ts';
import { plainUsage, UNKNOWN_USAGE } from '../../src/wire/usage.ts';
import { unitsOf } from '../../src/wire/units.ts';
import type { Usage } from '../../src/wire/usage.ts';

const table = new Prices();
await table.load();

const NOW = Date.parse('2026-09-01T12:00:00Z');
const tokens = (more: Partial<Usage> = {}): Usage => ({
  input: 1_000,
  cached: 0,
  cacheWrite: 0,
  output: 100,
  reasoning: 0,
  ...more,
});
const listed = (vendor: string, model: string, usage: Usage, atMs = NOW, prices = table) =>
  prices.cost({ provider: 'p', vendor, model, configured: undefined }, usage, atMs);

function configured(prices: ConfigInput['prices']): Prices {
  return new Prices(schema.parse({ providers: [{ name: 'p', type: 'mock' }], prices }).prices);
}

describe('Prices.cost() with the built-in table', () => {
  test.each([
    [
      'audio',
      'openai',
      'gpt-audio',
      { inputAudio: 500, outputAudio: 50 },
      500 * 2.5 + 500 * 32 + 50 * 10 + 50 * 64,
    ],
    [
      'cached audio',
      'openai',
      'gpt-realtime',
      { inputAudio: 500, cached: 400, cachedAudio: 300 },
      400 * 4 + 100 * 0.4 + 200 * 32 + 300 * 0.4 + 100 * 16,
    ],
    [
      'cache writes with a lifetime of an hour',
      'anthropic',
      'claude-sonnet-4-0',
      { cacheWrite: 200, cacheWrite1h: 150 },
      800 * 3 + 50 * 3.75 + 150 * 6 + 100 * 15,
    ],
    [
      'images',
      'openai',
      'gpt-image-1.5',
      { inputImage: 600, output: 4_000, outputImage: 4_000 },
      400 * 5 + 600 * 8 + 4_000 * 32,
    ],
    ['a search', 'anthropic', 'claude-sonnet-4-0', { webSearches: 3 }, 1_000 * 3 + 100 * 15 + 30_000],
    ['a request', 'perplexity', 'sonar', {}, 1_000 + 100 + 12_000],
    [
      'the price tier of a long prompt',
      'google',
      'gemini-2.5-pro',
      { input: 200_001 },
      200_001 * 2.5 + 100 * 15,
    ],
    ['the tier below that', 'google', 'gemini-2.5-pro', { input: 200_000 }, 200_000 * 1.25 + 100 * 10],
    [
      'a sum of several prompts',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 900_000 },
      900_000 * 3 + 100 * 15,
    ],
    ['a newer model', 'openai', 'gpt-6.2-sol', { input: 300_000 }, 300_000 * 4 + 100 * 15],
    [
      'cache writes with a lifetime of 12 hours',
      'azure',
      'gpt-6-sol',
      { cacheWrite: 200, cacheWrite1h: 150 },
      800 * 2 + 50 * 2.5 + 150 * 5 + 100 * 10,
    ],
    [
      'the audio of an older model',
      'openai',
      'gpt-4o-audio-preview',
      { inputAudio: 500 },
      500 * 42.5 + 1_000,
    ],
    ['a tuned model', 'openai', 'ft:gpt-4.1-2025-04-14:me::1', {}, 1_000 * 3 + 100 * 12],
    ['Europe', 'aws', 'eu.amazon.nova-pro-v1:0', {}, 1_000 * 1.05 + 100 * 4.2],
    [
      'parts that exceed their total',
      'openai',
      'gpt-audio',
      { input: 10, cached: 20, inputAudio: 30 },
      undefined,
    ],
  ] as const)('counts %s', (_, vendor, model, more, millionths) => {
    const usd = listed(vendor, model, tokens(more));
    if (millionths === undefined) expect(usd).toBeGreaterThan(0);
    else expect(usd).toBeCloseTo(millionths / 1e6, 9);
  });

  test('uses the price for the day and the hour of the request', () => {
    const at = (time: string) =>
      listed('anthropic', 'claude-sonnet-4-6', tokens({ input: 300_000 }), Date.parse(time));
    expect([at('2026-03-12T23:59:59Z'), at('2026-03-13T00:00:00Z')]).toEqual([1.80225, 0.9015]);
    const hour = (time: string) => listed('deepseek', 'deepseek-chat', tokens(), Date.parse(time));
    expect(hour('2026-01-01T00:29:59Z')).toBeLessThan(hour('2026-01-01T00:30:00Z')!);
    expect(hour('2026-01-01T16:30:00Z')).toBe(hour('2026-01-01T00:29:59Z'));
  });

  test('counts minutes of audio, and returns null for a unit without a price', () => {
    expect(listed('openai', 'whisper-1', { ...UNKNOWN_USAGE, seconds: 600 })).toBeCloseTo(0.06, 9);
    expect(listed('openai', 'gpt-4o-mini-tts', { ...UNKNOWN_USAGE, characters: 100 })).toBeNull();
    expect(listed('openai', 'gpt-4o', UNKNOWN_USAGE)).toBeNull();
    expect(listed('openai', 'no-such-model', tokens())).toBeNull();
    expect(listed('mistral', 'mistral-ocr-latest', tokens())).toBeNull();
  });

  test('is newer than the package that calculates with it, and understood by it', () => {
    expect(listed('anthropic', 'claude-haiku-5-5', tokens())).toBeCloseTo((1_000 * 0.1 + 100 * 0.5) / 1e6, 9);
    // Azure has the prices of the vendors whose models it sells.
    expect(listed('azure', 'gpt-6.1-terra', tokens())).toBe(listed('openai', 'gpt-6.1-terra', tokens()));
    const warn = spyOn(console, 'warn');
    const models = [...listedVendors()].flatMap(([vendor, { models: all }]) =>
      all.map((model) => ({ vendor, model: { ...model, match: { equals: model.id } } })),
    );
    const unread = models.filter(({ vendor: id, model }) => {
      const provider = { id, name: id, api_pattern: '', models: [model] };
      return calcPrice({}, model.id, { provider }) === null;
    });
    expect(unread).toEqual([]);
    expect(models.length).toBeGreaterThan(2_000);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('is corrected where it must be, and nowhere else', () => {
    const lines = readFileSync(join(import.meta.dir, '../../src/providers/price-list.jsonl'), 'utf8');
    const ids = new Set(
      lines.matchAll(/^\{"vendor":"([^"]+)","id":"([^"]+)"/gm).map(([, a, b]) => `${a} ${b}`),
    );
    // A new model that the list has meanwhile needs no correction, and a missing one cannot be replaced.
    const needless = CORRECTIONS.filter(
      ({ vendor, id, match }) => ids.has(`${vendor} ${id}`) === Boolean(match),
    );
    expect(needless).toEqual([]);
  });

  test('equals the sum of genai-prices for every model, at any time', () => {
    const random = seeded(7);
    const times = [
      '2024-06-01T03:00:00Z',
      '2026-01-01T00:45:00Z',
      '2026-08-21T00:00:00Z',
      '2027-02-01T09:10:00Z',
    ];
    let compared = 0;
    for (const vendor of [
      'openai',
      'anthropic',
      'google',
      'aws',
      'deepseek',
      'mistral',
      'x-ai',
      'perplexity',
    ]) {
      const { models } = listedVendors().get(vendor)!;
      for (const { id } of models) {
        const atMs = Date.parse(times[random(times.length)]!);
        const [cached, cacheWrite, plain] = [random(300_000), random(9_000), random(300_000)];
        const usage = tokens({
          input: cached + cacheWrite + plain,
          cached,
          cacheWrite,
          output: random(9_000),
        });
        const expected = calcPrice(
          {
            input_tokens: usage.input,
            cache_read_tokens: cached,
            cache_write_tokens: cacheWrite,
            output_tokens: usage.output,
          },
          id,
          { provider: { id: vendor, name: vendor, api_pattern: '', models }, timestamp: new Date(atMs) },
        );
        const usd = listed(vendor, id, usage, atMs);
        // Without a price of tokens, they have none.
        if (usd === null) expect(expected?.total_price ?? 0).toBe(0);
        else expect(usd).toBeCloseTo(expected!.total_price + feesFor(vendor, id, usage).usd, 8);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(200);
  });
});

test.each<[keyof Usage, object, number]>([
  ['cached', { cached: 0.1 }, 10 * 0.1 + 990 * 1 + 100 * 2],
  ['cacheWrite', { cache_write: 5 }, 10 * 5 + 990 * 1 + 100 * 2],
  ['reasoning', { reasoning: 7 }, 1_000 * 1 + 10 * 7 + 90 * 2],
  ['inputAudio', { input_audio: 9 }, 10 * 9 + 990 * 1 + 100 * 2],
])('Prices.cost() uses a separate price for %s next to plain tokens', (part, price, millionths) => {
  const prices = configured([{ model: 'm', input: 1, output: 2, ...price }]);
  const usd = listed('openai', 'm', tokens({ [part]: 10 }), NOW, prices);
  expect(usd).toBeCloseTo(millionths / 1e6, 10);
});

test.each([
  ['openai/gpt-4o:nitro', 'openai/gpt-4o'],
  ['openai/gpt-4o:floor:online', 'openai/gpt-4o'],
  ['openai/gpt-4o@preset/x', 'openai/gpt-4o'],
  ['openai/gpt-4o:unknown', null],
  ['openai/gpt-4o:free', null],
])('a variant at OpenRouter, %s, costs what its model does: %p', async (model, same) => {
  const prices = new Prices();
  await prices.load();
  const of = (name: string) => ({ provider: 'r', vendor: 'openrouter', model: name, configured: undefined });
  const cost = (name: string) => prices.cost(of(name), plainUsage(1_000, 1_000), Date.now());
  expect(cost('openai/gpt-4o')).toBeGreaterThan(0);
  expect(cost(model)).toBe(same === null ? null : cost(same));
});

test.each([
  ['deepseek-ai/DeepSeek-R1:novita', 'huggingface_novita', 'deepseek-ai/DeepSeek-R1'],
  ['openai/gpt-oss-120b:fireworks-ai', 'huggingface_fireworks-ai', 'openai/gpt-oss-120b'],
  ['meta-llama/Llama-3.3-70B-Instruct:together', 'huggingface_together', 'meta-llama/Llama-3.3-70B-Instruct'],
])('Hugging Face charges what the provider does that the name selects: %s', (model, providerId, plain) => {
  const usage = { input_tokens: 1_000, output_tokens: 100 };
  const { total_price } = calcPrice(usage, plain, { providerId, timestamp: new Date(NOW) })!;
  expect(listed('huggingface', model, tokens())).toBeCloseTo(total_price, 10);
});

test.each(['openai/gpt-oss-120b', 'openai/gpt-oss-120b:fastest', 'nobody/nothing:novita'])(
  'Hugging Face’s price of %s depends on the provider that it selects: none is guessed',
  (model) => {
    expect(listed('huggingface', model, tokens())).toBeNull();
  },
);

test('Prices.cost() accepts any usage, even if its parts contradict each other', () => {
  const random = seeded(11);
  let priced = 0;
  for (const vendor of [
    'openai',
    'anthropic',
    'google',
    'mistral',
    'groq',
    'openrouter',
    'perplexity',
    'x-ai',
  ]) {
    for (const { id } of listedVendors().get(vendor)!.models) {
      const some = () => random(3) * random(1_000);
      const usage = {
        ...tokens({ input: some(), cached: some(), cacheWrite: some(), output: some(), reasoning: some() }),
        ...unitsOf({
          cacheWrite1h: some(),
          inputAudio: some(),
          cachedAudio: some(),
          outputAudio: some(),
          inputImage: some(),
          cachedImage: some(),
          outputImage: some(),
          webSearches: random(2),
          seconds: random(2),
          characters: random(2),
        }),
      };
      const usd = listed(vendor, id, usage);
      if (usd !== null) priced += 1;
      expect(usd === null || (usd >= 0 && Number.isFinite(usd))).toBe(true);
    }
  }
  expect(priced).toBeGreaterThan(500);
});

describe('Prices.cost() with configured prices', () => {
  test('uses the first one that matches model, provider and time, or else the table', async () => {
    const prices = configured([
      { model: 'gpt-4o', provider: 'q', input: 100, output: 100 },
      { model: 'gpt-*', until: '2026-08-31', input: 1, output: 2 },
      { model: 'gpt-*', from: '2026-09-01T12:00:00Z', input: 3, output: 4 },
    ]);
    await prices.load();
    const at = (time: string) => listed('openai', 'gpt-4o', tokens(), Date.parse(time), prices);
    expect(at('2026-08-31T23:59:59Z')).toBe(0.0012);
    // Between the two periods, the price of the table applies.
    expect(at('2026-09-01T00:00:00Z')).toBe(0.0035);
    expect(at('2026-09-01T12:00:00Z')).toBe(0.0034);
    expect(listed('openai', 'o3', tokens(), NOW, prices)).toBe(listed('openai', 'o3', tokens()));
  });

  test('prefers the price of the model itself', () => {
    const prices = configured([{ model: '*', input: 1, output: 1 }]);
    const of = { provider: 'p', vendor: undefined, model: 'm', configured: { input: 0, output: 10 } };
    expect(prices.cost(of, tokens(), NOW)).toBe(0.001);
  });

  test.each([
    [
      'tokens of each kind',
      {
        input: 1,
        output: 2,
        cached: 3,
        cache_write: 4,
        cache_write_1h: 5,
        input_audio: 6,
        cached_audio: 7,
        output_audio: 8,
        reasoning: 9,
        output_image: 10,
        input_image: 11,
        cached_image: 12,
      },
      {
        input: 1_000,
        cached: 100,
        cachedAudio: 40,
        cachedImage: 5,
        cacheWrite: 50,
        cacheWrite1h: 20,
        inputAudio: 90,
        inputImage: 10,
        output: 500,
        reasoning: 60,
        outputAudio: 70,
        outputImage: 80,
      },
      (1_000 - 55 - 50 - 90 - 10) * 1 +
        55 * 3 +
        40 * 7 +
        5 * 12 +
        30 * 4 +
        20 * 5 +
        50 * 6 +
        5 * 11 +
        (500 - 210) * 2 +
        60 * 9 +
        70 * 8 +
        80 * 10,
    ],
    [
      'parts without a price as part of the total',
      { input: 1, output: 2 },
      {
        input: 1_000,
        cached: 100,
        cacheWrite: 50,
        inputAudio: 90,
        output: 500,
        reasoning: 60,
        outputAudio: 70,
      },
      2_000,
    ],
    ['requests', { request: 0.5, input: 1, output: 1 }, {}, 500_000 + 1_100],
    ['images', { image: 0.04 }, { ...UNKNOWN_USAGE, images: 3 }, 120_000],
    ['minutes', { minute: 0.006 }, { ...UNKNOWN_USAGE, seconds: 90 }, 9_000],
    ['characters', { characters: 15 }, { ...UNKNOWN_USAGE, characters: 2_000 }, 30_000],
    ['searches', { search: 0.01, input: 0, output: 0 }, { webSearches: 2 }, 20_000],
    ['free requests', { request: 0 }, UNKNOWN_USAGE, 0],
    ['no unit that was not used', { image: 0.04 }, { ...UNKNOWN_USAGE, seconds: 5 }, null],
    ['no tokens that were not reported', { input: 1, output: 1 }, UNKNOWN_USAGE, null],
  ] as const)('counts %s', (_, price, usage, millionths) => {
    const usd = listed('none', 'm', tokens(usage), NOW, configured([{ model: 'm', ...price }]));
    if (millionths === null) expect(usd).toBeNull();
    else expect(usd).toBeCloseTo(millionths / 1e6, 9);
  });

  test.each([
    [{ input: 1 }, 'expected `output` too'],
    [{ cached: 1 }, 'expected a price'],
    [{}, 'expected a price'],
  ])('refuses %j', (price, message) => {
    expect(() => configured([{ model: 'm', ...price }])).toThrow(message);
  });
});

/** Random numbers below a bound, the same in each run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % bound;
  };
}
