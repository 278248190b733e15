/** The Responses API over a WebSocket. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { objectOf } from '../../src/wire/json.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { responseStreamEvent } from '../helpers/published/responses.ts';
import { running } from '../helpers/proxy.ts';
import { speaker, speakerConfig } from '../helpers/speakers.ts';
import { at, counting, sdk } from '../helpers/stored.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

/** Opens a client that keeps the events it received. */
async function connected(url: string, headers: Record<string, string> = {}) {
  const options = { headers } as unknown as string[];
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, options);
  const heard: JsonObject[] = [];
  let closed: { code: number; reason: string } | undefined;
  let seen = 0;
  socket.addEventListener('message', ({ data }) => void heard.push(JSON.parse(String(data)) as JsonObject));
  socket.addEventListener('close', ({ code, reason }) => (closed = { code, reason }));
  await until('it is open', () => socket.readyState === WebSocket.OPEN || closed);
  const say = (event: unknown) => socket.send(typeof event === 'string' ? event : JSON.stringify(event));
  /** The events up to the end of a turn. */
  const turn = async (): Promise<JsonObject[]> => {
    const ends = /^(?:error|response\.(?:completed|incomplete|failed))$/;
    const last = await until('the end of the turn', () => {
      const found = heard.findIndex(({ type }, place) => place >= seen && ends.test(String(type)));
      return found >= 0 && { found };
    });
    const events = heard.slice(seen, last.found + 1);
    seen = last.found + 1;
    return events;
  };
  return {
    say,
    turn,
    heard,
    closed: () => until('it is closed', () => closed),
    async create(body: object): Promise<JsonObject> {
      say({ type: 'response.create', ...body });
      return (await turn()).at(-1)!;
    },
    close: () => socket.close(),
    [Symbol.dispose]: () => socket.close(),
  };
}

const textOf = (event: JsonObject) => {
  const [item] = objectOf(event.response).output as { content: { text: string }[] }[];
  return item?.content[0]?.text;
};
const idOf = (event: JsonObject) => objectOf(event.response).id as string;

/** A chat server that streams the number of messages it received. */
function counter() {
  return upstream(({ text }) => {
    const { messages } = JSON.parse(text) as { messages: unknown[] };
    const chunk = (delta: object, finish: string | null) =>
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    return new Response(
      `${chunk({ content: `${messages.length}` }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`,
      {
        headers: { 'content-type': 'text/event-stream' },
      },
    );
  });
}

