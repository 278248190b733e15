/** Realtime sessions and pass-through connections, as the compiled binary serves them to real clients. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { SessionUpstream } from '../helpers/realtime.ts';
import { built, cleared, folder, serveConfig } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';
import { recordsIn } from '../helpers/logged.ts';
import { call, OPENAI, responseDone, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const PATH = '/v1/realtime?model=gpt-realtime';

const configFor = (url: string): ConfigInput => ({
  providers: [
    { name: 'one', type: 'openai-compatible', base_url: `${url}/v1`, models: ['gpt-*'], passthrough: true },
  ],
  logging: { level: 'warn', requests: { flush_interval: '20ms' } },
});

const inFlight = async (url: string): Promise<number> =>
  ((await (await fetch(`${url}/health`)).json()) as { in_flight: number }).in_flight;

test('a thousand concurrent sessions are each served, recorded and released', async () => {
  await using one = sessionUpstream(OPENAI);
  const { url, cwd, process } = await serveConfig(configFor(one.url));
  const callers = await Promise.all(Array.from({ length: 1_000 }, () => call(url + PATH)));
  // The request for this page itself is not counted.
  expect(await inFlight(url)).toBe(1_000);
  const sound = 'A'.repeat(8_000);
  for (const caller of callers) {
    for (let piece = 0; piece < 3; piece += 1)
      caller.send({ type: 'input_audio_buffer.append', audio: sound });
    caller.send({ type: 'response.create' });
  }
  await Promise.all(callers.map((caller) => caller.heard('response.done')));
  for (const { told } of callers)
    expect(told.map(({ type }) => type)).toEqual([
      'session.created',
      'response.created',
      'response.output_audio.delta',
      'response.done',
    ]);
  for (const { socket } of callers) socket.close(1000);
  const records = await until('all records', () => {
    const found = recordsIn(cwd);
    return found.length === 1_000 && found;
  });
  expect(new Set(records.map(({ id }) => id)).size).toBe(1_000);
  expect(records.every(({ outcome, output_tokens: out }) => outcome === 'success' && out === 5)).toBe(true);
  await until('nothing in flight', () => inFlight(url), { is: 0 });
  await until('the provider’s sessions to be closed', () =>
    one.sessions.every(({ closed }) => closed?.code === 1000),
  );
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
}, 60_000);

test.concurrent('SIGTERM lets an answer finish, closes sessions with 1001, and loses no record', async () => {
  await using one = sessionUpstream({
    ...OPENAI,
    message: ({ socket }) => void socket.send('{"type":"response.created","response":{}}'),
  });
  const { url, cwd, process } = await serveConfig(configFor(one.url));
  const quiet = await call(url + PATH);
  const busy = await call(url + PATH);
  busy.send({ type: 'response.create' });
  await busy.heard('response.created');
  process.kill('SIGTERM');
  expect(await quiet.closed).toMatchObject({ code: 1001 });
  const answering = one.sessions.find(({ messages }) => messages.length > 0)!;
  answering.socket.send(responseDone('So it is'));
  expect(await busy.closed).toMatchObject({ code: 1001 });
  expect(busy.told.at(-1)!.type).toBe('response.done');
  expect(await process.exited).toBe(0);
  const records = recordsIn(cwd);
  expect(records.map(({ outcome }) => outcome)).toEqual(['success', 'success']);
  expect(records.map(({ session }) => session!.closed_by)).toEqual(['proxy', 'proxy']);
});

test.concurrent(
  'sessions that do not finish within server.drain_timeout are closed with an event that says so',
  async () => {
    await using one = sessionUpstream({
      ...OPENAI,
      message: ({ socket }) => void socket.send('{"type":"response.created","response":{}}'),
    });
    const { url, cwd, process } = await serveConfig({
      ...configFor(one.url),
      server: { drain_timeout: '300ms' },
    });
    const busy = await call(url + PATH);
    busy.send({ type: 'response.create' });
    await busy.heard('response.created');
    process.kill('SIGTERM');
    expect(await busy.closed).toMatchObject({ code: 1001 });
    expect(busy.told.at(-1)).toMatchObject({ type: 'error', error: { code: 'shutting_down' } });
    expect(await process.exited).toBe(0);
    expect(recordsIn(cwd)[0]).toMatchObject({ outcome: 'truncated', fault: 'shutting_down' });
  },
);

test.concurrent('a reload keeps sessions open, and new ones follow the new configuration', async () => {
  await using one = sessionUpstream(OPENAI);
  await using two = sessionUpstream(OPENAI);
  const { url, cwd, process } = await serveConfig(configFor(one.url));
  using before = await call(url + PATH);
  await before.heard('session.created');
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(configFor(two.url)));
  process.kill('SIGHUP');
  await until('a session at another target', async () => {
    using after = await call(url + PATH);
    await after.heard('session.created');
    return two.sessions.length > 0;
  });
  before.send({ type: 'response.create' });
  await before.heard('response.done');
});

test.concurrent('messages are passed on unchanged, also large ones', async () => {
  await using one = upstream(({ body }) => new Response(body.slice(0, body.length)));
  const { url, cwd } = await serveConfig(configFor(one.url));
  const body = new Uint8Array(20 * 1024 * 1024).map((_, at) => at % 251);
  const answer = await fetch(`${url}/providers/one/files?purpose=batch`, { method: 'POST', body });
  expect(Bun.hash(await answer.bytes())).toBe(Bun.hash(body));
  expect(one.asked[0]!.path).toBe('/v1/files?purpose=batch');
  const record = await until('its record', () => recordsIn(cwd)[0]);
  expect(record).toMatchObject({ endpoint: 'passthrough', passed: { method: 'POST', path: '/files' } });
});

describe.skipIf(!canMake)('over TLS', () => {
  let ca: Authority;
  let one: SessionUpstream;
  const native = globalThis.WebSocket;
  beforeAll(() => {
    ca = new Authority();
    one = sessionUpstream(OPENAI, ca.issue('/CN=upstream', SERVER_NAMES));
    // The SDK uses the global WebSocket, and cannot be given the test's certificate authority.
    globalThis.WebSocket = class extends native {
      constructor(url: string | URL, options?: object) {
        super(url, {
          ...(Array.isArray(options) ? { protocols: options } : options),
          tls: { ca: ca.cert },
        } as never);
      }
    } as typeof WebSocket;
  });
  afterAll(async () => {
    globalThis.WebSocket = native;
    await one[Symbol.asyncDispose]();
    ca.remove();
  });

  test.concurrent("OpenAI's SDK has a session, on both sides over TLS", async () => {
    const { cert, key } = ca.issue('/CN=proxy', SERVER_NAMES);
    const files = folder();
    const put = (name: string, text: string) => {
      writeFileSync(join(files, name), text);
      return join(files, name);
    };
    const config: ConfigInput = {
      ...configFor(one.url),
      auth: { keys: [{ name: 'me', key: 'sk-mine', endpoints: ['realtime'] }] },
      server: { tls: { cert: put('cert.pem', cert), key: put('key.pem', key) } },
    };
    const { url, cwd } = await serveConfig(config, { NODE_EXTRA_CA_CERTS: put('ca.pem', ca.cert) });
    const client = new OpenAI({ apiKey: 'sk-mine', baseURL: `${url.replace('127.0.0.1', 'localhost')}/v1` });
    const session = new OpenAIRealtimeWebSocket({ model: 'gpt-realtime' }, client);
    const { promise: done, resolve, reject } = Promise.withResolvers<unknown>();
    session.on('error', reject);
    session.on('session.created', () => session.send({ type: 'response.create' }));
    session.on('response.done', ({ response }) => resolve(response.usage));
    expect(await done).toMatchObject({ input_tokens: 10, output_tokens: 5 });
    session.close();
    const record = await until('its record', () => recordsIn(cwd)[0]);
    expect(record).toMatchObject({ key: 'me', endpoint: 'realtime', outcome: 'success' });
  });
});
