/** The compiled binary calls providers over HTTP/2 (their `http2` setting), with real TLS. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Http2SecureServer, ServerHttp2Stream } from 'node:http2';
import { createSecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Pair } from '../helpers/certificates.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, run, serveConfig } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import { until } from '../helpers/until.ts';
import { chatStream } from '../helpers/upstream.ts';

const REPLY = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
});

type Http2 = NonNullable<ConfigInput['providers'][number]['http2']>;

describe.skipIf(!canMake)('http2 of a provider', () => {
  let ca: Authority;
  let pair: Pair;
  const closing: (() => unknown)[] = [];

  beforeAll(() => {
    built();
    ca = new Authority();
    pair = ca.issue('/CN=provider', SERVER_NAMES);
  }, 60_000);
  afterAll(() => {
    cleared();
    for (const close of closing) close();
    ca.remove();
  });

  /** A provider that only speaks HTTP/1.1, and counts its requests. */
  const oldProvider = (): { url: string; asked: () => number } => {
    let asked = 0;
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: pair,
      async fetch(request) {
        asked += 1;
        await request.text();
        return new Response(REPLY, { headers: { 'content-type': 'application/json' } });
      },
    });
    closing.push(() => server.stop(true));
    return { url: `https://localhost:${server.port}/v1`, asked: () => asked };
  };

  /**
   * A provider that speaks both versions.
   * @param answer the answer over HTTP/2, from the body of the request
   */
  const newProvider = async (
    answer: (stream: ServerHttp2Stream, body: string) => void,
  ): Promise<{ url: string; sockets: Set<Socket>; server: Http2SecureServer }> => {
    const server = createSecureServer({ ...pair, allowHTTP1: true });
    const sockets = new Set<Socket>();
    server.on('secureConnection', (socket: Socket) => sockets.add(socket));
    server.on('stream', (stream: ServerHttp2Stream) => {
      let body = '';
      stream.on('error', () => stream.destroy());
      stream.on('data', (bytes: Buffer) => (body += bytes.toString()));
      stream.on('end', () => answer(stream, body));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    closing.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = server.address() as { port: number };
    return { url: `https://localhost:${port}/v1`, sockets, server };
  };

  const reply = (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(REPLY);
  };

  const proxy = async (base_url: string, http2: Http2, more: Partial<ConfigInput> = {}): Promise<Serving> => {
    const authority = join(folder(), 'ca.pem');
    writeFileSync(authority, ca.cert);
    const provider = { name: 'a', type: 'openai-compatible', base_url, models: ['*'], http2, max_retries: 0 };
    const config = { logging: { requests: { enabled: false } }, providers: [provider], ...more };
    return await serveConfig(config as ConfigInput, { NODE_EXTRA_CA_CERTS: authority });
  };

  const ask = ({ url }: Serving, more: object = {}): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }], ...more }),
    });

  const providerOf = async ({ url }: Serving) => {
    const page = (await (await fetch(`${url}/providers`)).json()) as {
      providers: { state: string; success_rate: number | null; calls: number; last_error: unknown }[];
    };
    return page.providers[0]!;
  };

  test('auto: many requests share few connections', async () => {
    const versions = new Set<string>();
    const { url, sockets } = await newProvider((stream, body) => {
      versions.add(stream.session!.alpnProtocol!);
      expect(JSON.parse(body)).toMatchObject({ model: 'm' });
      setTimeout(() => reply(stream), 50);
    });
    const server = await proxy(url, 'auto');
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await ask(server)).status));
    expect(statuses).toEqual(Array.from({ length: 60 }, () => 200));
    expect([...versions]).toEqual(['h2']);
    expect(sockets.size).toBeLessThan(10);
  }, 60_000);

  test('auto: falls back silently to HTTP/1.1 if the provider supports nothing else', async () => {
    const old = oldProvider();
    const server = await proxy(old.url, 'auto');
    for (let time = 1; time <= 5; time += 1) {
      const answer = await ask(server);
      expect([answer.status, answer.headers.get('x-llmproxy-attempts')]).toEqual([200, '1']);
    }
    expect(old.asked()).toBe(5);
    expect(await providerOf(server)).toMatchObject({
      state: 'healthy',
      success_rate: 1,
      calls: 5,
      last_error: null,
    });
  }, 60_000);

  test('on: fails if the provider does not support it, and says why', async () => {
    const old = oldProvider();
    const server = await proxy(old.url, 'on');
    const answer = await ask(server);
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('it does not speak HTTP/2');
    expect(old.asked()).toBe(0);
  }, 60_000);

  test('on: needs TLS', () => {
    const cwd = folder();
    const provider = { name: 'a', type: 'vllm', base_url: 'http://localhost:1', models: ['*'], http2: 'on' };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers: [provider] }));
    const { code, err } = run(cwd, 'config', 'validate');
    expect([code, err]).toEqual([1, expect.stringContaining('HTTP/2 requires TLS')]);
  });

  test('a client that disconnects resets only its own stream', async () => {
    const { promise: reset, resolve } = Promise.withResolvers<number>();
    const { url, sockets } = await newProvider((stream, body) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write(chatStream(['hello'], ''));
      if (body.includes('leaves')) stream.on('close', () => resolve(stream.rstCode));
      else setTimeout(() => stream.end(chatStream(['again'])), 500);
    });
    const server = await proxy(url, 'on');
    const stays = ask(server, { stream: true });
    const abort = new AbortController();
    const leaves = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'leaves' }] }),
      signal: abort.signal,
    });
    expect(leaves.status).toBe(200);
    abort.abort();
    expect(await reset).toBe(8);
    expect(await (await stays).text()).toEndWith('data: [DONE]\n\n');
    expect(sockets.size).toBe(1);
  }, 60_000);

  test('clients that read nothing do not delay others on the same upstream connection', async () => {
    const { url, sockets } = await newProvider((stream, body) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      if (!body.includes('endless')) return void stream.end(chatStream(['x'.repeat(100_000)]));
      const event = chatStream(['x'.repeat(30_000)], '');
      const more = (): void => {
        while (!stream.destroyed && stream.write(event));
      };
      stream.on('drain', more);
      more();
    });
    const server = await proxy(url, 'on', { limits: { max_response: '64GiB' } });
    const stuck = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${server.url}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify({
            model: 'm',
            stream: true,
            messages: [{ role: 'user', content: 'endless' }],
          }),
        }),
      ),
    );
    expect(stuck.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    for (let time = 0; time < 20; time += 1)
      expect(await (await ask(server, { stream: true })).text()).toEndWith('data: [DONE]\n\n');
    expect(sockets.size).toBe(1);
    for (const { body } of stuck) await body!.cancel();
  }, 60_000);

  test('a provider that sends GOAWAY after or during an answer gets the next request on another connection', async () => {
    let asked = 0;
    const { url, sockets } = await newProvider((stream) => {
      asked += 1;
      const { session } = stream;
      reply(stream);
      if (asked % 2 === 1) session!.close();
    });
    const server = await proxy(url, 'on');
    for (let time = 0; time < 6; time += 1) {
      expect((await ask(server)).status).toBe(200);
      await until('the connection', () => [...sockets].length, { atLeast: 1 });
    }
    expect(asked).toBe(6);
    expect(sockets.size).toBeGreaterThan(1);
  }, 60_000);

  test('a stream that the provider breaks off never looks complete', async () => {
    const { url } = await newProvider((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write(chatStream(['hello'], ''));
      setTimeout(() => stream.close(2), 50);
    });
    const server = await proxy(url, 'on');
    const text = await (await ask(server, { stream: true })).text();
    expect(text).toContain('hello');
    expect(text).toContain('"error"');
    expect(text).not.toContain('[DONE]');
  }, 60_000);
});
