/**
 * Clients that read large streams slowly or not at all: the compiled binary buffers no more than
 * limits.max_unread for all of them together.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import { residentBytes } from '../helpers/memory.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion } from '../helpers/upstream.ts';

const MIB = 1024 ** 2;
const EVENT = new TextEncoder().encode(chatStream(['x'.repeat(30_000)], ''));
/** The length of an unstreamed answer, in characters. */
const WHOLE = 16 * MIB;
let letGo = 0;

/** A provider of endless streams, sent as fast as they are read. */
const endless = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(request) {
    if (!(await request.text()).includes('"stream":true')) return completion('x'.repeat(WHOLE));
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(EVENT),
        cancel: () => void (letGo += 1),
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    );
  },
});
const sockets: Socket[] = [];

beforeAll(built, 60_000);
// Clients that read as fast as they can would take the processor from the next test.
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  cleared();
});
afterAll(() => endless.stop(true));

function served(maxUnread: string): Promise<Serving> {
  return serveConfig({
    limits: { max_unread: maxUnread, max_response: '64GiB' },
    logging: { requests: { flush_interval: '10ms', max_content: '1KiB' } },
    providers: [
      { name: 'a', type: 'openai-compatible', base_url: `http://127.0.0.1:${endless.port}`, models: ['*'] },
    ],
  });
}

/** A client that reads this many bytes every 50 ms, or as fast as it can. */
function reader(
  serving: Serving,
  bytesAtATime: number,
  stream = true,
): { readonly socket: Socket; readonly read: () => number } {
  const { hostname, port } = new URL(serving.url);
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'hi' }] });
  const socket = connect({ host: hostname, port: Number(port), highWaterMark: 1_024 } as never);
  sockets.push(socket);
  socket.on('error', () => socket.destroy());
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let read = 0;
  if (bytesAtATime === Infinity) socket.on('data', ({ length }) => void (read += length));
  else socket.pause();
  if (bytesAtATime > 0 && bytesAtATime < Infinity) {
    const reading = setInterval(
      () => void (read += (socket.read(bytesAtATime) as Buffer | null)?.length ?? 0),
      50,
    );
    socket.once('close', () => clearInterval(reading));
  }
  return { socket, read: () => read };
}

function records({ cwd }: Serving): { outcome: string; fault: string; error: string; ms: number }[] {
  const directory = join(cwd, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function unreadBytes(serving: Serving): Promise<number> {
  const text = await (await fetch(`${serving.url}/metrics`)).text();
  return Number(/^llmproxy_unread_bytes (\d+)$/m.exec(text)![1]);
}

test('only as many clients that read nothing are kept as fit into limits.max_unread', async () => {
  letGo = 0;
  const serving = await served('32MiB');
  const before = residentBytes(serving);
  const fast = reader(serving, Infinity);
  for (let at = 0; at < 40; at += 1) reader(serving, 0);
  await until('32 records', () => records(serving).length, { is: 32 });
  expect(new Set(records(serving).map(({ outcome, fault }) => `${outcome} ${fault}`))).toEqual(
    new Set(['client_abort client_stall']),
  );
  expect(records(serving)[0]!.error).toContain('limits.max_unread');
  await until('the provider’s requests to be cancelled', () => letGo, { is: 32 });
  expect(await unreadBytes(serving)).toBeLessThanOrEqual(36 * MIB);
  // Clients that read are not affected.
  const had = fast.read();
  await until('more for the fast one', () => fast.read() > had + 20 * MIB);
  expect(records(serving)).toHaveLength(32);
  expect(residentBytes(serving) - before).toBeLessThan(512 * MIB);
}, 60_000);

test('clients that read little are disconnected before those that read more', async () => {
  const serving = await served('8MiB');
  const faster = [reader(serving, MIB / 8), reader(serving, MIB / 8)];
  const slower = Array.from({ length: 6 }, () => reader(serving, 512));
  await until('6 records', () => records(serving).length, { is: 6 });
  const had = faster.map(({ read }) => read());
  await until('more for both', () => faster.every(({ read }, at) => read() > had[at]! + MIB));
  expect(records(serving)).toHaveLength(6);
  expect(slower.every(({ read }) => read() < faster[0]!.read())).toBe(true);
}, 60_000);

test('no client is disconnected while all fit', async () => {
  const serving = await served('64MiB');
  const clients = Array.from({ length: 8 }, () => reader(serving, 0));
  await until('all buffers to be full', () => unreadBytes(serving), { is: 32 * MIB });
  await Bun.sleep(1_500);
  expect(records(serving)).toEqual([]);
  expect(clients.every(({ socket }) => !socket.destroyed)).toBe(true);
}, 60_000);

test('unstreamed answers count too: a client that reads gets all of one, and the others are disconnected', async () => {
  const serving = await served('100MiB');
  const before = residentBytes(serving);
  for (let at = 0; at < 20; at += 1) reader(serving, at < 10 ? 0 : 64, false);
  const ask = async () => {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${serving.url}/v1/chat/completions`, { method: 'POST', headers, body });
    return ((await answer.json()) as { choices: { message: { content: string } }[] }).choices[0]!.message;
  };
  expect((await ask()).content.length).toBe(WHOLE);
  await until('20 answers', () => records(serving).length, { is: 21 });
  await until('most of the buffers to be freed', async () => (await unreadBytes(serving)) <= 100 * MIB);
  expect(await unreadBytes(serving)).toBeGreaterThan(50 * MIB);
  expect((await ask()).content).toBe('x'.repeat(WHOLE));
  expect(residentBytes(serving) - before).toBeLessThan(1_500 * MIB);
}, 60_000);
