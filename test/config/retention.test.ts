import { expect, test } from 'bun:test';
import { retention } from '../../src/config/schema/retention.ts';

const DAY_MS = 86_400_000;

test.each([
  ['30d', { content: 0, head: 30 * DAY_MS }],
  [60, { content: 0, head: 60_000 }],
  [0, { content: 0, head: 0 }],
  [
    { content: '7d', head: '365d' },
    { content: 7 * DAY_MS, head: 365 * DAY_MS },
  ],
  [{ content: '7d' }, { content: 7 * DAY_MS, head: 0 }],
  [{ head: '7d' }, { content: 0, head: 7 * DAY_MS }],
])('retention takes %p', (written, means) => {
  expect(retention.parse(written)).toEqual(means);
});

test.each(['soon', -1, { content: '8d', head: '7d' }, { body: '7d' }])(
  'retention does not take %p',
  (written) => {
    expect(retention.safeParse(written).success).toBe(false);
  },
);
