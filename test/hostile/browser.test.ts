/** What web pages can do to the compiled binary, tested with the bytes that browsers send. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import type { RawRequest } from '../helpers/raw-request.ts';
import { errorIn, rawRequest } from '../helpers/raw-request.ts';
import { completion, upstream } from '../helpers/upstream.ts';

type Lines = [name: string, value: string][];

const BODY = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
const MESSAGE = JSON.stringify({ ...(JSON.parse(BODY) as object), max_tokens: 8 });
const APP = 'https://app.example';

const provider = upstream(() => completion('here'));
const CONFIG: ConfigInput = {
  providers: [{ name: 'a', type: 'openai-compatible', base_url: provider.url, models: ['gpt-*'] }],
  logging: { requests: { enabled: false } },
};
const KEYS = { keys: [{ name: 'team', key: 'team-secret-key' }] };
const WITH_KEY: Lines = [['authorization', 'Bearer team-secret-key']];

const post = (headers: Lines, body = BODY): RawRequest => ({ method: 'POST', headers, body });
const port = ({ url }: Serving) => new URL(url).port;

let open: Serving;
let listed: Serving;
let keyed: Serving;

beforeAll(async () => {
  built();
  open = await serveConfig({ ...CONFIG, server: { base_path: '/llm' } });
  listed = await serveConfig({
    ...CONFIG,
    server: { cors: { origins: [`${APP}/`] } },
  });
  keyed = await serveConfig({ ...CONFIG, auth: KEYS });
}, 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

/**
 * Requests with the headers that browsers add; each line is one way in which a page of another origin can
 * reach the address.
 */
const FOREIGN: [way: string, headers: Lines][] = [
  [
    'a fetch without CORS',
    [
      ['origin', 'https://evil.example'],
      ['sec-fetch-site', 'cross-site'],
      ['content-type', 'text/plain'],
    ],
  ],
  [
    'a fetch of a browser that sends no Sec-Fetch-Site',
    [
      ['origin', 'https://evil.example'],
      ['content-type', 'text/plain'],
    ],
  ],
  [
    'a form',
    [
      ['origin', 'https://evil.example'],
      ['sec-fetch-site', 'cross-site'],
      ['sec-fetch-mode', 'navigate'],
      ['content-type', 'application/x-www-form-urlencoded'],
    ],
  ],
  [
    'a sandboxed frame or a file',
    [
      ['origin', 'null'],
      ['sec-fetch-site', 'cross-site'],
    ],
  ],
  ['a frame that hides its origin', [['origin', 'null']]],
  ['an image, a script or a link', [['sec-fetch-site', 'cross-site']]],
  [
    'another port of this machine',
    [
      ['origin', 'http://localhost:3000'],
      ['sec-fetch-site', 'same-site'],
    ],
  ],
  ['another port, by the site alone', [['sec-fetch-site', 'same-site']]],
  ['another scheme', [['origin', 'ftp://127.0.0.1']]],
  ['a mark that is not known', [['sec-fetch-site', 'somewhere']]],
  [
    'two origins',
    [
      ['origin', 'http://127.0.0.1'],
      ['origin', 'https://evil.example'],
    ],
  ],
  ['an empty origin', [['origin', '']]],
  [
    'a browser extension',
    [
      ['origin', 'chrome-extension://abcdefghijklmnop'],
      ['sec-fetch-site', 'none'],
    ],
  ],
];

describe('a page of another origin', () => {
  test.each(FOREIGN)('is refused before anything happens: %s', async (_, headers) => {
    const asked = provider.asked.length;
    for (const path of [
      '/v1/chat/completions',
      '/chat/completions',
      '/llm/v1/chat/completions',
      '/v1/embeddings',
    ]) {
      const answer = await rawRequest(open.url, path, post(headers));
      expect([answer.status, errorIn(answer).code]).toEqual([403, 'origin_not_allowed']);
      expect(answer.head.toLowerCase()).not.toContain('access-control-allow-origin');
    }
    expect(provider.asked.length).toBe(asked);
  });

  test.each(FOREIGN)('cannot read any answer: %s', async (_, headers) => {
    const paths = [
      '/v1/models',
      '/v1/models/gpt-4o',
      '/providers',
      '/metrics',
      '/health',
      '/llm/providers',
      '/nothing',
    ];
    for (const path of paths) {
      const answer = await rawRequest(open.url, path, { headers });
      expect([path, answer.status, errorIn(answer).code]).toEqual([path, 403, 'origin_not_allowed']);
    }
  });

  test('is refused its preflight, its WebSocket, and other methods', async () => {
    const from: Lines = [
      ['origin', 'https://evil.example'],
      ['sec-fetch-site', 'cross-site'],
    ];
    const asking: Lines = [
      ['access-control-request-method', 'POST'],
      ['access-control-request-headers', 'content-type'],
      ['access-control-request-private-network', 'true'],
    ];
    const preflight = await rawRequest(open.url, '/v1/chat/completions', {
      method: 'OPTIONS',
      headers: [...from, ...asking],
    });
    expect([preflight.status, preflight.header('access-control-allow-origin')]).toEqual([403, undefined]);
    const upgrade: Lines = [
      ['upgrade', 'websocket'],
      ['sec-websocket-version', '13'],
      ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ];
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/realtime'])
      expect((await rawRequest(open.url, path, { headers: [...from, ...upgrade] })).status).toBe(403);
    for (const method of ['HEAD', 'PUT', 'DELETE'])
      expect((await rawRequest(open.url, '/providers', { method, headers: from })).status).toBe(403);
  });

  test('gets the configuration key that allows it, in the format of its API, and nothing that it sent', async () => {
    const from: Lines = [['origin', 'https://evil.example']];
    const openai = await rawRequest(open.url, '/v1/responses', post(from));
    expect(errorIn(openai)).toMatchObject({ type: 'permission_error', code: 'origin_not_allowed' });
    const anthropic = await rawRequest(open.url, '/v1/messages', post(from, MESSAGE));
    expect(anthropic.json()).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
    for (const answer of [openai, anthropic]) {
      expect(errorIn(answer).message).toContain('server.cors.origins');
      expect(answer.body).not.toContain('evil');
    }
  });

  test('is also refused if keys are configured', async () => {
    const answer = await rawRequest(
      keyed.url,
      '/v1/chat/completions',
      post([...WITH_KEY, ['origin', 'https://evil.example']]),
    );
    expect(answer.status).toBe(403);
  });
});