describe('a connection', () => {
  test('carries one turn after another, each with its own record and the published events', async () => {
    await using provider = speaker('messages', 'stream');
    await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
    using client = await connected(proxy.url);
    client.say({ type: 'response.create', model: 'm-1', input: 'hi' });
    client.say({ type: 'response.create', model: 'm-1', input: 'again' });
    for (const _ of [1, 2]) {
      const events = await client.turn();
      for (const event of events) expect(publishedProblems(responseStreamEvent, event)).toEqual([]);
      expect(events[0]!.type).toBe('response.created');
      expect(events.at(-1)!.type).toBe('response.completed');
    }
    const records = await proxy.recorded(2);
    expect(records.map(({ endpoint, outcome, stream }) => [endpoint, outcome, stream])).toEqual([
      ['responses', 'success', true],
      ['responses', 'success', true],
    ]);
    expect(records[0]!.id).not.toBe(records[1]!.id);
  });

  test.each([
    ['may be stored nowhere', { responses: { store: 'never' } } as Partial<ConfigInput>],
    ['may be stored', {}],
  ])('continues from its last response where it %s', async (_, config) => {
    await using provider = counter();
    await using proxy = running(at(provider.url, config));
    using client = await connected(proxy.url);
    const first = await client.create({ model: 'm', input: 'a', store: false });
    expect(objectOf(first.response).store).toBe(false);
    const second = await client.create({
      model: 'm',
      input: 'b',
      store: false,
      previous_response_id: idOf(first),
    });
    const third = await client.create({
      model: 'm',
      input: 'c',
      store: false,
      previous_response_id: idOf(second),
    });
    expect([first, second, third].map(textOf)).toEqual(['1', '3', '5']);
    expect(objectOf(third.response).previous_response_id).toBe(idOf(second));
    // Only the last response is kept, not the one before it.
    const fourth = await client.create({
      model: 'm',
      input: 'd',
      store: false,
      previous_response_id: idOf(first),
    });
    expect(fourth).toMatchObject(
      config.responses
        ? { type: 'error', status: 400, error: { param: 'previous_response_id' } }
        : { type: 'error', status: 400, error: { code: 'previous_response_not_found' } },
    );
    // A failed turn also discards the last response.
    const fifth = await client.create({
      model: 'm',
      input: 'd',
      store: false,
      previous_response_id: idOf(third),
    });
    expect(fifth).toMatchObject({ type: 'error', status: 400, error: { param: 'previous_response_id' } });
    const fresh = await client.create({ model: 'm', input: 'e', store: false });
    expect(textOf(fresh)).toBe('1');
  });

  test('continues from a stored response, and stores a response that another connection can continue from', async () => {
    await using provider = counter();
    await using proxy = running(at(provider.url));
    using one = await connected(proxy.url);
    using two = await connected(proxy.url);
    const first = await one.create({ model: 'm', input: 'a' });
    const second = await two.create({ model: 'm', input: 'b', previous_response_id: idOf(first) });
    expect(textOf(second)).toBe('3');
    const shown = await sdk(proxy).responses.retrieve(idOf(second));
    expect(shown.previous_response_id).toBe(idOf(first));
  });

  test('accepts a warm-up without an answer, and continues from it', async () => {
    await using provider = counter();
    await using proxy = running(at(provider.url));
    using client = await connected(proxy.url);
    const warm = await client.create({
      model: 'm',
      input: [{ role: 'user', content: 'a' }],
      generate: false,
    });
    expect(publishedProblems(responseStreamEvent, warm)).toEqual([]);
    expect(provider.asked).toEqual([]);
    const next = await client.create({
      model: 'm',
      input: 'b',
      store: false,
      previous_response_id: idOf(warm),
    });
    expect(textOf(next)).toBe('2');
    expect(provider.asked[0]!.text).not.toContain('generate');
  });

  test('reports errors and stays open', async () => {
    await using provider = counting();
    await using refusing = upstream(() =>
      Response.json({ error: { message: 'Bad temperature' } }, { status: 400 }),
    );
    const config = at(provider.url);
    config.providers.push({
      name: 'r',
      type: 'openai-compatible',
      base_url: refusing.url,
      models: ['bad'],
      max_retries: 0,
    });
    await using proxy = running(config);
    using client = await connected(proxy.url);
    const said: [unknown, object][] = [
      ['no JSON', { status: 400, error: { type: 'invalid_request_error' } }],
      [{ type: 'response.cancel' }, { status: 400, error: { param: 'type' } }],
      [
        { type: 'response.create', input: 'x' },
        { status: 400, error: { param: 'model' } },
      ],
      [
        { type: 'response.create', model: 'none', input: 'x' },
        { status: 404, error: { code: 'model_not_found' } },
      ],
      [{ type: 'response.create', model: 'bad', input: 'x' }, { status: 400 }],
      [
        { type: 'response.create', model: 'm', input: 'x', previous_response_id: 'resp_never' },
        { status: 400, error: { code: 'previous_response_not_found', param: 'previous_response_id' } },
      ],
    ];
    for (const [event, wanted] of said) {
      client.say(event);
      expect((await client.turn()).at(-1)).toMatchObject({ type: 'error', ...wanted });
    }
    // A provider that does not stream works as well.
    expect(textOf(await client.create({ model: 'm', input: 'x' }))).toBe('1');
  });

  test('needs a key, which is checked again at each turn', async () => {
    await using provider = counter();
    const auth = (disabled: boolean) => ({
      auth: {
        keys: [
          { name: 'a', key: 'sk-aaaaaaaa', disabled },
          { name: 'b', key: 'sk-bbbbbbbb' },
        ],
      },
    });
    await using proxy = running(at(provider.url, auth(false)));
    const url = `${proxy.url}/v1/responses`;
    const handshake = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    expect((await fetch(url, { headers: handshake })).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    const plain = await fetch(url, { headers: { authorization: 'Bearer sk-aaaaaaaa' } });
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
    using client = await connected(proxy.url, { authorization: 'Bearer sk-aaaaaaaa' });
    expect(textOf(await client.create({ model: 'm', input: 'x' }))).toBe('1');
    proxy.reload(at(provider.url, auth(true)));
    expect(await client.create({ model: 'm', input: 'x' })).toMatchObject({ type: 'error', status: 403 });
  });

  test('that the client closes cancels the provider’s request', async () => {
    let left = false;
    await using server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        request.signal.addEventListener('abort', () => (left = true));
        return new Promise<Response>(() => undefined);
      },
    });
    await using proxy = running(at(`http://127.0.0.1:${server.port}`));
    const client = await connected(proxy.url);
    client.say({ type: 'response.create', model: 'm', input: 'x' });
    await Bun.sleep(50);
    client.close();
    await until('the provider’s request to be cancelled', () => left);
    expect((await proxy.recorded(1))[0]!.outcome).toBe('client_abort');
  });

  test('delivers an answer that is larger than its buffers completely', async () => {
    const piece = 'x'.repeat(64 * 1024);
    await using provider = upstream(() => {
      const chunk = (delta: object, finish: string | null) =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
      const body = Array.from({ length: 100 }, () => chunk({ content: piece }, null)).join('');
      return new Response(`${body}${chunk({}, 'stop')}data: [DONE]\n\n`, {
        headers: { 'content-type': 'text/event-stream' },
      });
    });
    await using proxy = running(at(provider.url));
    using client = await connected(proxy.url);
    const done = await client.create({ model: 'm', input: 'x', store: false });
    expect(textOf(done)!.length).toBe(100 * piece.length);
  });

  test('counts queued requests and its last response as buffered memory, and releases it when it closes', async () => {
    await using provider = counter();
    const limits = { max_body: '1MB', max_buffered: '2MB', max_buffered_share: 0.5 } as const;
    await using proxy = running(at(provider.url, { limits, responses: { store: 'never' } }));
    const held = async () => {
      const page = await (await fetch(`${proxy.url}/metrics`)).text();
      return Number(/^llmproxy_buffered_bytes (\d+)$/m.exec(page)?.[1]);
    };
    const request = { model: 'm', input: 'x'.repeat(400_000), store: false };
    {
      using first = await connected(proxy.url);
      using second = await connected(proxy.url);
      const kept = await first.create(request);
      await until('its answer to be stored', async () => (await held()) > 400_000);
      // The queued text and the parsed body both count as this key's memory.
      for (let at = 0; at < 4; at += 1) second.say({ type: 'response.create', ...request });
      const told = [];
      for (let at = 0; at < 4; at += 1) told.push((await second.turn()).at(-1)!);
      expect(told.map(({ type }) => type)).toContain('error');
      expect(told.filter(({ type }) => type === 'error')).toContainEqual(
        expect.objectContaining({ status: 429 }),
      );
      const next = { model: 'm', input: 'b', store: false, previous_response_id: idOf(kept) };
      expect(textOf(await first.create(next))).toBe('3');
    }
    await until('all of it is free', () => held(), { is: 0 });
  });

  test('counts towards the half of max_concurrent that one key may hold', async () => {
    await using provider = counter();
    const keys = ['a', 'b'].map((name) => ({ name, key: `sk-${name.repeat(8)}` }));
    await using proxy = running(at(provider.url, { auth: { keys }, limits: { max_concurrent: 4 } }));
    const opened = (name: string) => connected(proxy.url, { authorization: `Bearer sk-${name.repeat(8)}` });
    using first = await opened('a');
    using second = await opened('a');
    using third = await opened('a');
    expect((await third.closed()).code).not.toBe(1000);
    expect((await second.create({ model: 'm', input: 'x' })).type).toBe('response.completed');
    using other = await opened('b');
    expect(textOf(await other.create({ model: 'm', input: 'x' }))).toBe('1');
    first.close();
    await until('there is room again', async () => {
      using again = await opened('a');
      return (await again.create({ model: 'm', input: 'x' })).type === 'response.completed';
    });
  });
});

