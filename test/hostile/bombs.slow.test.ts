/**
 * Compression bombs in both directions: the compiled binary stops decompressing at the limit, and its memory
 * stays bounded.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as zlib from 'node:zlib';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import { peakBytes } from '../helpers/memory.ts';
import { chatStream, upstream } from '../helpers/upstream.ts';

const MIB = 1024 ** 2;
const LIMIT = 8 * MIB;
/** The decompressed size of the bombs. */
const SIZE = 384 * MIB;
/** Allowance for the engine's own memory; the bombs are much larger. */
const ROOM = 128 * MIB;

const BROTLI = {
  params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 },
};
const PACK: Readonly<Record<string, [coding: string, pack: () => zlib.Gzip]>> = {
  gzip: ['gzip', () => zlib.createGzip()],
  deflate: ['deflate', () => zlib.createDeflate()],
  'bare deflate': ['deflate', () => zlib.createDeflateRaw()],
  br: ['br', () => zlib.createBrotliCompress(BROTLI) as unknown as zlib.Gzip],
  zstd: ['zstd', () => zlib.createZstdCompress() as unknown as zlib.Gzip],
};
const NAMES = Object.keys(PACK);

async function bomb(name: string, head: string, filling: string): Promise<Uint8Array<ArrayBuffer>> {
  const packer = PACK[name]![1]();
  const out: Buffer[] = [];
  packer.on('data', (bytes: Buffer) => out.push(bytes));
  packer.write(head);
  const piece = Buffer.alloc(MIB, filling);
  for (let made = 0; made < SIZE; made += piece.length)
    if (!packer.write(piece)) await new Promise((resolve) => packer.once('drain', resolve));
  packer.end();
  await new Promise((resolve) => packer.once('end', resolve));
  return new Uint8Array(Buffer.concat(out));
}

const EVENT = chatStream(['x'.repeat(1_000)], '');
const KINDS = {
  /** One endless value. */
  json: ['{"model":"m","messages":[{"role":"user","content":"', 'x'],
  /** One endless event. */
  event: [`${EVENT}data: {"choices":[{"index":0,"delta":{"content":"`, 'x'],
  /** Endless events. */
  events: [EVENT, EVENT],
  /** Endless comments, before any content. */
  comments: ['', ': nothing to say yet\n\n'],
} as const;
type Kind = keyof typeof KINDS;

const bombs = new Map<string, Uint8Array<ArrayBuffer>>();

/** `model` selects the bomb and how it is sent: "kind name status type". */
const provided = upstream(({ text }) => {
  const { model } = JSON.parse(text) as { model: string };
  const [kind, name, status, type] = model.split('+') as [Kind, string, string, string];
  return new Response(bombs.get(`${kind} ${name}`), {
    status: Number(status),
    headers: { 'content-encoding': PACK[name]![0], 'content-type': type },
  });
});
let serving: Serving;

beforeAll(async () => {
  built();
  for (const kind of Object.keys(KINDS) as Kind[])
    for (const name of NAMES) bombs.set(`${kind} ${name}`, await bomb(name, KINDS[kind][0], KINDS[kind][1]));
}, 240_000);
afterAll(async () => {
  cleared();
  await provided[Symbol.asyncDispose]();
});

/** Each test has its own proxy, because its peak memory is measured. */
async function served(): Promise<void> {
  serving = await serveConfig({
    limits: { max_body: LIMIT, max_response: LIMIT },
    logging: { requests: { enabled: false } },
    providers: [
      { name: 'a', type: 'openai-compatible', base_url: provided.url, models: ['*'], max_retries: 0 },
    ],
  });
  await (await fetch(`${serving.url}/health`)).text();
}

const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(serving.url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    decompress: false,
  });

const ask = (kind: Kind, name: string, { status = 200, type = 'text/event-stream', stream = true } = {}) =>
  post(
    '/v1/chat/completions',
    JSON.stringify({
      model: [kind, name, status, type].join('+'),
      stream,
      messages: [{ role: 'user', content: 'hi' }],
    }),
  );