describe('server.cors.origins', () => {
  test('allows the pages of an origin: preflight, answers and errors', async () => {
    const from: Lines = [
      ['origin', APP],
      ['sec-fetch-site', 'cross-site'],
    ];
    const asking: Lines = [
      ['access-control-request-method', 'POST'],
      ['access-control-request-headers', 'content-type'],
    ];
    const preflight = await rawRequest(listed.url, '/v1/chat/completions', {
      method: 'OPTIONS',
      headers: [...from, ...asking],
    });
    expect([preflight.status, preflight.header('access-control-allow-origin')]).toEqual([204, APP]);
    for (const path of ['/v1beta/models/m:streamGenerateContent?alt=sse', '/api/chat']) {
      const named = await rawRequest(listed.url, path, {
        method: 'OPTIONS',
        headers: [...from, asking[0]!, ['access-control-request-headers', 'content-type,x-goog-api-key']],
      });
      expect([named.status, named.header('access-control-allow-origin')]).toEqual([204, APP]);
      expect(named.header('access-control-allow-headers')).toContain('x-goog-api-key');
      const refused = await rawRequest(listed.url, path, post(from, '{'));
      expect([refused.status, refused.header('access-control-allow-origin')]).toEqual([400, APP]);
    }
    const answer = await rawRequest(listed.url, '/v1/chat/completions', post(from));
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([200, APP]);
    const wrong = await rawRequest(listed.url, '/v1/chat/completions', post(from, '{'));
    expect([wrong.status, wrong.header('access-control-allow-origin')]).toEqual([400, APP]);
  });

  test.each(FOREIGN)('allows no other origin: %s', async (_, headers) => {
    expect((await rawRequest(listed.url, '/v1/chat/completions', post(headers))).status).toBe(403);
  });

  test('with * allows every page, also those without an origin', async () => {
    const all = await serveConfig({ ...CONFIG, server: { cors: { origins: ['*'] } } });
    for (const [, headers] of FOREIGN) {
      const answer = await rawRequest(all.url, '/v1/chat/completions', post(headers));
      expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([200, '*']);
    }
    const rebound = await rawRequest(all.url, '/v1/models', { headers: [['host', 'evil.example']] });
    expect(rebound.status).toBe(403);
  });
});

describe('requests that no page of another origin sends are unaffected', () => {
  const own = (headers: (own: string) => Lines) => (serving: Serving) =>
    headers(`127.0.0.1:${port(serving)}`);
  test.each<[string, (serving: Serving) => Lines]>([
    ['curl and the SDKs', own(() => [])],
    [
      'a fetch of Node',
      own(() => [
        ['sec-fetch-mode', 'cors'],
        ['user-agent', 'node'],
      ]),
    ],
    [
      'the address bar',
      own(() => [
        ['sec-fetch-site', 'none'],
        ['sec-fetch-mode', 'navigate'],
      ]),
    ],
    [
      'a page of its own',
      own((host) => [
        ['origin', `http://${host}`],
        ['sec-fetch-site', 'same-origin'],
      ]),
    ],
    ['a page of its own behind TLS', own((host) => [['origin', `https://${host}`]])],
    [
      'an address in other letters',
      () => [
        ['host', 'LocalHost:8000'],
        ['origin', 'http://localhost:8000'],
      ],
    ],
  ])('%s', async (_, headers) => {
    expect((await rawRequest(open.url, '/v1/chat/completions', post(headers(open)))).status).toBe(200);
    expect((await rawRequest(open.url, '/providers', { headers: headers(open) })).status).toBe(200);
  });
});