describe('streams of a connection', () => {
  /** A chat server that streams one word and ends when the test says so. */
  function slow() {
    const open = new Map<string, () => void>();
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      async fetch(request) {
        const { messages } = (await request.json()) as { messages: { content: unknown }[] };
        const asked = JSON.stringify(messages.at(-1)!.content).replaceAll(/[^a-z]/g, '');
        const chunk = (delta: object, finish: string | null) =>
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            const say = (text: string) => controller.enqueue(new TextEncoder().encode(text));
            say(chunk({ content: `${asked}${messages.length}` }, null));
            open.set(asked, () => {
              say(`${chunk({}, 'stop')}data: [DONE]\n\n`);
              controller.close();
            });
          },
        });
        return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
      },
    });
    return {
      url: `http://127.0.0.1:${server.port}`,
      asks: (word: string) => open.has(word),
      end(word: string) {
        open.get(word)!();
        open.delete(word);
      },
      [Symbol.asyncDispose]: () => server.stop(true),
    };
  }

  const create = (input: string, more: object = {}) => ({
    type: 'response.create',
    model: 'm',
    input,
    store: false,
    ...more,
  });
  type Heard = readonly JsonObject[];
  const of = (heard: Heard, lane: string | undefined) => heard.filter(({ stream_id }) => stream_id === lane);
  const ended = (heard: Heard, lane: string | undefined) =>
    of(heard, lane).filter(({ type }) => /^(?:error|response\.completed)$/.test(String(type)));

  test('run concurrently, each in order, with their stream_id on every event', async () => {
    await using provider = slow();
    await using proxy = running(at(provider.url));
    using client = await connected(proxy.url);
    client.say(create('first', { stream_id: 'a' }));
    client.say(create('second', { stream_id: 'a' }));
    client.say(create('other', { stream_id: 'b' }));
    client.say(create('plain'));
    await until('three requests at the provider', () =>
      ['first', 'other', 'plain'].every((word) => provider.asks(word)),
    );
    expect(provider.asks('second')).toBe(false);
    for (const [word, lane] of [
      ['plain', undefined],
      ['other', 'b'],
      ['first', 'a'],
    ] as const) {
      provider.end(word);
      await until(`the end of ${word}`, () => ended(client.heard, lane).length, { is: 1 });
    }
    await until('the next request of its lane', () => provider.asks('second'));
    provider.end('second');
    await until('it is answered', () => ended(client.heard, 'a').length, { is: 2 });
    expect(ended(client.heard, 'a').map(textOf)).toEqual(['first1', 'second1']);
    for (const lane of ['a', 'b', undefined]) {
      const events = of(client.heard, lane);
      for (const { stream_id, ...event } of events)
        expect([stream_id, publishedProblems(responseStreamEvent, event)]).toEqual([lane, []]);
      const [begun] = events;
      expect([begun!.type, begun!.sequence_number]).toEqual(['response.created', 0]);
    }
    expect((await proxy.recorded(4)).map(({ outcome }) => outcome)).toEqual(Array(4).fill('success'));
  });

  test('continue from each other’s last responses, and a failure discards only that of its own stream', async () => {
    await using provider = counter();
    await using proxy = running(at(provider.url, { responses: { store: 'never' } }));
    using client = await connected(proxy.url);
    const a = await client.create({ model: 'm', input: 'a', store: false, stream_id: 'a' });
    const fork = { model: 'm', input: 'b', store: false, previous_response_id: idOf(a) };
    const b = await client.create({ ...fork, stream_id: 'b' });
    expect([a, b].map(textOf)).toEqual(['1', '3']);
    // Several streams may continue from the same response.
    expect(textOf(await client.create({ ...fork, stream_id: 'c' }))).toBe('3');
    const unknown = await client.create({ ...fork, previous_response_id: 'resp_none', stream_id: 'c' });
    expect(unknown).toMatchObject({ type: 'error', status: 400, stream_id: 'c' });
    expect(textOf(await client.create({ ...fork, stream_id: 'a' }))).toBe('3');
    // That was the last response of its stream, which has another one now.
    expect((await client.create({ ...fork, stream_id: 'b' })).type).toBe('error');
  });

  test('are limited by max_streams, and idle ones are evicted', async () => {
    await using provider = slow();
    const limits = { realtime: { max_streams: 2 } };
    await using proxy = running(at(provider.url, { limits }));
    using client = await connected(proxy.url);
    client.say(create('one', { stream_id: 'a' }));
    client.say(create('two', { stream_id: 'b' }));
    client.say(create('three', { stream_id: 'c' }));
    const refused = await until('the rejection of the third', () => of(client.heard, 'c')[0]);
    expect(refused).toEqual({
      stream_id: 'c',
      type: 'error',
      status: 400,
      error: {
        type: 'invalid_request_error',
        code: 'websocket_stream_limit_reached',
        message: expect.stringContaining('limits.realtime.max_streams'),
        param: 'stream_id',
      },
    });
    // Events without a stream_id have a stream of their own, which does not count.
    client.say(create('plain'));
    await until('the request at the provider', () => provider.asks('plain'));
    provider.end('one');
    await until('it is answered', () => ended(client.heard, 'a').length, { is: 1 });
    client.say(create('four', { stream_id: 'c' }));
    await until('there is room', () => provider.asks('four'));
  });

  test('must have names that OpenAI accepts', async () => {
    await using provider = counter();
    await using proxy = running(at(provider.url));
    using client = await connected(proxy.url);
    for (const stream_id of ['', 'a b', 'x'.repeat(257), 5, { a: 1 }]) {
      const told = await client.create({ model: 'm', input: 'x', stream_id });
      expect(told).toMatchObject({ type: 'error', status: 400, error: { param: 'stream_id' } });
    }
    expect(textOf(await client.create({ model: 'm', input: 'x', stream_id: 'agent_1.2-b' }))).toBe('1');
    expect(textOf(await client.create({ model: 'm', input: '"stream_id"' }))).toBe('1');
  });

  test('release all their memory when the connection closes', async () => {
    await using provider = slow();
    await using proxy = running(at(provider.url, { responses: { store: 'never' } }));
    const held = async () => {
      const page = await (await fetch(`${proxy.url}/metrics`)).text();
      return Number(/^llmproxy_buffered_bytes (\d+)$/m.exec(page)?.[1]);
    };
    {
      using client = await connected(proxy.url);
      client.say(create(`kept ${' '.repeat(100_000)}`, { stream_id: 'a' }));
      await until('the request at the provider', () => provider.asks('kept'));
      provider.end('kept');
      await until('the response to be stored', () => held(), { atLeast: 100_000 });
      client.say(create('runs', { stream_id: 'b' }));
      client.say(create(`waits ${' '.repeat(100_000)}`, { stream_id: 'b' }));
      await until('it waits', () => held(), { atLeast: 200_000 });
    }
    await until('all of it is free', () => held(), { is: 0 });
  });
});
