/** Requests with unusual framing: the compiled binary bounds them, answers them, and counts each once. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import { residentBytes } from '../helpers/memory.ts';
import { rawClient } from '../helpers/raw-client.ts';
import { until } from '../helpers/until.ts';

const BODY = JSON.stringify({ model: 'mock', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });
const MIB = 1024 ** 2;
const CONFIG = {
  providers: [{ name: 'mock', type: 'mock' as const }],
  logging: { requests: { enabled: false } },
};

let serving: Serving;

beforeAll(async () => {
  built();
  serving = await serveConfig({ ...CONFIG, limits: { max_body: '1MiB', max_buffered: '8MiB' } });
}, 60_000);
afterAll(cleared);

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly version?: string;
  readonly body?: string;
}

const PATHS = ['/v1/chat/completions', '/v1/messages', '/v1/responses'];

function requestOf(lines: readonly string[], sent: Sent = {}): string {
  const { path = PATHS[0]!, method = 'POST', version = '1.1', body = BODY } = sent;
  const host = lines.some((line) => /^host/i.test(line)) ? [] : ['host: localhost'];
  return `${[`${method} ${path} HTTP/${version}`, ...host, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/** The answers to these bytes, read until there are `count` of them or the connection ends. */
async function answersTo(bytes: string, count = 1): Promise<{ statuses: number[]; text: string }> {
  using client = await rawClient(serving.url);
  client.send(bytes);
  const statuses = () =>
    [...client.text().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  await Promise.race([client.ended, until(`${count} answers`, () => statuses().length >= count)]);
  await client.read('\r\n\r\n');
  return { statuses: statuses(), text: client.text() };
}

const length = (value: string | number) => `content-length: ${value}`;
const chunked = (body: string, trailers = '') =>
  `${body.length.toString(16)}\r\n${body}\r\n0\r\n${trailers}\r\n`;

test.each(PATHS)('two equal Content-Length headers are a 400 in the protocol of %s', async (path) => {
  const lines = [length(BODY.length), length(BODY.length)];
  const { statuses, text } = await answersTo(requestOf(lines, { path }));
  expect(statuses).toEqual([400]);
  const { error, type } = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
  expect(error.message).toContain('Content-Length is not one number');
  expect([type, error.type]).toEqual([
    path.endsWith('messages') ? 'error' : undefined,
    'invalid_request_error',
  ]);
});

/** Bun rejects these before the program sees them. */
const REFUSED: [name: string, lines: string[], body?: string][] = [
  ['different lengths', [length(BODY.length), length(3)]],
  ['a list of lengths', [length(`${BODY.length}, ${BODY.length}`)]],
  ['a sign', [length(`+${BODY.length}`)]],
  ['a negative length', [length(-5)]],
  ['hexadecimal', [length('0x10')]],
  ['a fraction', [length(`${BODY.length}.0`)]],
  ['an exponent', [length('1e3')]],
  ['two numbers', [length('5 5')]],
  ['no number', [length('abc')]],
  ['nothing', [length('')]],
  ['2^64 and more', [length('18446744073709551621')]],
  ['thirty digits', [length('1'.repeat(30))]],
  ['a length and chunks', [length(BODY.length), 'transfer-encoding: chunked'], chunked(BODY)],
  ['the coding identity', ['transfer-encoding: identity', length(BODY.length)]],
  ['two codings', ['transfer-encoding: gzip, chunked'], chunked(BODY)],
  ['chunked twice', ['transfer-encoding: chunked', 'transfer-encoding: chunked'], chunked(BODY)],
  ['a coding with a space', ['transfer-encoding : chunked'], chunked(BODY)],
  ['an unknown coding', ['transfer-encoding: xchunked'], chunked(BODY)],
  ['a chunk without size', ['transfer-encoding: chunked'], `zz\r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk of negative size', ['transfer-encoding: chunked'], `-5\r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk beyond 2^64', ['transfer-encoding: chunked'], `fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`],
  ['a chunk longer than its size', ['transfer-encoding: chunked'], `2\r\n${BODY}\r\n0\r\n\r\n`],
  ['chunks without carriage returns', ['transfer-encoding: chunked'], `2\nhi\n0\n\n`],
  ['no host', [length(BODY.length), 'host-is-missing: x']],
];

test.each(REFUSED)('%s: one 400, and the connection is closed', async (name, lines, body = BODY) => {
  const bytes = requestOf(lines, { body });
  const sent = name === 'no host' ? bytes.replace('host: localhost\r\n', '') : bytes;
  using client = await rawClient(serving.url);
  client.send(sent + requestOf([length(BODY.length)]));
  await client.ended;
  expect(client.text().match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 400']);
});

test.each([
  [413, length(MIB + 1)],
  [413, length('0000009999999999')],
  [413, length('9007199254740991')],
  [413, length('9007199254740993')],
])('%d at once for %s', async (status, line) => {
  expect((await answersTo(requestOf([line], { body: '' }))).statuses).toEqual([status]);
});

const SERVED: [name: string, lines: string[], sent?: Sent][] = [
  ['zeros before the length', [length(`000${BODY.length}`)]],
  ['spaces around the length', [`content-length:  \t${BODY.length} \t`]],
  ['chunks', ['transfer-encoding: chunked'], { body: chunked(BODY) }],
  ['CHUNKS', ['Transfer-Encoding: CHUNKED'], { body: chunked(BODY) }],
  [
    'many chunks',
    ['transfer-encoding: chunked'],
    { body: [...BODY].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n' },
  ],
  ['chunk extensions', ['transfer-encoding: chunked'], { body: chunked(BODY).replace('\r\n', ';a=b\r\n') }],
  ['HTTP/1.0 with a host', [length(BODY.length)], { version: '1.0' }],
];

test.each(SERVED)('%s: served', async (_, lines, sent = {}) => {
  expect((await answersTo(requestOf(lines, sent))).statuses).toEqual([200]);
});

test('requests by HTTP/1.0 without a host, and with Expect: 100-continue, are served', async () => {
  const old = `POST /v1/chat/completions HTTP/1.0\r\n${length(BODY.length)}\r\n\r\n${BODY}`;
  expect((await answersTo(old)).statuses).toEqual([200]);
  using client = await rawClient(serving.url);
  client.send(requestOf(['expect: 100-continue', length(BODY.length)], { body: '' }));
  expect(await client.read('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  client.send(BODY);
  expect(await client.read('HTTP/1.1 200')).toContain('HTTP/1.1 200 OK');
});

test('pipelined requests get as many answers, whatever the first one contains', async () => {
  const next = requestOf([length(BODY.length)]);
  // Bun may close such a connection before an answer, which says nothing about how the requests were read.
  const two = async (first: string, tries = 5): Promise<number[]> => {
    const { statuses } = await answersTo(first + next, 2);
    return statuses.length < 2 && tries > 1 ? await two(first, tries - 1) : statuses;
  };
  expect(await two(next)).toEqual([200, 200]);
  // A rejected or unread body must not be parsed as a request.
  const inner = requestOf([length(BODY.length)]);
  const get = (path: string) => requestOf([length(inner.length)], { method: 'GET', path, body: inner });
  expect(await two(get('/v1/models'))).toEqual([200, 200]);
  expect(await two(requestOf([length(inner.length)], { path: '/nowhere', body: inner }))).toEqual([404, 200]);
  const coded = ['content-encoding: gzip, gzip', length(inner.length)];
  expect(await two(requestOf(coded, { body: inner }))).toEqual([415, 200]);
  const doubled = [length(inner.length), length(inner.length)];
  expect(await two(requestOf(doubled, { body: inner }))).toEqual([400, 200]);
  const inChunks = requestOf(['transfer-encoding: chunked'], {
    method: 'GET',
    path: '/v1/models',
    body: chunked(inner),
  });
  expect(await two(inChunks)).toEqual([200, 200]);
});

test('trailers are not treated as headers, nor their content as a request', async () => {
  const hidden = requestOf([length(BODY.length)]);
  const { statuses } = await answersTo(
    requestOf(['transfer-encoding: chunked'], { body: chunked(BODY, `content-length: 5\r\n`) }) + hidden,
    2,
  );
  // Bun takes what follows the last chunk for another request and refuses it: often after the answer to the first one,
  // but if that is not ready yet, in place of it.
  expect([[200, 400], [400]]).toContainEqual(statuses);
});

/** Sends this many bytes of a body as fast as they are accepted, until the connection ends. */
async function flood(head: string, bytes: number, chunks = false): Promise<string> {
  using client = await rawClient(serving.url);
  const { socket } = client;
  socket.write(head);
  const piece = Buffer.alloc(64 * 1024, 'a');
  const frame = chunks ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]) : piece;
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += piece.length)
    if (!socket.write(frame))
      await Promise.race([
        new Promise((resolve) => socket.once('drain', resolve)),
        client.ended,
        Bun.sleep(500),
      ]);
  await Promise.race([client.read('HTTP/1.1'), Bun.sleep(2_000)]);
  return client.text();
}

test.each([
  ['two equal lengths', [length(600 * MIB), length(600 * MIB)], 400],
  ['one length', [length(600 * MIB)], 413],
  ['chunks', ['transfer-encoding: chunked'], 413],
] as const)('a body of 600 MB by %s is refused, and never held', async (_, lines, status) => {
  const before = residentBytes(serving);
  const text = await flood(requestOf(lines, { body: '' }), 600 * MIB, lines[0].startsWith('t'));
  expect(text).toStartWith(`HTTP/1.1 ${status}`);
  expect(residentBytes(serving) - before).toBeLessThan(64 * MIB);
  const metrics = await (await fetch(`${serving.url}/metrics`)).text();
  expect(metrics).toContain('llmproxy_buffered_bytes 0\n');
});

test.each(['/nowhere', '/v1/models', '/health/live'])(
  'a body nobody reads, sent to %s, is not held',
  async (path) => {
    const before = residentBytes(serving);
    for (const method of ['GET', 'POST'])
      expect(await flood(requestOf([length(300 * MIB)], { method, path, body: '' }), 300 * MIB)).toStartWith(
        'HTTP/1.1 ',
      );
    expect(residentBytes(serving) - before).toBeLessThan(64 * MIB);
  },
);
