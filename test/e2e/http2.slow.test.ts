/** HTTP/2 as the compiled binary serves it, to well-behaved clients and to others. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, serve, serveConfig } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import {
  CONTINUATION,
  DATA,
  END_STREAM,
  frame,
  FrameClient,
  GOAWAY,
  headerBlock,
  HEADERS,
  PING,
  request,
  reset,
  SETTINGS,
  WINDOW_UPDATE,
} from '../helpers/http2-frames.ts';
import { residentBytes } from '../helpers/memory.ts';
import { until } from '../helpers/until.ts';
import { chatStream } from '../helpers/upstream.ts';

const MIB = 1024 ** 2;
const PATH = '/v1/chat/completions';
const BODY = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] });
const QUIET = { logging: { requests: { enabled: false } } } as const;
/** The maximum number of streams of a connection. */
const MOST_STREAMS = 256;

/** A provider whose streams take one and a half seconds. */
const SLOW = {
  name: 'slow',
  type: 'mock',
  models: ['*'],
  mock: { tokens_per_second: 10 },
} as const satisfies ConfigInput['providers'][number];

const EVENT = new TextEncoder().encode(chatStream(['x'.repeat(30_000)], ''));
const TICK = new TextEncoder().encode(chatStream(['tick'], ''));

/** Endless streams: as fast as they are read, or a few words per second if the request contains "tick". */
const endless = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(asked) {
    const ticks = (await asked.text()).includes('tick');
    const body = new ReadableStream({
      async pull(controller) {
        if (ticks) await Bun.sleep(100);
        controller.enqueue(ticks ? TICK : EVENT);
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  },
});

beforeAll(built, 60_000);
afterAll(async () => {
  cleared();
  await endless.stop(true);
});

const inFlight = async ({ url }: Serving): Promise<number> => {
  const answer = await fetch(`${url}/health`);
  return ((await answer.json()) as { in_flight: number }).in_flight;
};

/** A connection that is ready for requests. */
async function connected(url: string, ca?: string): Promise<ClientHttp2Session> {
  const session = connect(url, ca === undefined ? {} : { ca });
  session.on('error', () => session.destroy());
  const { promise, resolve } = Promise.withResolvers<void>();
  // Before the client knows the server's settings, it may open too many streams.
  session.once('remoteSettings', () => resolve());
  await promise;
  return session;
}

/** The complete text of a stream, including how it ended. */
function ask(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/json',
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
  stream.on('error', () => stream.destroy());
  stream.on('close', () => resolve(text));
  stream.end(BODY);
  return promise;
}

/**
 * Sends another client's requests in the meantime.
 * @returns how many were answered
 * @throws the error of fetch if one was not
 */
async function neighbour({ url }: Serving, ended: AbortSignal): Promise<number> {
  let answered = 0;
  while (!ended.aborted) {
    const answer = await fetch(`${url}/health/live`);
    await answer.text();
    answered += 1;
    await Bun.sleep(5);
  }
  return answered;
}

describe('server.http2', () => {
  test('is off by default', async () => {
    const server = await serveConfig({ ...QUIET, providers: [SLOW] });
    using client = new FrameClient(server.url);
    await until('the end of the connection', () => client.closed);
    expect(client.seen(SETTINGS)).toEqual([]);
  }, 60_000);

  test('holds 1,000 streams at once, and finishes them when it is stopped', async () => {
    const server = await serveConfig({ ...QUIET, server: { http2: true }, providers: [SLOW] });
    const sessions = await Promise.all(Array.from({ length: 5 }, () => connected(server.url)));
    const answers = Array.from({ length: 1_000 }, (_, index) => ask(sessions[index % 5]!));
    await until('1,000 requests', () => inFlight(server), { is: 1_000 });
    const away: number[] = [];
    for (const session of sessions) session.on('goaway', (code) => away.push(code));
    server.process.kill();
    const texts = await Promise.all(answers);
    expect(texts.filter((text) => !text.endsWith('data: [DONE]\n\n'))).toEqual([]);
    expect(away).toEqual([0, 0, 0, 0, 0]);
    expect(await server.process.exited).toBe(0);
  }, 60_000);

  test.skipIf(!canMake)(
    'speaks it by ALPN, and HTTP/1.1 with who does not',
    async () => {
      const ca = new Authority();
      const { cert, key } = ca.issue('/CN=server', SERVER_NAMES);
      const cwd = folder();
      writeFileSync(join(cwd, 'cert.pem'), cert);
      writeFileSync(join(cwd, 'key.pem'), key);
      const tls = { cert: 'cert.pem', key: 'key.pem' };
      const config = { ...QUIET, server: { http2: true, tls }, providers: [SLOW] };
      writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
      const server = await serve(cwd);
      const url = server.url.replace('127.0.0.1', 'localhost');
      const init = { method: 'POST', body: BODY, tls: { ca: ca.cert } };
      expect(await (await fetch(`${url}${PATH}`, init)).text()).toEndWith('data: [DONE]\n\n');
      const sessions = await Promise.all(Array.from({ length: 5 }, () => connected(url, ca.cert)));
      const texts = await Promise.all(Array.from({ length: 1_000 }, (_, index) => ask(sessions[index % 5]!)));
      expect(texts.filter((text) => !text.endsWith('data: [DONE]\n\n'))).toEqual([]);
      for (const session of sessions) session.close();
      ca.remove();
    },
    60_000,
  );

  test.skipIf(Bun.which('curl') === null)(
    'answers curl, errors before the body is read too',
    async () => {
      const auth = { keys: [{ name: 'a', key: 'a-secret-key' }] };
      const server = await serveConfig({ ...QUIET, auth, server: { http2: true }, providers: [SLOW] });
      const curl = async (...args: string[]) => {
        const given = [
          '-sS',
          '--http2-prior-knowledge',
          '-w',
          '%{http_code} %{http_version}',
          '-o',
          '/dev/null',
        ];
        const child = Bun.spawn(['curl', ...given, '-d', BODY, ...args, server.url + PATH], {
          stdout: 'pipe',
          stderr: 'pipe',
        });
        return (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
      };
      for (let time = 0; time < 20; time += 1) expect(await curl()).toBe('401 2');
      expect(await curl('-H', 'x-api-key: a-secret-key')).toBe('200 2');
    },
    60_000,
  );

  test('resetting a stream cancels its request, and others on the connection continue', async () => {
    const server = await serveConfig({ ...QUIET, server: { http2: true }, providers: [SLOW] });
    using client = new FrameClient(server.url);
    const streams = Array.from({ length: 100 }, (_, index) => 1 + 2 * index);
    await client.send(...streams.map((stream) => request(stream, PATH, BODY)));
    await until('100 requests', () => inFlight(server), { is: 100 });
    await client.send(...streams.slice(1).map(reset));
    await until('one request', () => inFlight(server), { is: 1 });
    await until('its end', () => client.seen(DATA, 1).some(({ flags }) => flags & END_STREAM));
  }, 60_000);

  /**
   * The frames that one connection sends repeatedly.
   * @param stream an odd number that no stream has used yet
   */
  const floods: readonly (readonly [string, (stream: number) => readonly Buffer[]])[] = [
    ['requests that are reset at once', (stream) => [request(stream, '/health/live'), reset(stream)]],
    ['questions to models that are reset at once', (stream) => [request(stream, PATH, BODY), reset(stream)]],
    ['pings', () => [frame(PING, 0, 0, Buffer.alloc(8))]],
    ['settings', () => [frame(SETTINGS, 0, 0)]],
    ['headers without end', () => [frame(CONTINUATION, 0, 1, headerBlock({ 'x-a': 'b'.repeat(1_000) }))]],
    ['empty pieces of a body', () => [frame(DATA, 0, 1)]],
    ['windows', () => [frame(WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 0, 1]))]],
  ];

  test.each(floods)(
    'a flood of %s takes no memory, and others are answered meanwhile',
    async (what, made) => {
      const server = await serveConfig({ ...QUIET, server: { http2: true }, providers: [SLOW] });
      const before = residentBytes(server);
      const ending = new AbortController();
      const others = neighbour(server, ending.signal);
      using client = new FrameClient(server.url);
      const opens = headerBlock({ ':method': 'POST', ':path': PATH, ':scheme': 'http', ':authority': 'a' });
      if (what.includes('headers')) await client.send(frame(HEADERS, 0, 1, opens));
      if (what.includes('body')) await client.send(frame(HEADERS, 4, 1, opens));
      let stream = 1;
      let most = 0;
      for (const untilMs = performance.now() + 1_500; performance.now() < untilMs && !client.closed;) {
        const frames = Array.from({ length: 100 }, () => made((stream += 2))).flat();
        await client.send(...frames);
        most = Math.max(most, residentBytes(server));
        await Bun.sleep(0);
      }
      ending.abort();
      expect(await others).toBeGreaterThan(0);
      expect(most - before).toBeLessThan(100 * MIB);
      await until('no request', async () => {
        if (what.includes('body')) client[Symbol.dispose]();
        return (await inFlight(server)) === 0;
      });
    },
    60_000,
  );

  test('a client that resets too many streams is disconnected', async () => {
    const server = await serveConfig({ ...QUIET, server: { http2: true }, providers: [SLOW] });
    using client = new FrameClient(server.url);
    for (let first = 1; !client.closed && first < 200_000; first += 100) {
      const some = Array.from({ length: 50 }, (_, index) => first + 2 * index);
      await client.send(...some.flatMap((each) => [request(each, '/health/live'), reset(each)]));
      await Bun.sleep(1);
    }
    expect(client.closed).toBeTrue();
    // The connection is closed while the client still sends, so the system may discard the last frame.
    for (const { payload } of client.seen(GOAWAY)) expect(payload.readUInt32BE(4)).toBe(11);
    using next = new FrameClient(server.url);
    await next.send(request(1, '/health/live'));
    await until('an answer on another connection', () => next.seen(HEADERS, 1).length, { is: 1 });
  }, 60_000);

  test('clients that read nothing neither block their connection nor use memory without bound', async () => {
    const base_url = `http://127.0.0.1:${endless.port}/v1`;
    const server = await serveConfig({
      ...QUIET,
      server: { http2: true },
      limits: { client_stall: '2s', max_unread: '64MiB', max_response: '64GiB' },
      providers: [{ name: 'a', type: 'openai-compatible', base_url, models: ['*'] }],
    });
    const before = residentBytes(server);
    using client = new FrameClient(server.url);
    // Opens the connection's window; each stream still has its own window of 64 KiB, which the client never
    // opens.
    await client.send(frame(WINDOW_UPDATE, 0, 0, Buffer.from([0x3f, 0xff, 0, 0])));
    const ticking = 1;
    await client.send(request(ticking, PATH, BODY.replace('hello', 'tick')));
    const streams = Array.from({ length: 60 }, (_, index) => 3 + 2 * index);
    await client.send(...streams.map((stream) => request(stream, PATH, BODY)));
    let most = 0;
    await until('61 requests', () => inFlight(server), { atLeast: 17 });
    await until('that those which read nothing are cut', async () => {
      most = Math.max(most, residentBytes(server));
      return (await inFlight(server)) === 1;
    });
    // 16 streams of 4 MiB fit, and the data already handed to the connection is kept until it ends.
    expect(most - before).toBeLessThan(400 * MIB);
    const heard = client.seen(DATA, ticking).length;
    await until('more of the stream that is read', () => client.seen(DATA, ticking).length > heard + 5);
    await client.send(request(301, '/health/live'));
    await until('an answer on the same connection', () => client.seen(HEADERS, 301).length, { is: 1 });
    client[Symbol.dispose]();
    await until('no request', () => inFlight(server), { is: 0 });
  }, 60_000);

  test('no connection has more streams than the server allows', async () => {
    const server = await serveConfig({ ...QUIET, server: { http2: true }, providers: [SLOW] });
    using client = new FrameClient(server.url);
    await until('the settings', () => client.seen(SETTINGS).length, { atLeast: 1 });
    const { payload } = client.seen(SETTINGS)[0]!;
    const settings = new Map<number, number>();
    for (let at = 0; at < payload.length; at += 6)
      settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    expect(settings.get(3)).toBe(MOST_STREAMS);
  }, 60_000);
});
