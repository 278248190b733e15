/**
 * A client that sends large bodies to the compiled binary, slowly or many at once, leaves memory for others.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import { peakBytes } from '../helpers/memory.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const MIB = 1024 ** 2;
const KEYS = {
  keys: [
    { name: 'a', key: 'key-of-a-client' },
    { name: 'b', key: 'key-of-b-client' },
  ],
};
const waiting: (() => void)[] = [];

/** Delays the answer if the model name asks for that. */
const provided = upstream(async ({ text }) => {
  if (text.includes('"model":"slow"')) await new Promise<void>((resolve) => waiting.push(resolve));
  return completion('here');
});
const sockets: Socket[] = [];

beforeAll(built, 60_000);
afterAll(async () => {
  cleared();
  for (const socket of sockets) socket.destroy();
  for (const go of waiting) go();
  await provided[Symbol.asyncDispose]();
});

function served(config: Partial<ConfigInput> = {}): Promise<Serving> {
  return serveConfig({
    limits: { max_body: '2MiB', max_buffered: '16MiB' },
    logging: { requests: { enabled: false } },
    providers: [{ name: 'p', type: 'openai-compatible', base_url: provided.url, models: ['*'] }],
    ...config,
  });
}

interface Held {
  readonly text: () => string;
  readonly status: () => number | undefined;
  readonly socket: Socket;
}

/** Announces a body, sends part of it, and then nothing. */
function hold(serving: Serving, announced: number, sent: number, key = '', localAddress?: string): Held {
  const { hostname, port } = new URL(serving.url);
  const socket = connect({ host: hostname, port: Number(port), ...(localAddress ? { localAddress } : {}) });
  sockets.push(socket);
  let text = '';
  socket.on('data', (bytes) => (text += String(bytes)));
  socket.on('error', () => socket.destroy());
  const lines = ['POST /v1/chat/completions HTTP/1.1', 'host: localhost', `content-length: ${announced}`];
  if (key !== '') lines.push(`authorization: Bearer ${key}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const begin = '{"model":"m","messages":[{"role":"user","content":"';
  if (sent > 0) socket.write(begin + 'x'.repeat(sent - begin.length));
  return { text: () => text, status: () => Number(/HTTP\/1\.1 (\d+)/.exec(text)?.[1]) || undefined, socket };
}

function ask(serving: Serving, key: string, { model = 'm', size = 10 } = {}): Promise<Response> {
  return fetch(`${serving.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x'.repeat(size) }] }),
  });
}

async function heldBytes(serving: Serving, key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const text = await (await fetch(`${serving.url}/metrics`, { headers })).text();
  return Number(/^llmproxy_buffered_bytes (\d+)$/m.exec(text)![1]);
}

const OPS = { keys: [...KEYS.keys, { name: 'ops', key: 'key-of-operator', ops: 'only' as const }] };

test('no memory is reserved for a body that is announced but not sent', async () => {
  const serving = await served({ auth: OPS });
  for (let at = 0; at < 64; at += 1) hold(serving, 2 * MIB, 0, KEYS.keys[0]!.key);
  for (const { key } of KEYS.keys) expect((await ask(serving, key, { size: 1_500_000 })).status).toBe(200);
  expect(await heldBytes(serving, 'key-of-operator')).toBe(0);
});

test('a key with many large bodies gets a 429 at its share, and other keys are served', async () => {
  const serving = await served({ auth: OPS });
  const [a, b] = [KEYS.keys[0]!.key, KEYS.keys[1]!.key];
  const held = Array.from({ length: 24 }, () => hold(serving, 2 * MIB, MIB, a));
  await until('refusals', () => held.filter(({ status }) => status() !== undefined).length, { atLeast: 8 });
  expect(new Set(held.map(({ status }) => status()))).toEqual(new Set([undefined, 429]));
  const told = held.find(({ status }) => status() === 429)!.text();
  expect(told).toContain('limits.max_buffered_share');
  expect(told).toContain('"code":"too_many_bytes"');
  expect(told).toMatch(/^retry-after: 1\r$/im);
  for (let at = 0; at < 3; at += 1) expect((await ask(serving, b, { size: 1_900_000 })).status).toBe(200);
  // Of bodies that arrive together, more are refused than would have had to be, and a few are counted when they are
  // complete.
  expect(await heldBytes(serving, 'key-of-operator')).toBeGreaterThanOrEqual(3 * MIB);
  for (const { socket } of held) socket.destroy();
  await until('its memory to be released', () => heldBytes(serving, 'key-of-operator'), { is: 0 });
  expect((await ask(serving, a, { size: 1_900_000 })).status).toBe(200);
});

