import { expect, test } from 'bun:test';
import { providerRate } from '../../src/config/schema/provider-rate.ts';

test.each([
  [500, { requests: 500 }],
  ['2k', { requests: 2_000 }],
  [
    { requests: 500, tokens: '200k' },
    { requests: 500, tokens: 200_000 },
  ],
  [{ tokens: 1 }, { tokens: 1 }],
])('rate_limit takes %p', (written, means) => {
  expect(providerRate.parse(written)).toEqual(means);
});

test.each([
  0,
  -1,
  1.5,
  2_000_000_000,
  'many',
  {},
  { tokens: 0 },
  { request: 5 },
  { requests: 1, per: 'hour' },
])('rate_limit does not take %p', (written) => {
  expect(providerRate.safeParse(written).success).toBe(false);
});
