/** The page at `/`, and who may see it. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import type { LiveEvent, Session } from '../../src/web/api.ts';
import { systemClock } from '../../src/clock.ts';
import { Sessions, SESSION_MS } from '../../src/server/page/sessions.ts';
import { RecordWatch } from '../../src/server/page/watch.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import type { Running } from '../helpers/proxy.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const KEYS = {
  keys: [
    { name: 'boss', key: 'k-boss', ops: true },
    { name: 'watcher', key: 'k-watch', ops: 'only' as const },
    { name: 'ann', key: 'k-ann' },
  ],
};
const MOCK = [{ name: 'm', type: 'mock', models: ['mock'] }];
const OWN = { 'content-type': 'application/json', 'x-llmproxy-page': '1' };

function proxy(config: Partial<ConfigInput> = {}): Running {
  return running({ providers: MOCK, ...config });
}

const get = (at: Running, path: string, headers: Record<string, string> = {}) =>
  fetch(at.url + path, { headers, redirect: 'manual' });

async function signIn(at: Running, key: string, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ key });
  return await fetch(`${at.url}/page/session`, { method: 'POST', headers: { ...OWN, ...headers }, body });
}

/** The cookie of a sign-in, as a browser sends it. */
async function cookieOf(at: Running, key: string): Promise<string> {
  return (await signIn(at, key)).headers.get('set-cookie')!.split(';')[0]!;
}

const session = async (at: Running, cookie: string) =>
  (await (await get(at, '/page/session', { cookie })).json()) as Session;

describe('the page’s document', () => {
  test('is served to browsers only, and its policy allows nothing but its own files', async () => {
    await using at = proxy();
    const page = await get(at, '/', BROWSER);
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const html = await page.text();
    expect(html).not.toMatch(/<script>|<style|style=|https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="(\/page\/files\/[^"]+)"/g)].map(([, path]) => path!);
    expect(files.length).toBe(3);
    for (const path of files) {
      const file = await get(at, path);
      expect([path, file.status, file.headers.get('cache-control')]).toEqual([
        path,
        200,
        'public, max-age=31536000, immutable',
      ]);
      expect(await file.text()).not.toMatch(/https?:\/\/(?!www\.w3\.org\/|127\.0\.0\.1)/);
    }
    const script = files.find((path) => path.endsWith('.js'))!;
    const size = async (encoding: string) => {
      const answer = await rawRequest(at.url, script, { headers: [['accept-encoding', encoding]] });
      return [answer.header('content-encoding'), Number(answer.header('content-length'))] as const;
    };
    const [[plain, bytes], [packed, fewer]] = [await size('identity'), await size('br, gzip')];
    expect([plain, packed, fewer < bytes / 2]).toEqual([undefined, 'gzip', true]);
    expect((await get(at, '/', { accept: '*/*' })).headers.get('content-type')).not.toContain('html');
  });

  test('is served below the base path, together with its files', async () => {
    await using at = proxy({ server: { base_path: '/llm' } });
    for (const path of ['/llm', '/llm/']) {
      const html = await (await get(at, path, BROWSER)).text();
      const script = /src="(\/llm\/page\/files\/[^"]+\.js)"/.exec(html)?.[1];
      expect((await get(at, script!)).status).toBe(200);
    }
    expect((await get(at, '/llm/page/providers')).status).toBe(200);
  });

  test('may be linked to from other sites, which can read nothing else', async () => {
    await using at = proxy();
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await get(at, '/', { ...BROWSER, ...link })).status).toBe(200);
    expect((await get(at, '/', { ...BROWSER, ...link, 'sec-fetch-dest': 'iframe' })).status).toBe(403);
    expect((await get(at, '/page/providers', link)).status).toBe(403);
  });

  test('is not served where server.page is off', async () => {
    await using at = proxy({ server: { page: false } });
    expect((await get(at, '/', BROWSER)).headers.get('content-type')).not.toContain('html');
    expect((await get(at, '/page/session')).status).toBe(404);
  });

  test('is by default not served where anyone could read it, and says so', async () => {
    const config = { auth: 'none' as const, server: { host: '0.0.0.0' } };
    await using at = proxy(config);
    const page = await get(at, '/', BROWSER);
    expect([page.status, await page.text()]).toEqual([403, expect.stringContaining('server.page: on')]);
    expect((await get(at, '/page/providers')).status).toBe(404);
    await using wanted = proxy({ ...config, server: { ...config.server, page: 'on' } });
    expect((await get(wanted, '/page/providers')).status).toBe(200);
  });
});

