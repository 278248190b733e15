import { expect, test } from 'bun:test';
import { storedMs } from '../../src/server/responses/service.ts';
import { schema } from '../../src/config/schema.ts';

const DAY = 24 * 3_600_000;
const providers = [{ name: 'm', type: 'mock' as const }];

test.each([
  ['for the configured time', { ttl: '10d' }, undefined, 10 * DAY],
  ['no longer than the log keeps its files', { ttl: '10d' }, '3d', 3 * DAY],
  ['no longer than the log keeps content', { ttl: '10d' }, { content: '2d', head: '365d' }, 2 * DAY],
  ['for less if the log keeps its files longer', { ttl: '1h' }, '3d', DAY / 24],
])('a response is stored %s', (_, responses, retention, wanted) => {
  const requests = retention === undefined ? {} : { retention };
  expect(storedMs(schema.parse({ providers, responses, logging: { requests } }))).toBe(wanted);
});
