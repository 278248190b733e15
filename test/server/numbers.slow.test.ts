/** Numbers, texts and headers from providers are bounded where they enter. */
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

/** Values that no token count can have, as JSON text. */
const NO_COUNTS = ['-1', '0.5', '1e300', '1e999', '9007199254740993', '50000001', '"5"', '{}', '[]', 'true'];

/** The same JSON with other token counts, which are the only numbers in these answers. */
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

describe.each(pairs)('a %s client with a %s provider', (client, name) => {
  const { path, request } = CLIENTS[client];
  const { type, whole, events, ...rest } = SPEAKERS[name];
  const end = 'end' in rest ? rest.end : '';

  test.each(NO_COUNTS)(
    'receives an answer although the usage says %s, which is recorded as unknown',
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

  test('receives an answer with the largest valid token counts, and their sums stay valid', async () => {
    const most = 50_000_000;
    await using provided = upstream(
      () => new Response(recounted(whole, String(most)), { headers: { 'content-type': 'application/json' } }),
    );
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    expect((await proxy.post(path, request)).status).toBe(200);
    const [record] = await proxy.recorded(1);
    // Some providers report counts in parts, and the sums must stay within the same bound.
    expect(checked(record!)).toMatchObject({ input_tokens: most, output_tokens: most });
  });
});

test('a cost that is no valid amount of money is recorded as unknown', async () => {
  const usage = { prompt_tokens: 50_000_000, completion_tokens: 1 };
  await using provided = upstream(() => completion('x', { usage }));
  const models = [{ name: 'gpt-*', price: { input: 1e308, output: 1 } }];
  await using proxy = running({ providers: [provider('a', provided.url, { models })] });
  const reply = await proxy.post('/v1/chat/completions', CHAT);
  expect([reply.status, reply.headers.get('x-llmproxy-cost')]).toEqual([200, null]);
  expect((await proxy.recorded(1))[0]!.cost).toBeNull();
});

test('a usage with more cached than input tokens still has a cost', async () => {
  const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 1, cachedContentTokenCount: 50 };
  await using provided = upstream(() => Response.json({ ...SPEAKERS.gemini.whole, usageMetadata }));
  await using proxy = running({ providers: [speakerConfig('gemini', provided.url)] });
  // The price of this model has tiers, which only the price table can add up.
  const reply = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'gemini-2.5-pro' });
  expect(reply.status).toBe(200);
  expect((await proxy.recorded(1))[0]!.cost).toBeGreaterThan(0);
  expect(proxy.problems).toEqual([]);
});

test('an overlong finish reason with broken characters leaves the record readable', async () => {
  const finish = `\u001b[31m\u0000${'x'.repeat(1e6)}\ud83d`;
  await using provided = upstream(() => sse(chatStream(['x']).replace('"stop"', JSON.stringify(finish))));
  await using proxy = running({ providers: [provider('a', provided.url)] });
  await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  const [record] = await proxy.recorded(1);
  expect(record!.finish).toMatch(/^[^\p{Cc}]{1,100}$/u);
  expect(record!.finish!.isWellFormed()).toBe(true);
});

test('error texts are shortened and cleaned, in the record and for the client', async () => {
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
  'an error inside a 200 with the status %p is answered with a valid HTTP status',
  async (code) => {
    await using provided = upstream(() => Response.json({ error: { message: 'no', code } }));
    await using proxy = running({ providers: [provider('a', provided.url, { max_retries: 0 })] });
    const reply = await proxy.post('/v1/chat/completions', CHAT);
    expect(reply.status).toBeWithin(500, 503);
    expect((await proxy.recorded(1))[0]!.status).toBe(reply.status);
  },
);

test('oversized headers are not passed on, and an invalid one does not fail the answer', async () => {
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