describe('the page without keys', () => {
  test('is open to this machine, and under no other host name', async () => {
    await using at = proxy();
    expect(await session(at, '')).toMatchObject({ open: true, signedIn: false, key: null, asks: true });
    const rebound = await rawRequest(at.url, '/page/providers', { headers: [['host', 'evil.example']] });
    expect([rebound.status, rebound.body]).toEqual([403, expect.stringContaining('Host header')]);
    const old = await rawRequest(at.url, '/page/session', { version: '1.0', hostless: true });
    expect([old.status, old.json()]).toMatchObject([200, { open: true }]);
  });

  test('is closed to pages of other origins, whatever server.cors says', async () => {
    await using at = proxy({ server: { cors: { origins: ['*'] } } });
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      const answer = await get(at, '/page/providers', headers);
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
  });

  test.each([
    ['a form', { 'content-type': 'text/plain', 'x-llmproxy-page': '1' }],
    ['a request without the page’s own header', { 'content-type': 'application/json' }],
  ])('refuses %s', async (_, headers) => {
    await using at = proxy();
    const answer = await fetch(`${at.url}/page/session`, { method: 'POST', headers, body: '{"key":"x"}' });
    expect(answer.status).toBe(403);
  });
});

describe('the page with keys', () => {
  test('shows only the document and the sign-in to callers without a key', async () => {
    await using at = proxy({ auth: KEYS });
    expect((await get(at, '/', BROWSER)).status).toBe(200);
    expect(await session(at, '')).toMatchObject({ open: false, key: null });
    for (const path of ['providers', 'live', 'requests', 'nothing'])
      expect([path, (await get(at, `/page/${path}`)).status]).toEqual([path, 401]);
    expect((await get(at, '/page/providers', { authorization: 'Bearer k-ann' })).status).toBe(403);
    expect((await get(at, '/page/providers', { authorization: 'Bearer k-boss' })).status).toBe(200);
  });

  test('gives an ops key a session cookie that contains no key and works only for this path and site', async () => {
    await using at = proxy({ auth: KEYS });
    expect((await signIn(at, 'wrong')).status).toBe(401);
    expect((await signIn(at, 'k-ann')).status).toBe(403);
    const answer = await signIn(at, 'k-boss');
    expect(answer.status).toBe(204);
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(
      /^llmproxy_session_\d+=[\w.-]+; Path=\/page; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain('k-boss');
    const sent = cookie.split(';')[0]!;
    expect((await get(at, '/page/providers', { cookie: sent })).status).toBe(200);
    expect(await session(at, sent)).toMatchObject({ open: true, signedIn: true, key: 'boss', asks: true });
    expect(await session(at, await cookieOf(at, 'k-watch'))).toMatchObject({ open: true, asks: false });
    const byHeader = await get(at, '/page/session', { authorization: 'Bearer k-boss' });
    expect(await byHeader.json()).toMatchObject({ open: true, signedIn: false, asks: true, content: true });
    for (const path of ['/v1/models', '/providers', '/metrics'])
      expect([path, (await get(at, path, { cookie: sent })).status]).toEqual([path, 401]);
    const secure = await signIn(at, 'k-boss', { origin: at.url.replace('http:', 'https:') });
    expect(secure.headers.get('set-cookie')).toContain('; Secure');
  });

  test('ends a session at sign-out, and when its key changes', async () => {
    await using at = proxy({ auth: KEYS });
    const cookie = await cookieOf(at, 'k-boss');
    const other = await cookieOf(at, 'k-boss');
    const out = await fetch(`${at.url}/page/session`, { method: 'DELETE', headers: { ...OWN, cookie } });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await get(at, '/page/providers', { cookie })).status).toBe(401);
    expect((await get(at, '/page/providers', { cookie: other })).status).toBe(200);
    at.reload({
      providers: MOCK,
      auth: { keys: [{ name: 'boss', key: 'k-new', ops: true }, KEYS.keys[2]!] },
    });
    expect((await get(at, '/page/providers', { cookie: other })).status).toBe(401);
  });
});

