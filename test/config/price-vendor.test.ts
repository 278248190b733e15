import { expect, test } from 'bun:test';
import { PROVIDER_TYPES, presetOf } from '../../src/config/presets.ts';
import { PRICE_HOSTS, PRICE_ROUTERS, priceVendor } from '../../src/config/price-vendor.ts';
import { schema } from '../../src/config/schema.ts';
import { makeProviders } from '../../src/providers/make.ts';
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

test('requests and reports look the same vendor up', () => {
  const config = schema.parse({
    providers: [
      { name: 'm', type: 'openai-compatible', base_url: 'https://api.minimax.io/v1', models: ['*'] },
      { name: 'd', type: 'anthropic', base_url: 'https://api.deepseek.com/anthropic', api_key: 'k' },
    ],
  });
  const vendors = ['minimax', 'deepseek'];
  expect(makeProviders(config, { env: {} }).map(({ settings }) => settings.prices)).toEqual(vendors);
  expect(priceSetup(config).providers.map(({ vendor }) => vendor)).toEqual(vendors);
});
