/** Which host names the compiled binary accepts: a page using DNS rebinding sends its own name. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import type { RawRequest } from '../helpers/raw-request.ts';
import { errorIn, rawRequest } from '../helpers/raw-request.ts';
import { completion, upstream } from '../helpers/upstream.ts';

type Lines = [name: string, value: string][];

const BODY = JSON.stringify({ model: 'gpt-4o', max_tokens: 8, messages: [{ role: 'user', content: 'hi' }] });

const provider = upstream(() => completion('here'));
const CONFIG: ConfigInput = {
  providers: [{ name: 'a', type: 'openai-compatible', base_url: provider.url, models: ['gpt-*'] }],
  logging: { requests: { enabled: false } },
};
const KEYS = { keys: [{ name: 'team', key: 'team-secret-key' }] };
const WITH_KEY: Lines = [['authorization', 'Bearer team-secret-key']];

const post = (headers: Lines): RawRequest => ({ method: 'POST', headers, body: BODY });

let open: Serving;
let listed: Serving;
let keyed: Serving;

beforeAll(async () => {
  built();
  open = await serveConfig({ ...CONFIG, server: { base_path: '/llm' } });
  listed = await serveConfig({ ...CONFIG, server: { hosts: ['LLM.example'] } });
  keyed = await serveConfig({ ...CONFIG, auth: KEYS });
}, 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

const LOOPBACK = [
  'localhost',
  'LOCALHOST:1',
  'localhost.',
  'app.localhost:3000',
  '127.0.0.1',
  '127.8.9.10:80',
  '[::1]',
  '[::1]:8000',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
];
const OTHERS = [
  'evil.example',
  'evil.example:8000',
  'localhost.evil.example',
  'notlocalhost',
  '127.0.0.1.evil.example',
  '127.evil.example',
  'x@localhost',
  'localhost@evil.example',
  'localhost/evil',
  'localhost?x',
  'localhost#x',
  'localhost\\x',
  'evil.example%2elocalhost',
  '10.0.0.1',
  '0.0.0.0',
  '[::]',
  '[::2]',
  '[::ffff:10.0.0.1]',
  'localhost, evil.example',
  'local host',
  'löcalhost',
  ':8000',
  '::1',
  '-',
  '..',
];

describe('a Host header on loopback', () => {
  test.each(LOOPBACK)('may be %s', async (host) => {
    expect((await rawRequest(open.url, '/v1/models', { headers: [['host', host]] })).status).toBe(200);
  });

  test.each(OTHERS)('may not be %s, at any route', async (host) => {
    const asked = provider.asked.length;
    for (const path of ['/v1/models', '/providers', '/metrics', '/health', '/llm/v1/models', '/nothing']) {
      const answer = await rawRequest(open.url, path, {
        headers: [
          ['host', host],
          ['sec-fetch-site', 'same-origin'],
        ],
      });
      expect([path, answer.status, errorIn(answer).code]).toEqual([path, 403, 'host_not_allowed']);
    }
    const answer = await rawRequest(
      open.url,
      '/v1/chat/completions',
      post([
        ['host', host],
        ['origin', `http://${host}`],
      ]),
    );
    expect([answer.status, errorIn(answer).code]).toEqual([403, 'host_not_allowed']);
    expect(provider.asked.length).toBe(asked);
  });

  test('must occur once: two are refused', async () => {
    const headers: Lines = [
      ['host', 'localhost'],
      ['host', 'evil.example'],
    ];
    expect((await rawRequest(open.url, '/v1/models', { headers })).status).toBe(403);
  });

  test('that is refused gets an error with the key to set, in the format of the API', async () => {
    const headers: Lines = [['host', 'evil.example']];
    const openai = await rawRequest(open.url, '/v1/chat/completions', post(headers));
    const anthropic = await rawRequest(open.url, '/v1/messages', post(headers));
    expect(anthropic.json()).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
    for (const answer of [openai, anthropic]) expect(errorIn(answer).message).toContain('server.hosts');
  });

  test('may be a name in server.hosts, and pages from there have the same origin', async () => {
    const headers: Lines = [
      ['host', 'llm.example:8443'],
      ['origin', 'https://llm.example:8443'],
    ];
    expect((await rawRequest(listed.url, '/v1/chat/completions', post(headers))).status).toBe(200);
    for (const host of ['llm.example', 'llm.EXAMPLE.', 'localhost'])
      expect((await rawRequest(listed.url, '/v1/models', { headers: [['host', host]] })).status).toBe(200);
    for (const host of ['evil.llm.example', 'example', 'llm.example.org'])
      expect((await rawRequest(listed.url, '/v1/models', { headers: [['host', host]] })).status).toBe(403);
  });

  test('may be any name behind a reverse proxy if keys are configured, unless names are listed', async () => {
    const headers: Lines = [...WITH_KEY, ['host', 'llm.example']];
    expect((await rawRequest(keyed.url, '/v1/models', { headers })).status).toBe(200);
    expect((await rawRequest(keyed.url, '/v1/models', { headers: [['host', 'llm.example']] })).status).toBe(
      401,
    );
    const strict = await serveConfig({
      ...CONFIG,
      auth: KEYS,
      server: { host: '0.0.0.0', hosts: ['other.example'] },
    });
    const at = strict.url.replace('0.0.0.0', '127.0.0.1');
    expect((await rawRequest(at, '/v1/models', { headers })).status).toBe(403);
    expect((await rawRequest(at, '/v1/models', { headers: WITH_KEY })).status).toBe(200);
  });
});

describe('HTTP/1.0 without Host', () => {
  test('is answered like any other request', async () => {
    const plain = { version: '1.0', hostless: true } as const;
    for (const path of [
      '/v1/models',
      '/models?limit=1',
      '/health/live',
      '/health/ready',
      '/llm/health',
      '/providers',
      '/v1/models/gpt-4o%3Amini',
    ])
      expect([path, (await rawRequest(open.url, path, plain)).status]).toEqual([path, 200]);
    const answer = await rawRequest(open.url, '/v1/chat/completions', { ...plain, ...post([]) });
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('here')]);
    const stream = await rawRequest(open.url, '/v1/messages', { ...plain, ...post([]) });
    expect([stream.status, stream.body]).toEqual([200, expect.stringContaining('here')]);
    const lost = await rawRequest(open.url, '/v1/nothing', plain);
    expect([lost.status, errorIn(lost).message]).toEqual([404, expect.stringContaining('/v1/nothing')]);
    const page = await rawRequest(open.url, '/v1/models', {
      ...plain,
      headers: [['origin', 'http://undefined']],
    });
    expect(page.status).toBe(403);
  });

  test('is also answered with an empty Host, and HTTP/1.1 without one is not', async () => {
    expect((await rawRequest(open.url, '/v1/models', { headers: [['host', '']] })).status).toBe(200);
    expect((await rawRequest(open.url, '/v1/models', { hostless: true })).status).toBe(400);
  });
});

describe('a reload, which keeps the socket', () => {
  /** Reloads a running proxy with another configuration. @returns what it writes to stderr */
  async function reread({ url, cwd, process }: Serving, config: ConfigInput): Promise<string> {
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
    // Once it has answered a request, its signal handlers are set up too.
    await rawRequest(url.replace('0.0.0.0', '127.0.0.1'), '/health/live');
    process.kill('SIGHUP');
    const decoder = new TextDecoder();
    let told = '';
    for await (const chunk of process.stderr) {
      told += decoder.decode(chunk, { stream: true });
      if (/stays in effect|restart to apply/.test(told)) break;
    }
    return told;
  }

  test('cannot remove the keys of an address that others can reach', async () => {
    const serving = await serveConfig({ ...CONFIG, auth: KEYS, server: { host: '0.0.0.0' } });
    const at = serving.url.replace('0.0.0.0', '127.0.0.1');
    const told = await reread(serving, { ...CONFIG, server: { host: '127.0.0.1' } });
    expect(told).toContain('Cannot listen on 0.0.0.0');
    expect((await rawRequest(at, '/v1/models')).status).toBe(401);
    expect((await rawRequest(at, '/v1/models', { headers: WITH_KEY })).status).toBe(200);
  });

  test('cannot open loopback to other names by naming another address', async () => {
    const serving = await serveConfig(CONFIG);
    const told = await reread(serving, { ...CONFIG, auth: 'none', server: { host: '0.0.0.0' } });
    expect(told).toContain('server.host changed');
    const headers: Lines = [['host', 'evil.example']];
    expect((await rawRequest(serving.url, '/v1/models', { headers })).status).toBe(403);
  });
});
