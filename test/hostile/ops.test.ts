/**
 * Who may read the compiled binary's operational pages, also through a reverse proxy that does not identify
 * itself.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Serving } from '../helpers/binary.ts';
import type { RawRequest } from '../helpers/raw-request.ts';
import { built, cleared, folder, run, serveConfig } from '../helpers/binary.ts';
import { errorIn, rawRequest } from '../helpers/raw-request.ts';

const OPS = 'ops-key-of-the-operators';
const SCRAPE = 'scrape-key-of-prometheus';
const ORDINARY = 'ordinary-key-of-a-member';
const ALONE = 'only-key-of-the-owner';

const MOCK: ConfigInput = {
  providers: [{ name: 'inner-provider', type: 'mock', models: ['mock'] }],
  logging: { requests: { enabled: false } },
};
const TEAM: ConfigInput = {
  ...MOCK,
  server: { base_path: '/llm' },
  auth: {
    keys: [
      { name: 'ordinary', key: ORDINARY },
      { name: 'operators', key: OPS, ops: true },
      { name: 'prometheus', key: SCRAPE, ops: 'only' },
    ],
  },
};
const BODY = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hi' }] });
const PAGES = ['/providers', '/metrics', '/llm/providers', '/llm/metrics'];

const by = (key: string): RawRequest => ({ headers: [['authorization', `Bearer ${key}`]] });
const asking = (key: string): RawRequest => ({ ...by(key), method: 'POST', body: BODY });

let team: Serving;
let alone: Serving;
let open: Serving;

beforeAll(async () => {
  built();
  team = await serveConfig(TEAM);
  alone = await serveConfig({ ...MOCK, auth: { keys: [{ name: 'owner', key: ALONE }] } });
  open = await serveConfig(MOCK);
}, 60_000);
afterAll(cleared);

/**
 * The headers that reverse proxies add: none, as in nginx's default configuration, or the client's address.
 */
const WAYS: [way: string, headers: [string, string][], version: '1.0' | '1.1'][] = [
  ['directly from loopback', [], '1.1'],
  ['by a stock nginx', [['connection', 'close']], '1.0'],
  ['by an nginx with an upstream block', [['host', 'llmproxy_backend']], '1.0'],
  [
    'by one that names itself',
    [
      ['x-forwarded-for', '127.0.0.1'],
      ['x-real-ip', '127.0.0.1'],
      ['forwarded', 'for=127.0.0.1'],
    ],
    '1.1',
  ],
];

describe.each(WAYS)('with keys, asked %s', (_, headers, version) => {
  test('/providers and /metrics require a key', async () => {
    for (const path of PAGES)
      for (const given of [[], [['authorization', 'Bearer wrong']]] as [string, string][][]) {
        const answer = await rawRequest(team.url, path, { headers: [...headers, ...given], version });
        expect([path, answer.status, errorIn(answer).code]).toEqual([path, 401, 'invalid_api_key']);
        expect(answer.body).not.toContain('inner-provider');
      }
  });

  test('/health returns only the status', async () => {
    for (const path of ['/health', '/llm/health']) {
      const answer = await rawRequest(team.url, path, { headers, version });
      expect([answer.status, answer.json()]).toEqual([200, { status: 'healthy' }]);
    }
  });

  test('/health/live and /health/ready are open, whatever the request contains', async () => {
    const odd: [string, string][] = [
      ['sec-fetch-site', 'cross-site'],
      ['authorization', 'Bearer wrong'],
    ];
    for (const [path, status] of [
      ['live', 'live'],
      ['ready', 'ready'],
    ]) {
      const answer = await rawRequest(team.url, `/health/${path}`, {
        headers: [...headers, ...odd],
        version,
      });
      expect([answer.status, answer.json()]).toEqual([200, { status }]);
    }
  });
});

