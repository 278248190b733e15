import { expect, test } from 'bun:test';
import { storedMs } from '../../src/server/responses/service.ts';
import { schema } from '../../src/config/schema.ts';

const DAY = 24 * 3_600_000;
const providers = [{ name: 'm', type: 'mock' as const }];

test.each([
  ['for the time that is configured', { ttl: '10d' }, undefined, 10 * DAY],
  ['no longer than the log keeps files', { ttl: '10d' }, '3d', 3 * DAY],
  [
    'no longer than the log keeps what people wrote',
    { ttl: '10d' },
    { content: '2d', head: '365d' },
    2 * DAY,
  ],
  ['for less, where the log keeps more', { ttl: '1h' }, '3d', DAY / 24],
])('a response is stored %s', (_, responses, retention, wanted) => {
  const requests = retention === undefined ? {} : { retention };
  expect(storedMs(schema.parse({ providers, responses, logging: { requests } }))).toBe(wanted);
});
