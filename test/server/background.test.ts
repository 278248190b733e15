/** Responses that run in the background. */
import { describe, expect, test } from 'bun:test';
import type OpenAI from 'openai';
import type { ConfigInput } from '../../src/config/schema.ts';
import { CERTIFICATE, sealNames } from '../../src/server/tls/client-certificate.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { response as published } from '../helpers/published/responses.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { running } from '../helpers/proxy.ts';
import { at, completion, counting, NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

/** A chat server that answers when the test says so, and counts the requests that were cancelled. */
function waiting() {
  const open: ((reply: Response) => void)[] = [];
  const asked: string[] = [];
  let left = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      asked.push(await request.text());
      const { promise, resolve } = Promise.withResolvers<Response>();
      request.signal.addEventListener('abort', () => (left += 1));
      open.push(resolve);
      return promise;
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    left: () => left,
    waits: () => open.length,
    asked,
    answer: (content: string) => open.shift()!(Response.json(completion(content))),
    fail: () => open.shift()!(Response.json({ error: { message: 'Bad temperature' } }, { status: 400 })),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

const background = { model: 'm', input: 'a', background: true } as const;

const KEYS = [
  { name: 'a', key: 'sk-aaaaaaaa' },
  { name: 'b', key: 'sk-bbbbbbbb' },
];

describe('a background response', () => {
  test('is queued, runs and completes, whether or not a client polls it', async () => {
    await using provider = waiting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const queued = await client.responses.create(background);
    expect([queued.status, queued.background, queued.output_text]).toEqual(['queued', true, '']);
    const told = { ...queued, output_text: undefined };
    expect(publishedProblems(published, JSON.parse(JSON.stringify(told)))).toEqual([]);
    await until(
      'the response to be in progress',
      async () => (await client.responses.retrieve(queued.id)).status === 'in_progress',
    );
    await until('the request at the provider', () => provider.waits(), { is: 1 });
    provider.answer('done');
    const done = await until('it is complete', async () => {
      const now = await client.responses.retrieve(queued.id);
      return now.status === 'completed' && now;
    });
    expect([done.id, done.output_text, done.background, done.usage?.total_tokens]).toEqual([
      queued.id,
      'done',
      true,
      2,
    ] as never);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', input_tokens: 1, endpoint: 'responses' });
    // Another response can continue from it.
    const next = client.responses.create({ model: 'm', input: 'b', previous_response_id: queued.id });
    void next.then(() => undefined);
    await until('another request at the provider', () => provider.waits(), { is: 1 });
    const { messages } = JSON.parse(provider.asked[1]!) as { messages: JsonObject[] };
    expect(messages.map(({ content }) => content)).toEqual(['a', 'done', 'b']);
    provider.answer('more');
    expect((await next).output_text).toBe('more');
  });

  test('can be cancelled, which cancels the provider’s request', async () => {
    await using provider = waiting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const { id } = await client.responses.create(background);
    await until('the request at the provider', () => provider.waits(), { is: 1 });
    expect((await client.responses.cancel(id)).status).toBe('cancelled');
    await until('the provider’s request to be cancelled', () => provider.left(), { is: 1 });
    const [record] = await proxy.recorded(1);
    expect(record!.outcome).toBe('client_abort');
    expect((await client.responses.retrieve(id)).status).toBe('cancelled');
    expect((await client.responses.cancel(id)).status).toBe('cancelled');
    const plain = await (async () => {
      const asked = client.responses.create({ model: 'm', input: 'a' });
      void asked.then(() => undefined);
      await until('both requests at the provider', () => provider.waits(), { is: 2 });
      provider.answer('x');
      provider.answer('x');
      return asked;
    })();
    expect((await refusal(client.responses.cancel(plain.id)))?.[0]).toBe(400);
  });

  test('fails with the provider’s message', async () => {
    await using provider = waiting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const { id } = await client.responses.create(background);
    await until('the request at the provider', () => provider.waits(), { is: 1 });
    provider.fail();
    const failed = await until('it failed', async () => {
      const now = await client.responses.retrieve(id);
      return now.status === 'failed' && now;
    });
    expect(failed.error?.message).toContain('Bad temperature');
    expect(
      publishedProblems(published, JSON.parse(JSON.stringify({ ...failed, output_text: undefined }))),
    ).toEqual([]);
  });

  test('waits in the queue, and is refused when the queue is full', async () => {
    await using provider = waiting();
    const responses = { max_background: 1, max_queued: 1 };
    await using proxy = running(at(provider.url, { responses }));
    const client = sdk(proxy);
    const first = await client.responses.create(background);
    const second = await client.responses.create(background);
    await until('the first request at the provider', () => provider.waits(), { is: 1 });
    expect((await client.responses.retrieve(second.id)).status).toBe('queued');
    expect(await refusal(client.responses.create(background))).toEqual([503, 'no_target_available', null]);
    provider.answer('one');
    await until('the second request at the provider', () => provider.waits(), { is: 1 });
    expect((await client.responses.retrieve(first.id)).output_text).toBe('one');
    provider.answer('two');
    const told = await until('the second is complete', async () => {
      const now = await client.responses.retrieve(second.id);
      return now.status === 'completed' && now;
    });
    expect(told.output_text).toBe('two');
  });

  test('is not begun any more when its key was revoked while it was queued, and obeys its limits of then', async () => {
    await using provider = waiting();
    const responses = { max_background: 1, max_queued: 8 };
    const limits = [{ requests: 10, per: 'day' }] as never;
    const keys = [
      { name: 'a', key: 'sk-aaaaaaaa' },
      { name: 'b', key: 'sk-bbbbbbbb', limits },
      { name: 'c', key: 'sk-cccccccc' },
    ];
    await using proxy = running(at(provider.url, { responses, auth: { keys } }));
    const [a, b, c] = keys.map(({ key }) => sdk(proxy, key)) as [OpenAI, OpenAI, OpenAI];
    const first = await c.responses.create(background);
    const ofA = await a.responses.create(background);
    const ofB = [await b.responses.create(background), await b.responses.create(background)];
    await until('the first request at the provider', () => provider.waits(), { is: 1 });
    const [, limited, kept] = keys;
    const fewer = { ...limited!, limits: [{ requests: 1, per: 'day' }] as never };
    proxy.reload(at(provider.url, { responses, auth: { keys: [fewer, kept!] } }));
    provider.answer('one');
    await until('the request of b at the provider', () => provider.waits(), { is: 1 });
    provider.answer('two');
    const records = await proxy.recorded(4);
    expect(provider.asked.length).toBe(2);
    expect(records.map(({ key, fault }) => [key, fault])).toEqual([
      ['c', null],
      ['a', 'unauthenticated'],
      ['b', null],
      ['b', 'over_limit'],
    ]);
    expect((await c.responses.retrieve(first.id)).status).toBe('completed');
    const refused = await until('it has failed', async () => {
      const now = await b.responses.retrieve(ofB[1]!.id);
      return now.status === 'failed' && now;
    });
    expect(refused.error?.message).toContain('1 requests per day of key b is used up');
    expect(await refusal(a.responses.retrieve(ofA.id))).toEqual([401, 'invalid_api_key', null]);
  });

  test('is not begun any more when the key of its client certificate was disabled while it was queued', async () => {
    await using provider = waiting();
    const responses = { max_background: 1, max_queued: 8 };
    const rules = ['a', 'b'].map((name) => ({ subject: `CN=${name}`, key: name }));
    const config = (disabled: boolean): ConfigInput => ({
      ...at(provider.url, { responses, auth: { keys: [{ name: 'a' }, { name: 'b', disabled }] } }),
      server: { tls: { cert: 'c', key: 'k', client_ca: 'a', client_certs: rules } },
    });
    await using proxy = running(config(false));
    const ask = async (name: string) => {
      const headers = { [CERTIFICATE]: sealNames({ subject: { CN: name }, alternative: [] }) };
      expect((await proxy.post('/v1/responses', background, { headers })).status).toBe(200);
    };
    for (const name of ['a', 'b', 'a']) await ask(name);
    await until('the first request at the provider', () => provider.waits(), { is: 1 });
    proxy.reload(config(true));
    provider.answer('one');
    await until('the next request at the provider', () => provider.waits(), { is: 1 });
    provider.answer('two');
    const records = await proxy.recorded(3);
    expect(records.map(({ key, fault }) => [key, fault])).toEqual([
      ['a', null],
      ['b', 'not_permitted'],
      ['a', null],
    ]);
  });

  test('is queued in order of arrival among keys, each of which may only fill its share of the queue', async () => {
    await using provider = waiting();
    const responses = { max_background: 1, max_queued: 4 };
    await using proxy = running(at(provider.url, { responses, auth: { keys: KEYS } }));
    const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
    // All requests are sent at once.
    const many = await Promise.all(
      Array.from({ length: 12 }, () => refusal(a.responses.create(background).then(() => undefined))),
    );
    const statuses = many.map((each) => each?.[0] ?? 200);
    expect([200, 429].map((status) => statuses.filter((each) => each === status).length)).toEqual([3, 9]);
    const { id } = await b.responses.create({ ...background, input: 'of b' });
    await until('the first request at the provider', () => provider.waits(), { is: 1 });
    provider.answer('one');
    // Two of a's requests were queued before it.
    await until('the next request at the provider', () => provider.asked.length, { is: 2 });
    expect(provider.asked[1]).toContain('of b');
    provider.answer('two');
    await until('it is complete', async () => (await b.responses.retrieve(id)).status, { is: 'completed' });
  });

  test('is refused at once by the limits of its key, and nothing is stored', async () => {
    await using provider = counting();
    const config: Partial<ConfigInput> = { rate_limits: [{ requests: 1, per: 'hour' }] as never };
    await using proxy = running(at(provider.url, config));
    const client = sdk(proxy);
    const { id } = await client.responses.create(background);
    await until('it is complete', async () => (await client.responses.retrieve(id)).status, {
      is: 'completed',
    });
    expect((await refusal(client.responses.create(background)))?.[0]).toBe(429);
    expect((await refusal(client.responses.create({ ...background, store: false })))?.[2]).toBe('background');
  });

  test('can be deleted while it runs', async () => {
    await using provider = waiting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const { id } = await client.responses.create(background);
    await until('the request at the provider', () => provider.waits(), { is: 1 });
    await client.responses.delete(id);
    await until('the provider’s request to be cancelled', () => provider.left(), { is: 1 });
    expect(await refusal(client.responses.retrieve(id))).toEqual(NOT_FOUND);
  });
});

describe('a background stream', () => {
  const piece = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content }, finish_reason: finish }],
    })}\n\n`;

  /** A chat server whose stream continues when the test says so. */
  function speaking() {
    const bodies: ReadableStreamDefaultController<Uint8Array>[] = [];
    const server = upstream(() => {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void bodies.push(controller) });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    return {
      server,
      begun: () => bodies.length > 0,
      say: (text: string) => bodies[0]!.enqueue(new TextEncoder().encode(text)),
      end: () => bodies[0]!.close(),
    };
  }

  test('can be followed by max_streams readers at once, of which one key may have half', async () => {
    const provider = speaking();
    await using server = provider.server;
    const responses = { max_streams: 3 };
    await using proxy = running(at(server.url, { responses, auth: { keys: KEYS } }));
    const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
    const begun = async (client: ReturnType<typeof sdk>) => {
      for await (const event of await client.responses.create({ ...background, stream: true }))
        if (event.type === 'response.created') return event.response;
      throw new Error('it does not begin');
    };
    const [{ id }, own] = [await begun(a), await begun(b)];
    const follow = (key: string, of: string, method = 'GET') => {
      const abort = new AbortController();
      const asked = fetch(`${proxy.url}/v1/responses/${of}?stream=true`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        signal: abort.signal,
        keepalive: false,
      });
      return { asked, leave: () => abort.abort() };
    };
    for (let at = 0; at < 5; at += 1)
      expect((await follow('sk-aaaaaaaa', id, 'HEAD').asked).status).toBe(200);
    const held = [follow('sk-aaaaaaaa', id), follow('sk-aaaaaaaa', id)];
    for (const { asked } of held) expect((await asked).status).toBe(200);
    const refused = await follow('sk-aaaaaaaa', id).asked;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.text()).toContain('responses.max_streams');
    const others = follow('sk-bbbbbbbb', own.id);
    expect((await others.asked).status).toBe(200);
    expect((await follow('sk-bbbbbbbb', own.id).asked).status).toBe(503);
    // The stored response can still be read without a stream.
    expect((await a.responses.retrieve(id)).status).toBe('in_progress');
    held[0]!.leave();
    const again = await until('there is room again', async () => {
      const next = follow('sk-aaaaaaaa', id);
      return (await next.asked).status === 200 && next;
    });
    for (const { leave } of [again, held[1]!, others]) leave();
    await b.responses.cancel(own.id);
    provider.say(piece('done', 'stop') + 'data: [DONE]\n\n');
    provider.end();
  });

  test('continues without its client, who can read all of it later', async () => {
    const provider = speaking();
    await using server = provider.server;
    await using proxy = running(at(server.url));
    const client = sdk(proxy);
    const stream = await client.responses.create({ ...background, stream: true });
    const seen: { type: string; sequence_number: number }[] = [];
    let id = '';
    await until('the request at the provider', provider.begun);
    provider.say(piece('Hel'));
    for await (const event of stream) {
      seen.push(event);
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.output_text.delta') break;
    }
    provider.say(piece('lo', 'stop') + 'data: [DONE]\n\n');
    provider.end();
    const rest = await client.responses.retrieve(id, {
      stream: true,
      starting_after: seen.at(-1)!.sequence_number,
    });
    let text = '';
    let last = seen.at(-1)!.sequence_number;
    let final = '';
    for await (const event of rest) {
      expect(event.sequence_number).toBe((last += 1));
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') final = event.response.id;
    }
    expect([text, final]).toEqual(['lo', id]);
    const sse = await (await fetch(`${proxy.url}/v1/responses/${id}?stream=true`)).text();
    expect(publishedStreamProblems('responses', sse)).toEqual([]);
    expect((await client.responses.retrieve(id)).output_text).toBe('Hello');
    expect((await proxy.recorded(1))[0]!.outcome).toBe('success');
  });

  test('sends its headers at once, and not only with the first keep-alive comment', async () => {
    const provider = speaking();
    await using server = provider.server;
    await using proxy = running(at(server.url));
    const stream = await sdk(proxy).responses.create({ ...background, stream: true });
    await until('the request at the provider', provider.begun);
    provider.say(piece('Hel'));
    const last = { id: '', number: -1 };
    for await (const event of stream) {
      last.number = event.sequence_number;
      if (event.type === 'response.created') last.id = event.response.id;
      if (event.type === 'response.output_text.delta') break;
    }
    const url = `${proxy.url}/v1/responses/${last.id}?stream=true&starting_after=${last.number}`;
    const beforeComments = Bun.sleep(8_000).then(() => undefined);
    const followed = await Promise.race([fetch(url), beforeComments]);
    expect(followed?.status).toBe(200);
    provider.say(piece('lo', 'stop') + 'data: [DONE]\n\n');
    provider.end();
    const rest = await followed!.text();
    // Only once: the interval of the keep-alive comments stays as it was.
    expect(rest.match(/^: keep-alive$/gm)).toHaveLength(1);
    expect(rest).toContain(`"sequence_number":${last.number + 1}`);
  });

  test('that is cancelled ends with a failed or incomplete event', async () => {
    const provider = speaking();
    await using server = provider.server;
    await using proxy = running(at(server.url));
    const client = sdk(proxy);
    const stream = await client.responses.create({ ...background, stream: true });
    await until('the request at the provider', provider.begun);
    provider.say(piece('Hel'));
    const types: string[] = [];
    let id = '';
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.created') id = event.response.id;
      if (event.type === 'response.output_text.delta') await client.responses.cancel(id);
    }
    expect(types.at(-1)).toMatch(/^response\.(?:incomplete|failed)$/);
  });
});
