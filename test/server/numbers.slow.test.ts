/** Numbers, texts and headers of providers are brought into range where they enter. */
import { describe, expect, test } from 'bun:test';
import type { LogRecord } from '../../src/logs/record.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { recordSchema } from '../../src/logs/record-schema.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { rawUpstream } from '../helpers/raw-upstream.ts';
import { speakerConfig, SPEAKERS, eventStream } from '../helpers/speakers.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

const clients = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];
const names = Object.keys(SPEAKERS) as SpeakerName[];
const pairs = clients.flatMap((client) => names.map((name) => [client, name] as const));

/** What usage says that no count can be, as JSON text. */
const NO_COUNTS = ['-1', '0.5', '1e300', '1e999', '9007199254740993', '50000001', '"5"', '{}', '[]', 'true'];

/** The same JSON with other token counts: they are the only numbers of these. */
const recounted = (value: unknown, count: string) =>
  JSON.stringify(value).replace(/("[a-zA-Z_]*[tT]oken[a-zA-Z_]*"):\d+/g, `$1:${count}`);

const COUNTS = [
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
] as const;

const checked = (record: LogRecord) =>
  recordSchema.parse(JSON.parse(JSON.stringify({ ...record, request: undefined, response: undefined })));

async function gauge(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^llmproxy_${name} (.*)$`, 'm').exec(page)?.[1]);
}

describe.each(pairs)('a client of %s at a provider of %s', (client, name) => {
  const { path, request } = CLIENTS[client];
  const { type, whole, events, ...rest } = SPEAKERS[name];
  const end = 'end' in rest ? rest.end : '';

  test.each(NO_COUNTS)(
    'is answered where usage says %s, which the record holds as unknown',
    async (count) => {
      const spoiled = events.map(([event, data]) => [event, recounted(data, count)] as const);
      let stream = false;
      await using provided = upstream(() =>
        stream
          ? eventStream(type, spoiled, end)
          : new Response(recounted(whole, count), { headers: { 'content-type': 'application/json' } }),
      );
      await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
      for (stream of [false, true]) {
        const reply = await proxy.post(path, { ...request, stream });
        expect(reply.status).toBe(200);
        await reply.text();
      }
      for (const record of await proxy.recorded(2)) {
        expect(record.outcome).toBe('success');
        expect(COUNTS.map((field) => checked(record)[field])).toEqual(COUNTS.map(() => null));
        expect(checked(record).cost).toBeNull();
      }
      expect([await gauge(proxy.url, 'in_flight'), await gauge(proxy.url, 'buffered_bytes')]).toEqual([0, 0]);
      expect(proxy.problems).toEqual([]);
    },
  );

  test('is answered where counts are as large as they can be, and their sums stay counts', async () => {
    const most = 50_000_000;
    await using provided = upstream(
      () => new Response(recounted(whole, String(most)), { headers: { 'content-type': 'application/json' } }),
    );
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    expect((await proxy.post(path, request)).status).toBe(200);
    const [record] = await proxy.recorded(1);
    // Some providers tell parts, whose sums are believed no more than a single count.
    expect(checked(record!)).toMatchObject({ input_tokens: most, output_tokens: most });
  });
});

test('a price that is no amount of money is unknown', async () => {
  const usage = { prompt_tokens: 50_000_000, completion_tokens: 1 };
  await using provided = upstream(() => completion('x', { usage }));
  const models = [{ name: 'gpt-*', price: { input: 1e308, output: 1 } }];
  await using proxy = running({ providers: [provider('a', provided.url, { models })] });
  const reply = await proxy.post('/v1/chat/completions', CHAT);
  expect([reply.status, reply.headers.get('x-llmproxy-cost')]).toEqual([200, null]);
  expect((await proxy.recorded(1))[0]!.cost).toBeNull();
});

test('more tokens from a cache than there were have a price all the same', async () => {
  const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 1, cachedContentTokenCount: 50 };
  await using provided = upstream(() => Response.json({ ...SPEAKERS.gemini.whole, usageMetadata }));
  await using proxy = running({ providers: [speakerConfig('gemini', provided.url)] });
  // A model of which the price has tiers, which the table alone knows how to add up.
  const reply = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'gemini-2.5-pro' });
  expect(reply.status).toBe(200);
  expect((await proxy.recorded(1))[0]!.cost).toBeGreaterThan(0);
  expect(proxy.problems).toEqual([]);
});

test('a finish reason as long as a book and a broken letter leave the record readable', async () => {
  const finish = `\u001b[31m\u0000${'x'.repeat(1e6)}\ud83d`;
  await using provided = upstream(() => sse(chatStream(['x']).replace('"stop"', JSON.stringify(finish))));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  const [record] = await proxy.recorded(1);
  expect(record!.finish).toMatch(/^[^\p{Cc}]{1,100}$/u);
  expect(record!.finish!.isWellFormed()).toBe(true);
});

test('words of an error are bounded and plain, in the record and for the client', async () => {
  const error = {
    message: `\u001b[31mno\u0000${'y'.repeat(1e5)}`,
    type: 't'.repeat(1e5),
    code: 'c'.repeat(1e5),
  };
  await using provided = upstream(() => Response.json({ error }, { status: 500 }));
  await using proxy = running({ providers: [provider('a', provided.url, { max_retries: 0 })] });
  const text = await (await proxy.post('/v1/chat/completions', CHAT)).text();
  expect(text.length).toBeLessThan(4_000);
  const [record] = await proxy.recorded(1);
  expect(record!.error!.length).toBeLessThan(4_000);
  expect(record!.error).toMatch(/^[^\p{Cc}]+$/u);
});

test.each([429.5, '450.5', 1e300, -400, 'NaN', '600'])(
  'an error inside a 200 that gives its status as %p is answered with one of HTTP',
  async (code) => {
    await using provided = upstream(() => Response.json({ error: { message: 'no', code } }));
    await using proxy = running({ providers: [provider('a', provided.url, { max_retries: 0 })] });
    const reply = await proxy.post('/v1/chat/completions', CHAT);
    expect(reply.status).toBeWithin(500, 503);
    expect((await proxy.recorded(1))[0]!.status).toBe(reply.status);
  },
);

test('headers as large as a book stay behind, and an odd one does not cost the answer', async () => {
  const body = await completion('hi').text();
  const many = Array.from({ length: 150 }, (_, n) => `x-ratelimit-${n}: ${'9'.repeat(100)}\r\n`).join('');
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: ${'y'.repeat(100_000)}\r\n`;
  const odd = Buffer.from(`openai-version: caf\xe9\x80\r\n`, 'latin1');
  const rest = `${many}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  await using provided = await rawUpstream(Buffer.concat([Buffer.from(head), odd, Buffer.from(rest)]));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const reply = await proxy.post('/v1/chat/completions', CHAT);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(reply.headers.get('x-llmproxy-upstream-request-id')).toBeNull();
  const size = [...reply.headers].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  expect(size).toBeWithin(1_000, 6_000);
});