test('Sessions expire, and cannot be forged or changed', () => {
  let nowMs = 1_000;
  const sessions = new Sessions(new Uint8Array(32).fill(1), () => nowMs);
  const hashes = (name: string) => (name === 'boss' ? ['h1', 'h2'] : []);
  const token = sessions.begin({ name: 'boss', hash: 'h2' });
  expect(sessions.look(token, hashes)).toMatchObject({ key: 'boss', hash: 'h2' });
  expect(sessions.look(token, () => ['h1'])).toBeUndefined();
  const [text, seal] = token.split('.');
  const forged = Buffer.from(text!, 'base64url').toString().replace('boss', 'bass');
  for (const wrong of [
    '',
    'a',
    'a.b',
    `${text}.`,
    `${text}.${seal}.${seal}`,
    `${Buffer.from(forged).toString('base64url')}.${seal}`,
  ])
    expect([wrong, sessions.look(wrong, () => ['h2'])]).toEqual([wrong, undefined]);
  const others = new Sessions(new Uint8Array(32).fill(2), () => nowMs);
  expect(others.look(token, hashes)).toBeUndefined();
  nowMs += SESSION_MS;
  expect(sessions.look(token, hashes)).toBeUndefined();
});

describe('live requests', () => {
  /** The events of a stream, one by one. */
  async function* events(answer: Response): AsyncGenerator<LiveEvent> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of answer.body!) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data) as LiveEvent;
      }
    }
  }

  async function firstRecord(stream: AsyncGenerator<LiveEvent>) {
    for await (const { records } of stream) if (records[0]) return records[0];
    throw new Error('The stream has ended');
  }

  test('are sent as they end, filtered, and without their content', async () => {
    await using provided = upstream(() => completion('secret words'));
    await using at = running({ providers: [provider('a', provided.url)] });
    const all = events(await get(at, '/page/live'));
    const some = events(await get(at, '/page/live?filter=model:mini'));
    await all.next();
    await some.next();
    await (await at.post('/v1/chat/completions', CHAT)).text();
    await (await at.post('/v1/chat/completions', { ...CHAT, model: 'gpt-4o-mini' })).text();
    const first = await firstRecord(all);
    expect(first).toMatchObject({ model: 'gpt-4o', provider: 'a', outcome: 'success', status: 200 });
    expect(JSON.stringify(first)).not.toContain('secret');
    expect(await firstRecord(some)).toMatchObject({ model: 'gpt-4o-mini' });
    at.reload({ providers: [provider('a', provided.url)] });
    expect(await Promise.all([all, some].map((stream) => Array.fromAsync(stream)))).toBeArray();
  });

  test('are shown while they run if they are slow', async () => {
    const held = Promise.withResolvers<void>();
    await using provided = upstream(async () => {
      await held.promise;
      return completion('late');
    });
    await using at = running({ providers: [provider('a', provided.url)] });
    const answer = at.post('/v1/chat/completions', CHAT);
    for await (const { running: rows = [] } of events(await get(at, '/page/live'))) {
      if (rows.length === 0) continue;
      expect(rows).toMatchObject([{ model: 'gpt-4o', endpoint: 'chat', key: null, first_content_ms: null }]);
      expect(rows[0]!.ms).toBeGreaterThanOrEqual(1_000);
      break;
    }
    held.resolve();
    expect((await answer).status).toBe(200);
  });

  test('are skipped by RecordWatch, oldest first, for slow readers, and not kept without readers', () => {
    const watch = new RecordWatch({
      clock: systemClock,
      inFlight: () => 0,
      running: () => [],
      fleet: undefined,
    });
    const record = (id: string) => ({ id }) as LogRecord;
    watch.take(record('before'));
    const slow = watch.begin(() => true);
    for (let index = 0; index < 1_500; index++) watch.take(record(String(index)));
    const { records, skipped } = slow.empty();
    expect([records.length, records[0]!.id, skipped]).toEqual([1_000, '500', 500]);
    slow.end();
    expect(watch.watchers).toBe(0);
    const many = Array.from({ length: 32 }, () => watch.begin(() => true));
    expect(() => watch.begin(() => true)).toThrow('too many');
    for (const each of many) each.end();
  });
});
