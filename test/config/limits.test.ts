/** Limits with contradictory settings. */
import { expect, test } from 'bun:test';
import { ENDPOINTS } from '../../src/config/schema/endpoint-globs.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ENDPOINT_NAMES } from '../../src/wire/endpoints.ts';

const messages = (written: object): string[] =>
  (limit.safeParse(written).error?.issues ?? []).map(({ message }) => message);

test.each([
  [{ requests: 1, per: 'day', count: 'input' }, '`count` belongs to `tokens`'],
  [{ budget: 1, per: 'day', count: 'output' }, '`count` belongs to `tokens`'],
  [{ concurrent: 1, count: 'output' }, '`count` belongs to `tokens`'],
  [
    { requests: 1, per: 'day', hard: true },
    '`hard` belongs to `tokens` and `budget`: `requests` never cuts off a stream',
  ],
  [
    { concurrent: 1, hard: true },
    '`hard` belongs to `tokens` and `budget`: `concurrent` never cuts off a stream',
  ],
  [{ concurrent: 1, per: 'day' }, '`concurrent` has no `per`'],
  [{ concurrent: 1, window: 'rolling' }, '`concurrent` has no `window`'],
  [{ concurrent: 1, time_zone: 'Europe/Berlin' }, '`concurrent` has no `time_zone`'],
  [{ tokens: 1, per: 'total', window: 'rolling' }, '`total` never ends, and has no `window`'],
  [{ tokens: 1, per: 'total', time_zone: 'UTC' }, '`time_zone` belongs to calendar windows'],
  [
    { tokens: 1, per: 'month', window: 'rolling', time_zone: 'UTC' },
    '`time_zone` belongs to calendar windows',
  ],
  [
    { tokens: 1, per: 'hour', time_zone: 'Asia/Kolkata' },
    '`time_zone` belongs to calendar windows: add `window: calendar`',
  ],
])('%j: %s', (written, message) => {
  expect(messages(written)).toEqual([message]);
});

test.each(['models', 'endpoints'])('an empty list of %s covers nothing', (list) => {
  expect(messages({ requests: 1, per: 'day', [list]: [] })).toEqual([
    `\`${list}: []\` covers nothing: leave it out to cover all`,
  ]);
});

test.each([
  { tokens: 1, per: 'day', count: 'input', hard: true },
  { budget: 1, per: 'total', hard: true },
  { concurrent: 1, warn_at: '80%' },
  { tokens: 1, per: 'hour', window: 'calendar', time_zone: 'Asia/Kolkata' },
  { tokens: 1, per: 'week', time_zone: 'Asia/Kolkata' },
])('%j is a limit', (written) => {
  expect(messages(written)).toEqual([]);
});

test('lists of endpoints accept all endpoints', () => {
  expect(ENDPOINTS.map(String).sort()).toEqual([...ENDPOINT_NAMES, 'feedback', 'passthrough'].sort());
});

test('an unknown endpoint in a list is an error anywhere, with a suggestion', () => {
  const limits = [{ requests: 1, per: 'day', endpoints: ['embedings'] }];
  const text = JSON.stringify({
    providers: [{ name: 'm', type: 'mock' }],
    groups: { g: { limits, each_user: limits, endpoints: ['image.*'] } },
    auth: { keys: [{ name: 'k', key: 'plum', endpoints: ['chat', 'Chat', '!chat'], limits }] },
    rate_limits: limits,
  });
  const { config, problems } = loadConfig({ path: 'config.yaml', text, env: {} });
  expect(config).toBeUndefined();
  const guess = 'there is no endpoint `embedings`; did you mean `embeddings`?';
  expect(Object.fromEntries(problems.map(({ message }) => message.split(': ', 2)))).toEqual({
    'groups.g.limits[0].endpoints[0]': guess,
    'groups.g.each_user[0].endpoints[0]': guess,
    'groups.g.endpoints[0]': 'there is no endpoint `image.*`; expected names such as chat or "images.*"',
    'auth.keys[0].endpoints[1]': 'there is no endpoint `Chat`; did you mean `chat`?',
    'auth.keys[0].limits[0].endpoints[0]': guess,
    'rate_limits[0].endpoints[0]': guess,
  });
});
