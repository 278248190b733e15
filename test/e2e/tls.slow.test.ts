/** HTTPS as the compiled binary serves it, with certificates made by this machine's openssl. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from '../helpers/binary.ts';
import type { Pair } from '../helpers/certificates.ts';
import { built, cleared, folder, run, serve } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import { until } from '../helpers/until.ts';
import { chatStream } from '../helpers/upstream.ts';

const BODY = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hello' }] });
const STREAMED = BODY.replace('{', '{"stream":true,');
const MOCK = { name: 'mock', type: 'mock' } as const;
const TLS = { cert: 'cert.pem', key: 'key.pem' };

type Tls = NonNullable<NonNullable<ConfigInput['server']>['tls']>;

describe.skipIf(!canMake)('server.tls', () => {
  let ca: Authority;
  let first: Pair;
  let second: Pair;
  let ci: Pair;
  let rogue: Pair;

  beforeAll(() => {
    built();
    ca = new Authority();
    first = ca.issue('/CN=first', SERVER_NAMES);
    second = ca.issue('/CN=second', SERVER_NAMES);
    ci = ca.issue('/CN=ci/O=acme', 'DNS:ci.example.com,URI:spiffe://acme/ci');
    const other = new Authority('another');
    rogue = other.issue('/CN=ci/O=acme', 'DNS:ci.example.com');
    other.remove();
  }, 60_000);
  afterAll(() => {
    cleared();
    ca.remove();
  });

  const write = (cwd: string, { cert, key }: Pair): void => {
    writeFileSync(join(cwd, 'key.pem'), key);
    writeFileSync(join(cwd, 'cert.pem'), cert);
  };

  const prepared = (config: Partial<ConfigInput>, tls: Tls = TLS): string => {
    const cwd = folder();
    write(cwd, first);
    writeFileSync(join(cwd, 'ca.pem'), ca.cert);
    const whole = { providers: [MOCK], ...config, server: { ...config.server, tls } };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(whole, null, 2));
    return cwd;
  };

  const ask = (
    { url }: Serving,
    pair?: Pair,
    headers: Record<string, string> = {},
    init: BunFetchRequestInit = {},
  ): Promise<Response> =>
    fetch(`${url.replace('127.0.0.1', 'localhost')}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: BODY,
      tls: { ca: ca.cert, ...pair },
      ...init,
    });

  /** The name in the certificate that new connections receive. */
  const presented = ({ url }: Serving, pair?: Pair): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { port } = new URL(url);
    const options = { host: '127.0.0.1', port: Number(port), servername: 'localhost', ca: ca.cert };
    const socket = connect({ ...options, ...pair });
    socket.on('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
    return promise;
  };

  const inFlight = async ({ url }: Serving): Promise<number> => {
    const answer = await fetch(`${url.replace('127.0.0.1', 'localhost')}/health`, { tls: { ca: ca.cert } });
    return ((await answer.json()) as { in_flight: number }).in_flight;
  };

  const recordsOf = ({ cwd }: Serving): Promise<string> =>
    until('a record', () => {
      const name = new Date().toISOString().slice(0, 10);
      try {
        return readFileSync(join(cwd, `logs/llmproxy-${name}.ndjson`), 'utf8');
      } catch {
        return '';
      }
    });

  test('serves HTTPS, also streams, and knows the addresses of clients', async () => {
    const limits = [{ requests: 2, per: 'minute', each: 'address' }];
    const server = await serve(prepared({ rate_limits: limits as ConfigInput['rate_limits'] }));
    expect(server.url).toStartWith('https://127.0.0.1:');
    const answer = await ask(server, undefined, {}, { body: STREAMED });
    expect(await answer.text()).toEndWith('data: [DONE]\n\n');
    expect((await ask(server)).status).toBe(200);
    expect((await ask(server)).status).toBe(429);
  }, 60_000);

  test('serves HTTPS with several workers', async () => {
    const server = await serve(prepared({}), '--workers', '2');
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = await ask(server, undefined, {}, { keepalive: false });
        await answer.arrayBuffer();
        return answer.status;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 8 }, () => 200));
    const { code } = run(server.cwd, 'health', '--url', server.url, '--ca', 'ca.pem');
    expect(code).toBe(0);
  }, 60_000);

  test('a new certificate is used for new connections, and no request is lost', async () => {
    const server = await serve(prepared({ logging: { requests: { enabled: false } } }));
    const lost: unknown[] = [];
    const ending = new AbortController();
    const { signal: ended } = ending;
    let answered = 0;
    const load = async (pauseMs: () => number, init: BunFetchRequestInit): Promise<void> => {
      while (!ended.aborted) {
        try {
          const answer = await ask(server, undefined, {}, init);
          await answer.arrayBuffer();
          if (answer.status !== 200) lost.push(answer.status);
          answered += 1;
        } catch (thrown) {
          lost.push(thrown);
        }
        await Bun.sleep(pauseMs());
      }
    };
    const clients = [
      ...Array.from({ length: 4 }, () => load(() => 0, {})),
      ...Array.from({ length: 12 }, () => load(() => Math.random() * 700, {})),
      ...Array.from({ length: 4 }, () => load(() => 0, { keepalive: false })),
    ];
    for (const [pair, name] of [
      [second, 'second'],
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      write(server.cwd, pair);
      await until(`the certificate of ${name}`, async () => (await presented(server)) === name, {
        everyMs: 50,
      });
    }
    ending.abort();
    await Promise.all(clients);
    expect(lost).toEqual([]);
    expect(answered).toBeGreaterThan(100);
  }, 60_000);

  test('files that are replaced by a symlink are found, and a mismatched pair changes nothing', async () => {
    const cwd = prepared({}, { cert: 'now/cert.pem', key: 'now/key.pem' });
    for (const [name, pair] of Object.entries({ a: first, b: second, c: { ...first, key: second.key } })) {
      mkdirSync(join(cwd, name));
      write(join(cwd, name), pair);
    }
    const swap = (to: string): void => {
      symlinkSync(to, join(cwd, 'next'));
      renameSync(join(cwd, 'next'), join(cwd, 'now'));
    };
    swap('a');
    const server = await serve(cwd);
    swap('b');
    await until('the second certificate', async () => (await presented(server)) === 'second', {
      everyMs: 50,
    });
    swap('c');
    let said = '';
    const reading = (async () => {
      for await (const chunk of server.process.stderr) said += new TextDecoder().decode(chunk);
    })();
    await until('the message', () => said.includes('cannot be used'));
    expect(said).toContain('server.tls.key: the private key does not belong to now/cert.pem');
    expect(await presented(server)).toBe('second');
    expect((await ask(server)).status).toBe(200);
    server.process.kill();
    await reading;
  }, 60_000);

  const AUTH = { keys: [{ name: 'ci' }, { name: 'alice', key: 'alice-secret', ops: true }] };
  const CERTS = [{ subject: 'CN=ci, O=acme', key: 'ci' }];

  test('a client certificate is mapped to a key; others are refused', async () => {
    const tls = { ...TLS, client_ca: 'ca.pem', client_certs: CERTS };
    const server = await serve(prepared({ auth: AUTH }, tls));
    expect((await ask(server, ci)).status).toBe(200);
    // SDKs send a placeholder if they have no key.
    expect((await ask(server, ci, { authorization: 'Bearer unused' })).status).toBe(200);
    const known = ca.issue('/CN=stranger', 'DNS:stranger.example.com');
    expect((await ask(server, known)).status).toBe(401);
    expect((await ask(server, known, { 'x-api-key': 'alice-secret' })).status).toBe(200);
    expect((await ask(server, ci, { 'x-api-key': 'alice-secret' })).status).toBe(200);
    for (const pair of [undefined, rogue])
      expect(await ask(server, pair).catch(() => 'refused')).toBe('refused');
    const lines = await until('all records', async () => {
      const all = (await recordsOf(server)).trim().split('\n');
      return all.length >= 5 && all;
    });
    const keys = lines.map((line) => (JSON.parse(line) as { key: string | null }).key);
    expect(keys).toEqual(['ci', 'ci', null, 'alice', 'alice']);
  }, 60_000);

  test('rules and limits of a key apply to its certificate, also by alternative names, and follow a reload', async () => {
    const rule = (subject: string) => [{ subject, key: 'ci' }];
    const tls = {
      ...TLS,
      client_ca: 'ca.pem',
      client_auth: 'optional',
      client_certs: rule('URI:spiffe://acme/ci'),
    };
    const auth = { keys: [{ name: 'ci', endpoints: ['embeddings'] }, AUTH.keys[1]!] };
    const cwd = prepared({ auth }, tls as Tls);
    const server = await serve(cwd);
    expect((await ask(server, ci)).status).toBe(403);
    expect((await ask(server)).status).toBe(401);
    expect((await ask(server, undefined, { 'x-api-key': 'alice-secret' })).status).toBe(200);
    expect(await ask(server, rogue, { 'x-api-key': 'alice-secret' }).catch(() => 'refused')).toBe('refused');
    // Sending the internal header for certificates has no effect.
    const forged = { 'x-llmproxy-certificate': encodeURIComponent('{"subject":{},"alternative":[]}') };
    expect((await ask(server, undefined, forged)).status).toBe(401);
    const next = {
      providers: [MOCK],
      auth: AUTH,
      server: { tls: { ...tls, client_certs: rule('DNS:other') } },
    };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(next));
    await until('the new rule to apply', async () => (await ask(server, ci)).status, {
      is: 401,
      everyMs: 50,
    });
  }, 60_000);

  test('required client certificates allow an address beyond loopback without keys, TLS alone does not', async () => {
    const host = '0.0.0.0';
    const closed = run(prepared({ server: { host } }), 'serve', '--port', '0');
    expect([closed.code, closed.err]).toEqual([
      1,
      expect.stringContaining('Add auth.keys or server.tls.client_ca'),
    ]);
    const optional = { ...TLS, client_ca: 'ca.pem', client_auth: 'optional' } as const;
    expect(run(prepared({ server: { host } }, optional), 'serve', '--port', '0').code).toBe(1);
    const server = await serve(prepared({ server: { host } }, { ...TLS, client_ca: 'ca.pem' }));
    const here = { ...server, url: server.url.replace('0.0.0.0', '127.0.0.1') };
    expect((await ask(here, ci)).status).toBe(200);
    expect(await ask(here).catch(() => 'refused')).toBe('refused');
  }, 60_000);

  test('a new certificate does not admit clients that the old one refused', async () => {
    const tls = { ...TLS, client_ca: 'ca.pem', client_certs: CERTS };
    const server = await serve(prepared({ auth: AUTH }, tls));
    write(server.cwd, second);
    const name = () => presented(server, ci).catch(() => 'refused');
    await until('the second certificate', () => name(), { is: 'second', everyMs: 50 });
    for (const pair of [undefined, rogue])
      expect(await ask(server, pair).catch(() => 'refused')).toBe('refused');
    expect((await ask(server, ci)).status).toBe(200);
    // The certificate authority may change too.
    const other = new Authority('the next');
    const next = other.issue('/CN=ci/O=acme', 'DNS:ci.example.com');
    other.remove();
    writeFileSync(join(server.cwd, 'ca.pem'), other.cert);
    const status = (pair: Pair) =>
      ask(server, pair, {}, { keepalive: false }).then(
        (answer) => answer.status,
        () => 0,
      );
    await until('the next authority to be accepted', async () => (await status(next)) === 200, {
      everyMs: 50,
    });
    expect(await status(ci)).toBe(0);
  }, 60_000);

  test('clients that disconnect or read nothing are handled as without TLS', async () => {
    let letGo = 0;
    let sent = 0;
    const event = new TextEncoder().encode(chatStream(['x'.repeat(30_000)], ''));
    const upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      async fetch(request) {
        await request.text();
        const body = new ReadableStream({
          pull(controller) {
            controller.enqueue(event);
            sent += event.length;
          },
          cancel: () => void (letGo += 1),
        });
        return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
      },
    });
    const base_url = `http://127.0.0.1:${upstream.port}/v1`;
    const server = await serve(
      prepared({
        limits: { client_stall: '3s', max_response: '64GiB' },
        logging: { requests: { enabled: false } },
        providers: [{ name: 'a', type: 'openai-compatible', base_url, models: ['*'] }],
      }),
    );
    const { port } = new URL(server.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${STREAMED.length}\r\n\r\n`;
    const open = async (): Promise<TLSSocket> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const options = { host: '127.0.0.1', port: Number(port), servername: 'localhost', ca: ca.cert };
      const socket = connect({ ...options, highWaterMark: 1_024 } as ConnectionOptions, resolve);
      socket.on('error', () => socket.destroy());
      await promise;
      socket.pause();
      socket.write(head + STREAMED);
      return socket;
    };
    // All data for them is encrypted: more of them take longer on a slow machine than the test may.
    const DEAF = 8;
    const leaving = await open();
    await until('the request', () => inFlight(server), { is: 1 });
    leaving.destroy();
    await until('the provider’s request to be cancelled', () => letGo, { is: 1 });
    const deaf = await Promise.all(Array.from({ length: DEAF }, open));
    await until('that all are cut', () => letGo, { is: DEAF + 1 });
    await until('that all have ended', () => inFlight(server), { is: 0 });
    // The capacity of the system's buffers, on two connections per client; far less than a provider can send
    // in three seconds.
    expect(sent / (DEAF + 1)).toBeLessThan(64 * 1024 ** 2);
    for (const socket of deaf) socket.destroy();
    await upstream.stop(true);
  }, 60_000);

  test('requests in flight finish on a signal, and a second signal ends them', async () => {
    const mock = { tokens_per_second: 5 };
    const slow = { name: 'slow', type: 'mock' as const, models: ['*'], mock };
    const begun = async () => {
      const server = await serve(prepared({ providers: [slow] }));
      const answer = await ask(server, undefined, {}, { body: STREAMED });
      server.process.kill();
      return { server, text: answer.text() };
    };
    const one = await begun();
    expect(await one.text).toEndWith('data: [DONE]\n\n');
    expect(await one.server.process.exited).toBe(0);
    const other = await begun();
    await Bun.sleep(300);
    other.server.process.kill();
    expect(await other.text).not.toContain('[DONE]');
    expect(await other.server.process.exited).toBe(0);
  }, 60_000);

  test('llmproxy health connects by TLS, and says what is wrong with a certificate', async () => {
    const server = await serve(prepared({}, { ...TLS, client_ca: 'ca.pem' }));
    writeFileSync(join(server.cwd, 'ci.pem'), ci.cert);
    writeFileSync(join(server.cwd, 'ci.key'), ci.key);
    const shown = ['--client-cert', 'ci.pem', '--client-key', 'ci.key'];
    const health = (...args: string[]) => run(server.cwd, 'health', '--url', server.url, ...args);
    expect(health('--ca', 'ca.pem', ...shown).code).toBe(0);
    expect(health('--insecure', ...shown).code).toBe(0);
    const unknown = health(...shown);
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining('Name its authority with --ca')]);
    const far = run(server.cwd, 'health', '--url', 'https://llm.example.com', '--insecure');
    expect([far.code, far.err]).toEqual([2, expect.stringContaining('only for addresses of this machine')]);
  }, 60_000);

  test('config validate checks the files of a configuration at its path', () => {
    const cwd = prepared({});
    const validate = (tls: Tls, more: Partial<ConfigInput> = {}) => {
      const text = JSON.stringify({ providers: [MOCK], ...more, server: { tls } }, null, 1);
      writeFileSync(join(cwd, 'config.yaml'), text);
      return run(cwd, 'config', 'validate');
    };
    const expired = ca.issue('/CN=old', SERVER_NAMES, -1);
    writeFileSync(join(cwd, 'old.pem'), expired.cert);
    writeFileSync(join(cwd, 'old.key'), expired.key);
    writeFileSync(join(cwd, 'second.key'), second.key);
    writeFileSync(join(cwd, 'empty.pem'), '');
    expect(validate(TLS)).toMatchObject({ code: 0, err: '' });
    const wrong: [Tls, string][] = [
      [{ ...TLS, cert: 'missing.pem' }, `cert": "missing.pem"`],
      [{ ...TLS, cert: 'empty.pem' }, 'the file contains no certificate'],
      [{ ...TLS, key: 'second.key' }, 'the private key does not belong to cert.pem'],
      [{ ...TLS, key: 'cert.pem' }, 'the file contains no private key'],
      [{ ...TLS, client_ca: 'empty.pem' }, 'the file contains no certificate'],
      [{ ...TLS, client_certs: CERTS }, '`client_certs` needs `client_ca`'],
      [{ ...TLS, client_ca: 'ca.pem', client_certs: CERTS }, '`client_certs` needs `auth.keys`'],
      [
        { ...TLS, client_ca: 'ca.pem', client_certs: [{ subject: 'ci', key: 'ci' }] },
        'expected attributes such as',
      ],
    ];
    for (const [tls, message] of wrong) {
      const { code, err } = validate(tls);
      expect([code, err]).toEqual([1, expect.stringContaining(message)]);
      expect(err).toMatch(/config\.yaml:\d+:\d+ error: /);
    }
    const named = validate(
      { ...TLS, client_ca: 'ca.pem', client_certs: [{ subject: 'CN=ci', key: 'c1' }] },
      { auth: AUTH },
    );
    expect(named.err).toContain('there is no key named `c1` in `auth`');
    expect(named.err).toContain('did you mean `ci`?');
    const late = validate({ cert: 'old.pem', key: 'old.key' });
    expect([late.code, late.err]).toEqual([0, expect.stringMatching(/warning: the certificate expired on/)]);
  }, 60_000);
});