test('a key whose requests wait for a slow provider cannot hold more than its share either', async () => {
  const serving = await served({ auth: OPS });
  const [a, b] = [KEYS.keys[0]!.key, KEYS.keys[1]!.key];
  const slow: Promise<Response>[] = [];
  // One after another: of bodies that arrive together, more are refused than would have had to be.
  for (let count = 1; count <= 4; count += 1) {
    slow.push(ask(serving, a, { model: 'slow', size: 1_900_000 }));
    await until(`request ${count} at the provider`, () => waiting.length, { is: count });
  }
  for (let more = 0; more < 4; more += 1) slow.push(ask(serving, a, { model: 'slow', size: 1_900_000 }));
  const refused = await ask(serving, a, { size: 1_900_000 });
  expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining('rate_limit_error')]);
  expect((await ask(serving, b, { size: 1_900_000 })).status).toBe(200);
  for (const go of waiting.splice(0)) go();
  const statuses = (await Promise.all(slow)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
  expect((await ask(serving, a, { size: 1_900_000 })).status).toBe(200);
});

test('max_buffered_share: 1 removes the share, and all clients together get a 503', async () => {
  const serving = await served({
    auth: OPS,
    limits: { max_body: '2MiB', max_buffered: '4MiB', max_buffered_share: 1 },
  });
  const held = Array.from({ length: 16 }, () => hold(serving, 2 * MIB, MIB, KEYS.keys[0]!.key));
  await until('refusals', () => held.filter(({ status }) => status() !== undefined).length, { atLeast: 4 });
  expect(new Set(held.map(({ status }) => status()))).toEqual(new Set([undefined, 503]));
});

test.skipIf(process.platform !== 'linux')('without keys each address has a share', async () => {
  const serving = await served({});
  const held = Array.from({ length: 24 }, () => hold(serving, 2 * MIB, MIB, '', '127.0.0.2'));
  await until('refusals', () => held.filter(({ status }) => status() !== undefined).length, { atLeast: 8 });
  expect(new Set(held.map(({ status }) => status()))).toEqual(new Set([undefined, 429]));
  expect((await ask(serving, '', { size: 1_900_000 })).status).toBe(200);
});

test('a body in tiny chunks uses no more memory than its bytes', async () => {
  const serving = await served({ limits: { max_body: '8MiB', max_buffered: '64MiB' } });
  await ask(serving, '');
  const before = peakBytes(serving);
  const { hostname, port } = new URL(serving.url);
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(4 * MIB) }] });
  const tiny = [...body].map((letter) => `1\r\n${letter}\r\n`).join('');
  const all = Array.from({ length: 4 }, async () => {
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    const answered = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    socket.write(`${tiny}0\r\n\r\n`);
    expect(await answered).toStartWith('HTTP/1.1 200');
  });
  await Promise.all(all);
  expect(peakBytes(serving) - before).toBeLessThan(256 * MIB);
}, 60_000);

test.each([100, 100_000, 3_000_000])(
  'a body of %d bytes that dribbles is cut by limits.body_timeout',
  async (size) => {
    const serving = await served({ limits: { body_timeout: '600ms' } });
    const { socket, text } = hold(serving, size, 60);
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const dribbling = setInterval(() => socket.write('x'), 50);
    await until('an answer', () => text().includes('request_timeout'));
    clearInterval(dribbling);
    expect(text()).toStartWith('HTTP/1.1 408');
    await ended;
  },
);
