import { expect, test } from 'bun:test';
import { PROVIDER_TYPES, presetOf } from '../../src/config/presets.ts';
import { isRegional, PRICE_HOSTS, PRICE_ROUTERS, priceVendor } from '../../src/config/price-vendor.ts';
import { schema } from '../../src/config/schema.ts';
import { makeProviders } from '../../src/providers/make.ts';
import { pricedAt, Prices } from '../../src/providers/prices.ts';
import { listedVendors } from '../../src/providers/price-list.ts';
import { priceSetup } from '../../src/usage/pricing.ts';

const table = listedVendors();
const vendorAt = (address: string) =>
  [...table.values()].find(({ addresses }) => new RegExp(`^(?:${addresses})`).test(address))?.id;

test('every vendor named here is in the price table, which knows it by its address as well', () => {
  const named = PROVIDER_TYPES.map(presetOf).flatMap(({ prices }) => prices ?? []);
  const own = named.filter((id) => !PRICE_ROUTERS.has(id));
  expect(own.filter((id) => !table.has(id))).toEqual([]);
  expect(PRICE_HOSTS.size).toBeGreaterThan(20);
  for (const [host, id] of [...PRICE_HOSTS].filter(([, vendor]) => !PRICE_ROUTERS.has(vendor)))
    expect([host, vendorAt(`https://${host}/`)]).toEqual([host, id]);
});

test('every type whose address the table knows has prices', () => {
  const without = PROVIDER_TYPES.map(presetOf).filter(({ prices }) => prices === undefined);
  expect(without.length).toBeGreaterThan(5);
  for (const { title, baseUrl } of without)
    expect([title, baseUrl && vendorAt(baseUrl)]).toEqual([title, undefined]);
});

test.each([
  ['openai-compatible', 'https://api.groq.com/openai/v1', 'groq'],
  ['anthropic', 'https://api.deepseek.com/anthropic', 'deepseek'],
  ['anthropic', 'https://api.z.ai/api/anthropic', 'zai'],
  ['openai-compatible', 'https://api.minimax.io/v1', 'minimax'],
  ['openai-compatible', 'https://router.huggingface.co/v1', 'huggingface'],
  ['anthropic', 'https://proxy.example/anthropic', 'anthropic'],
  ['anthropic', undefined, 'anthropic'],
  ['openai-compatible', 'http://gpu:8000/v1', undefined],
  ['a-plugin', undefined, undefined],
])('%s at %s has the prices of %s', (type, baseUrl, vendor) => {
  expect(priceVendor(type, baseUrl)).toBe(vendor);
  if (baseUrl === undefined) expect(presetOf(type).prices).toBe(vendor);
});

test.each([
  ['vertex', undefined, 'us-east5', true],
  ['vertex', undefined, 'global', false],
  ['vertex', undefined, undefined, false],
  ['bedrock', undefined, 'us-east-1', false],
  ['openai', 'https://eu.api.openai.com/v1', undefined, true],
  ['openai-compatible', 'https://us.api.openai.com/v1', undefined, true],
  ['openai', 'https://api.openai.com/v1', undefined, false],
])('isRegional(%p, %p, %p) is %p', (type, baseUrl, region, regional) => {
  expect(isRegional(type, baseUrl, region)).toBe(regional);
  if (baseUrl !== undefined) expect(priceVendor(type, baseUrl)).toBe('openai');
});

test.each([
  ['openai', 'gpt-5.4', 1.1],
  ['openai', 'gpt-5.2', 1],
  ['google', 'claude-sonnet-4-5@20250929', 1.1],
  ['google', 'claude-opus-4-1@20250805', 1],
  ['google', 'gemini-3.5-flash', 1.1],
  ['google', 'gemini-2.5-pro', 1],
])('tokens of %s/%s cost %p times as much in a region', async (vendor, model, factor) => {
  const prices = new Prices();
  await prices.load();
  const of = { provider: 'p', vendor, model, configured: undefined };
  const usage = { input: 1_000, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const global = prices.cost(of, usage, Date.now())!;
  expect(global).toBeGreaterThan(0);
  expect(prices.cost({ ...of, isRegional: true }, usage, Date.now())).toBeCloseTo(global * factor, 10);
  // A search costs the same everywhere.
  const searched = { ...usage, webSearches: 1 };
  const fee = prices.cost(of, searched, Date.now())! - global;
  expect(prices.cost({ ...of, isRegional: true }, searched, Date.now())).toBeCloseTo(
    global * factor + fee,
    10,
  );
});

test('requests and reports look the same vendor up', () => {
  const config = schema.parse({
    providers: [
      { name: 'm', type: 'openai-compatible', base_url: 'https://api.minimax.io/v1', models: ['*'] },
      { name: 'd', type: 'anthropic', base_url: 'https://api.deepseek.com/anthropic', api_key: 'k' },
      { name: 'v', type: 'vertex', region: 'us-east5', project: 'p', api_key: 'k' },
    ],
  });
  const places = [
    ['minimax', false],
    ['deepseek', false],
    ['google', true],
  ];
  const made = makeProviders(config, { env: {} }).map(pricedAt);
  expect(made.map(({ vendor, isRegional: regional }) => [vendor, regional])).toEqual(places);
  const { providers } = priceSetup(config);
  expect(providers.map(({ vendor, isRegional: regional }) => [vendor, regional])).toEqual(places);
});