describe('keys', () => {
  test('with ops: true may read the pages and send requests', async () => {
    for (const path of PAGES) expect((await rawRequest(team.url, path, by(OPS))).status).toBe(200);
    const health = await rawRequest(team.url, '/health', by(OPS));
    expect(health.json()).toMatchObject({ status: 'healthy', providers: { healthy: 1 } });
    expect((await rawRequest(team.url, '/v1/chat/completions', asking(OPS))).status).toBe(200);
  });

  test('with ops: only may read the pages, and nothing else', async () => {
    for (const path of PAGES) expect((await rawRequest(team.url, path, by(SCRAPE))).status).toBe(200);
    expect((await rawRequest(team.url, '/metrics', by(SCRAPE))).body).toContain('llmproxy_provider_state');
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/feedback']) {
      const answer = await rawRequest(team.url, path, asking(SCRAPE));
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect((await rawRequest(team.url, '/v1/models', by(SCRAPE))).status).toBe(403);
  });

  test('without it may send requests, and read no page', async () => {
    expect((await rawRequest(team.url, '/v1/chat/completions', asking(ORDINARY))).status).toBe(200);
    for (const path of PAGES) {
      const answer = await rawRequest(team.url, path, by(ORDINARY));
      expect([answer.status, errorIn(answer).code]).toEqual([403, 'key_not_permitted']);
      expect(errorIn(answer).message).toContain('ops: true');
    }
    expect((await rawRequest(team.url, '/health', by(ORDINARY))).json()).toEqual({ status: 'healthy' });
  });

  test('that are the only one may read the pages, unless ops is false', async () => {
    expect((await rawRequest(alone.url, '/metrics', by(ALONE))).status).toBe(200);
    expect((await rawRequest(alone.url, '/metrics')).status).toBe(401);
    const not = await serveConfig({ ...MOCK, auth: { keys: [{ name: 'owner', key: ALONE, ops: false }] } });
    expect((await rawRequest(not.url, '/metrics', by(ALONE))).status).toBe(403);
  });
});

test('without keys the pages are open to this machine, in full', async () => {
  expect((await rawRequest(open.url, '/providers')).body).toContain('inner-provider');
  expect((await rawRequest(open.url, '/metrics')).status).toBe(200);
  expect((await rawRequest(open.url, '/health')).json()).toMatchObject({ providers: { healthy: 1 } });
});

test('/health/ready and /health are 503 without a reason when no provider can answer', async () => {
  const down = await serveConfig({
    ...TEAM,
    providers: [{ name: 'inner-provider', type: 'openai', api_key: 'unused-provider-key', enabled: false }],
  });
  for (const [path, status] of [
    ['/health/ready', 'not_ready'],
    ['/health', 'unhealthy'],
  ] as const) {
    const answer = await rawRequest(down.url, path);
    expect([answer.status, answer.json()]).toEqual([503, { status }]);
  }
});

describe('llmproxy health', () => {
  test.each([
    ['a key that may', OPS, 0, 'inner-provider'],
    ['a key of the pages alone', SCRAPE, 0, 'inner-provider'],
    ['a key that may not', ORDINARY, 3, 'auth.keys[].ops'],
    ['a wrong key', 'wrong', 3, 'set LLMPROXY_KEY'],
  ])('--key with %s', (_, key, code, words) => {
    const told = run(folder(), 'health', '--url', team.url, '--key', key);
    expect(told.code).toBe(code);
    expect(told.out + told.err).toContain(words);
  });
});

test('config validate warns if no key may read the pages, until one sets ops', () => {
  const validate = (ops: object) => {
    const cwd = folder();
    const keys = [
      { name: 'a', key: 'key-a', ...ops },
      { name: 'b', key: 'key-b' },
    ];
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ ...MOCK, auth: { keys } }, null, 2));
    const { code, out, err } = run(cwd, 'config', 'validate');
    return [code, (out + err).includes('no key may read /providers and /metrics')];
  };
  expect([validate({}), validate({ ops: true }), validate({ ops: false })]).toEqual([
    [0, true],
    [0, false],
    [0, false],
  ]);
});