describe.each(NAMES)('%s', (name) => {
  test('requests that decompress beyond max_body are refused, also many at once', async () => {
    await served();
    const before = peakBytes(serving);
    const packed = bombs.get(`json ${name}`)!;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        post('/v1/chat/completions', packed, { 'content-encoding': PACK[name]![0] }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 413));
    expect(await answers[0]!.text()).toContain('limits.max_body');
    expect(peakBytes(serving) - before).toBeLessThan(12 * LIMIT + ROOM);
    expect(await (await fetch(`${serving.url}/metrics`)).text()).toContain('llmproxy_buffered_bytes 0\n');
  }, 60_000);

  test.each(['event', 'events', 'comments'] as const)(
    'a stream of %s ends at max_response',
    async (kind) => {
      await served();
      const before = peakBytes(serving);
      const text = await (await ask(kind, name)).text();
      expect(text.length).toBeLessThan(2 * LIMIT);
      expect(text).toContain('response_too_large');
      expect(text).not.toContain('[DONE]');
      expect(peakBytes(serving) - before).toBeLessThan(4 * LIMIT + ROOM);
    },
    60_000,
  );

  test('unstreamed and streamed answers end at max_response', async () => {
    await served();
    const before = peakBytes(serving);
    for (const stream of [false, true]) {
      const answer = await ask('json', name, { type: 'application/json', stream });
      expect([stream, answer.status, await answer.text()]).toEqual([
        stream,
        502,
        expect.stringContaining('response_too_large'),
      ]);
    }
    expect(peakBytes(serving) - before).toBeLessThan(4 * LIMIT + ROOM);
  }, 60_000);

  test.each([400, 429, 500])(
    'of an error %d only the beginning is read',
    async (status) => {
      await served();
      const before = peakBytes(serving);
      const answer = await ask('json', name, { status, type: 'application/json' });
      expect([status, answer.status >= 400, (await answer.text()).length < 256 * 1024]).toEqual([
        status,
        true,
        true,
      ]);
      expect(peakBytes(serving) - before).toBeLessThan(64 * MIB);
    },
    60_000,
  );

  test('an answer that is passed on unread is decompressed up to max_response for a client that cannot', async () => {
    await served();
    const before = peakBytes(serving);
    const model = ['json', name, 200, 'audio/mpeg'].join('+');
    const body = JSON.stringify({ model, input: 'hi', voice: 'alloy' });
    const plain = await post('/v1/audio/speech', body, { 'accept-encoding': 'identity' });
    expect([plain.status, plain.headers.get('content-encoding')]).toEqual([200, null]);
    const read = await plain.bytes().then(
      ({ length }) => length,
      () => 0,
    );
    expect(read).toBeLessThanOrEqual(LIMIT);
    const asIs = await post('/v1/audio/speech', body, { 'accept-encoding': PACK[name]![0] });
    expect(new Uint8Array(await asIs.arrayBuffer())).toEqual(bombs.get(`json ${name}`)!);
    expect(peakBytes(serving) - before).toBeLessThan(4 * LIMIT + ROOM);
  }, 60_000);
});

test.each(['gzip, gzip', 'gzip,br', 'identity, zstd', 'compress'])(
  'the codings %s are a 415',
  async (codings) => {
    await served();
    const answer = await post('/v1/chat/completions', '{}', { 'content-encoding': codings });
    expect([answer.status, await answer.text()]).toEqual([
      415,
      expect.stringContaining('unsupported_encoding'),
    ]);
  },
);

test('a small body in any encoding is served while bombs are refused', async () => {
  await served();
  bombs.set('small gzip', new Uint8Array(zlib.gzipSync(chatStream(['fine']))));
  const packed = bombs.get('json br')!;
  const flood = Array.from({ length: 20 }, () =>
    post('/v1/chat/completions', packed, { 'content-encoding': 'br' }),
  );
  const small = await ask('small' as Kind, 'gzip');
  expect(await small.text()).toContain('fine');
  expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([413]));
}, 60_000);
