/** Realtime sessions over OpenAI's API: messages, access, charges, records, and how sessions end. */
import { afterEach, describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Running } from '../helpers/proxy.ts';
import type { Caller, CallOptions, SessionScript } from '../helpers/realtime.ts';
import { AUDIENCE, issuer } from '../helpers/issuer.ts';
import { provider, running } from '../helpers/proxy.ts';
import { call, CREATED, handshake, OPENAI, responseDone, sessionUpstream } from '../helpers/realtime.ts';
import { until } from '../helpers/until.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

function upstream(script: SessionScript = OPENAI) {
  const made = sessionUpstream(script);
  open.push(made);
  return made;
}

function proxyFor(url: string, config: Partial<ConfigInput> = {}): Running {
  const proxy = running({ providers: [provider('one', `${url}/v1`)], ...config });
  open.unshift(proxy);
  return proxy;
}

const PATH = '/v1/realtime?model=gpt-realtime';

interface Refusal {
  error: { code: string; message: string };
}

const talk = async (proxy: Running, options: CallOptions = {}, path = PATH): Promise<Caller> =>
  await call(proxy.url + path, options);

describe('a session', () => {
  test('passes messages unchanged both ways, and is recorded once', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    await client.heard('session.created');
    const odd =
      '{ "type":"conversation.item.create",  "item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi \\u00e9 é"}]} }';
    client.send(odd);
    client.send({ type: 'input_audio_buffer.append', audio: 'UklGRg==' });
    client.send({ type: 'session.update', session: { instructions: 'Be brief', voice: 'x' } });
    client.send({ type: 'response.create' });
    await client.heard('response.done');
    expect(one.sessions[0]!.messages[0]).toBe(odd);
    expect(client.told.map(({ type }) => type)).toEqual([
      'session.created',
      'response.created',
      'response.output_audio.delta',
      'response.done',
    ]);
    client.socket.close(1000, 'bye');
    expect(await client.closed).toMatchObject({ code: 1000 });
    const [record] = await proxy.recorded(1);
    await until('the provider’s session to be closed', () => one.sessions[0]!.closed);
    expect(one.sessions[0]!.closed).toEqual({ code: 1000, reason: 'bye' });
    expect(record).toMatchObject({
      outcome: 'success',
      status: 101,
      endpoint: 'realtime',
      stream: true,
      model: 'gpt-realtime',
      provider: 'one',
      upstream_model: 'gpt-realtime',
      input_tokens: 10,
      output_tokens: 5,
      units: { input_audio_tokens: 4, output_audio_tokens: 3 },
      attempts: 1,
      session: {
        closed_by: 'client',
        client_code: 1000,
        provider_code: null,
        client_events: 4,
        provider_events: 4,
        responses: 1,
        refused: 0,
      },
    });
    expect(JSON.parse(record!.request!)).toEqual({ instructions: 'Be brief' });
    expect(JSON.parse(record!.response!)).toEqual({
      object: 'realtime.session',
      messages: [
        { role: 'user', content: 'Hi é é' },
        { role: 'assistant', content: 'Hello there' },
      ],
    });
    expect(JSON.stringify(record)).not.toContain('UklGRg');
    expect(proxy.records.length).toBe(1);
  });

  test('asks the provider for its own model name with its own key, and without the client’s credentials', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, {
      providers: [
        provider('one', `${one.url}/v1`, {
          api_key: 'sk-upstream',
          models: [{ name: 'voice', upstream: 'gpt-realtime-2' }],
        }),
      ],
      auth: { keys: [{ name: 'me', key: 'client-key' }] },
    });
    using client = await talk(
      proxy,
      { headers: { authorization: 'Bearer client-key', 'openai-beta': 'realtime=v1', cookie: 'a=b' } },
      '/v1/realtime?model=voice&call_id=rtc_1',
    );
    await client.heard('session.created');
    const { path, headers } = one.sessions[0]!;
    expect(path).toBe('/v1/realtime?model=gpt-realtime-2');
    expect(headers.get('authorization')).toBe('Bearer sk-upstream');
    expect(headers.get('openai-beta')).toBe('realtime=v1');
    expect(headers.get('cookie')).toBeNull();
    expect(headers.get('x-llmproxy-via')).not.toBeNull();
    expect(JSON.stringify(headers)).not.toContain('client-key');
  });

  test('sums the tokens of all responses, and prices audio tokens as audio', async () => {
    const one = upstream();
    const price = { input: 1, output: 2, input_audio: 10, output_audio: 20 };
    const proxy = proxyFor(one.url, {
      providers: [provider('one', `${one.url}/v1`, { models: [{ name: 'gpt-realtime', price }] })],
    });
    const client = await talk(proxy);
    for (let turn = 1; turn <= 2; turn += 1) {
      client.send({ type: 'response.create' });
      await until(
        'an answer',
        () => client.told.filter(({ type }) => type === 'response.done').length === turn,
      );
    }
    client.socket.close();
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ input_tokens: 20, output_tokens: 10, session: { responses: 2 } });
    expect(record!.cost).toBeCloseTo((2 * (6 * 1 + 4 * 10 + 2 * 2 + 3 * 20)) / 1e6, 12);
  });
});

describe('access to a session', () => {
  const auth = {
    keys: [
      { name: 'voice', key: 'voice-key', endpoints: ['realtime'] },
      { name: 'text', key: 'text-key', endpoints: ['chat'] },
      { name: 'other', key: 'other-key', models: ['gpt-4o'] },
    ],
  };

  test('is checked before a provider is asked', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, { auth });
    const refused = async (headers: Record<string, string>, path = PATH) => {
      const answer = await handshake(proxy.url + path, headers);
      return [answer.status, ((await answer.json()) as Refusal).error.code];
    };
    expect(await refused({})).toEqual([401, 'invalid_api_key']);
    expect(await refused({ authorization: 'Bearer nope' })).toEqual([401, 'invalid_api_key']);
    expect(await refused({ authorization: 'Bearer text-key' })).toEqual([403, 'key_not_permitted']);
    expect(await refused({ authorization: 'Bearer other-key' })).toEqual([403, 'key_not_permitted']);
    expect(await refused({ authorization: 'Bearer voice-key' }, '/v1/realtime')).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await refused({ authorization: 'Bearer voice-key' }, '/v1/realtime?model=nothing')).toEqual([
      404,
      'model_not_found',
    ]);
    expect(one.asked.length).toBe(0);
  });

  test('is granted to a key in a header, in a subprotocol, or in the query as Azure sends it', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, { auth });
    const ways: [CallOptions, string?][] = [
      [{ headers: { authorization: 'Bearer voice-key' } }],
      [{ headers: { 'api-key': 'voice-key' } }, '/openai/realtime?api-version=1&deployment=gpt-realtime'],
      [{}, '/openai/v1/realtime?model=gpt-realtime&api-key=voice-key'],
      [{ protocols: ['realtime', 'openai-insecure-api-key.voice-key', 'openai-beta.realtime-v1'] }],
      [{ protocols: ['openai-insecure-api-key.voice-key', 'realtime'] }],
    ];
    for (const [options, path] of ways) {
      using client = await talk(proxy, options, path);
      await client.heard('session.created');
      expect(client.socket.protocol).toBe(options.protocols ? 'realtime' : '');
    }
    // The key is never echoed as the subprotocol, so a client that offers nothing else finds nothing to agree on.
    const bare = talk(proxy, { protocols: ['openai-insecure-api-key.voice-key'] });
    await expect(bare).rejects.toThrow('Missing client protocol');
    expect(one.sessions[3]!.headers.get('openai-beta')).toBe('realtime=v1');
    expect(JSON.stringify(one.asked)).not.toContain('voice-key');
  });

  test('ends when its key is revoked, exchanged, disabled, or no longer allowed to, and for no other one', async () => {
    const one = upstream();
    await using corp = await issuer();
    const issuers = [{ name: 'corp', issuer: corp.url, audience: AUDIENCE, key_claim: 'proxy_key' }];
    const refused = ['revoked', 'exchanged', 'disguised', 'disabled', 'narrowed', 'model', 'provider'];
    const names = [...refused, 'kept', 'named'];
    const key = (name: string) => ({ name, key: `sk-the-key-${name}` });
    const proxy = proxyFor(one.url, { auth: { keys: names.map(key), issuers } });
    const by = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    const clients = new Map<string, Caller>();
    for (const name of names.slice(0, -1)) clients.set(name, await talk(proxy, by(`sk-the-key-${name}`)));
    // It shows something like a token as well.
    clients.get('disguised')!.socket.close();
    const disguised = { authorization: 'Bearer sk-the-key-disguised', 'x-api-key': 'eyJ.placeholder.text' };
    clients.set('disguised', await talk(proxy, { headers: disguised }));
    clients.set('named', await talk(proxy, by(await corp.token({ proxy_key: 'named' }))));
    clients.set('token', await talk(proxy, by(await corp.token())));
    for (const client of clients.values()) await client.heard('session.created');
    proxy.reload({
      providers: [provider('one', `${one.url}/v1`)],
      auth: {
        keys: [
          { ...key('exchanged'), key: 'sk-another-key' },
          { ...key('disguised'), key: 'sk-an-other-key' },
          { ...key('model'), models: ['gpt-4o'] },
          { ...key('provider'), providers: ['two'] },
          { ...key('disabled'), disabled: true },
          { ...key('narrowed'), endpoints: ['chat'] },
          key('kept'),
        ],
        issuers,
      },
    });
    for (const name of [...refused, 'named']) {
      const client = clients.get(name)!;
      expect(await client.closed).toMatchObject({ code: 1008 });
      expect(client.told.at(-1)).toMatchObject({ type: 'error' });
    }
    const records = (await proxy.recorded(9)).filter(({ outcome }) => outcome !== 'success');
    expect(records.length).toBe(8);
    expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(['truncated']));
    await Bun.sleep(1_200);
    for (const name of ['kept', 'token']) {
      const client = clients.get(name)!;
      client.send({ type: 'response.create' });
      await client.heard('response.done');
      client.socket.close();
    }
  }, 60_000);

  test('includes the models that its messages name, by the lists of the present configuration', async () => {
    const one = upstream();
    const config = (models: string[]): Partial<ConfigInput> => ({
      auth: { keys: [{ name: 'me', key: 'k', models }] },
    });
    const proxy = proxyFor(one.url, config(['gpt-realtime', 'gpt-*-transcribe']));
    const client = await talk(proxy, { headers: { authorization: 'Bearer k' } });
    await client.heard('session.created');
    const update = (session: object) => client.send({ type: 'session.update', session });
    update({ model: 'gpt-realtime', audio: { input: { transcription: { model: 'gpt-4o-transcribe' } } } });
    update({ audio: { input: { transcription: { model: 'whisper-1' } } } });
    update({ input_audio_transcription: { model: 'whisper-1' } });
    update({ model: 'gpt-realtime-2' });
    client.send({ type: 'response.create', response: { model: 'gpt-realtime-2' } });
    const errors = () => client.told.filter(({ type }) => type === 'error') as unknown as Refusal[];
    await until('the refusals', () => errors().length, { is: 4 });
    expect(errors().map(({ error }) => [error.code, /"(.*?)"/.exec(error.message)?.[1]])).toEqual([
      ['key_not_permitted', 'whisper-1'],
      ['key_not_permitted', 'whisper-1'],
      ['key_not_permitted', 'gpt-realtime-2'],
      ['key_not_permitted', 'gpt-realtime-2'],
    ]);
    proxy.reload({ providers: [provider('one', `${one.url}/v1`)], ...config(['gpt-realtime', 'whisper-1']) });
    await Bun.sleep(1_200);
    update({ audio: { input: { transcription: { model: 'whisper-1' } } } });
    await until('both', () => one.sessions[0]!.messages.length, { is: 2 });
    expect(one.sessions[0]!.messages.map(String).join()).not.toContain('gpt-realtime-2');
  });

  test('is not granted to models that other parsers find in a message', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, { auth: { keys: [{ name: 'me', key: 'k', models: ['gpt-realtime'] }] } });
    const client = await talk(proxy, { headers: { authorization: 'Bearer k' } });
    await client.heard('session.created');
    const named = '"session":{"model":"secret-plan"}';
    const hidden = [
      `{"type":"session.update","session":{"model":"secret-plan","model":"gpt-realtime"}}`,
      `{"type":"session.update",${named},"session":{}}`,
      `{"type":"session.update",${named},"type":"conversation.item.create"}`,
      `{"type":"session.update",${named},"type":"input_audio_buffer.append"}`,
      // Python accepts it.
      `{"type":"session.update","x":NaN,${named}}`,
    ];
    for (const text of hidden) client.socket.send(text);
    client.send({ type: 'session.update', session: { model: 'gpt-realtime' } });
    await until('the last one', () => one.sessions[0]!.messages.length, { atLeast: 1 });
    const errors = client.told.filter(({ type }) => type === 'error') as unknown as Refusal[];
    expect(errors.map(({ error }) => error.code)).toEqual(hidden.map(() => 'invalid_request'));
    expect(one.sessions[0]!.messages.map(String).join()).not.toContain('secret-plan');
    client.socket.close();
  });

  test('is denied to pages of another origin or host', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url);
    const answer = await handshake(proxy.url + PATH, { origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
    expect(((await answer.json()) as Refusal).error.code).toBe('origin_not_allowed');
    const named = await handshake(proxy.url + PATH, { host: 'evil.example' });
    expect(named.status).toBe(403);
    expect(one.asked.length).toBe(0);
    const listed = proxyFor(one.url, { server: { cors: { origins: ['https://app.example'] } } });
    using client = await talk(listed, { headers: { origin: 'https://app.example' } });
    await client.heard('session.created');
    expect((await handshake(listed.url + PATH, { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('is answered with 426 where the request does not ask for a WebSocket', async () => {
    const proxy = proxyFor(upstream().url);
    const answer = await fetch(proxy.url + PATH);
    expect(answer.status).toBe(426);
    expect(answer.headers.get('upgrade')).toBe('websocket');
  });
});

describe('failover', () => {
  const refusals: [string, SessionScript, string][] = [
    ['401', { refuse: () => Response.json({ error: { message: 'bad key' } }, { status: 401 }) }, 'auth'],
    [
      '429',
      { refuse: () => new Response('slow', { status: 429, headers: { 'retry-after': '30' } }) },
      'rate_limited',
    ],
    ['503', { refuse: () => new Response('down', { status: 503 }) }, 'overloaded'],
    ['a 200 without an upgrade', { refuse: () => new Response('hello') }, 'no_endpoint'],
    [
      'an error as its first event',
      {
        opened: ({ socket }) => {
          const error = { type: 'invalid_request_error', code: 'invalid_api_key', message: 'no' };
          socket.send(JSON.stringify({ type: 'error', error }));
          socket.close(3000, 'invalid_request_error.invalid_api_key');
        },
      },
      'auth',
    ],
    ['a close before any event', { opened: ({ socket }) => socket.close(1011, 'internal error') }, 'server'],
    ['a connection reset', { opened: ({ socket }) => socket.terminate() }, 'network'],
  ];
  test.each(refusals)('moves on to the next provider after %s', async (_, script, fault) => {
    const bad = upstream(script);
    const good = upstream();
    const proxy = proxyFor(bad.url, {
      providers: [
        provider('bad', `${bad.url}/v1`, { max_retries: 0 }),
        provider('good', `${good.url}/v1`, { priority: 2 }),
      ],
    });
    const client = await talk(proxy);
    await client.heard('session.created');
    client.socket.close();
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', provider: 'good', attempts: 2 });
    expect(record!.attempt_log[0]).toMatchObject({ target: 'bad/gpt-realtime', fault });
    expect(client.told.length).toBe(1);
  });

  test('ends with the status and message of the last provider', async () => {
    const bad = upstream({
      refuse: () =>
        Response.json(
          { error: { message: 'no such voice', type: 'invalid_request_error' } },
          { status: 400 },
        ),
    });
    const proxy = proxyFor(bad.url);
    const answer = await handshake(proxy.url + PATH);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as Refusal).error.message).toContain('no such voice');
    expect((await proxy.recorded(1))[0]).toMatchObject({
      outcome: 'error',
      status: 400,
      endpoint: 'realtime',
    });
  });
});

describe('limits on a session', () => {
  const limited = (limits: object[]): Partial<ConfigInput> => ({
    auth: { keys: [{ name: 'me', key: 'k', limits: limits as never }] },
    limits: { assumed_output: 8 },
  });
  const headers = { authorization: 'Bearer k' };

  test('of concurrent requests count it while it lasts', async () => {
    const proxy = proxyFor(upstream().url, limited([{ concurrent: 1 }]));
    const first = await talk(proxy, { headers });
    expect((await handshake(proxy.url + PATH, headers)).status).toBe(429);
    first.socket.close();
    await proxy.recorded(2);
    using second = await talk(proxy, { headers });
    await second.heard('session.created');
  });

  test('of tokens refuse further responses with an error event, and keep them from the provider', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, limited([{ tokens: 20, per: 'day' }]));
    const client = await talk(proxy, { headers });
    const done = () => client.told.filter(({ type }) => type === 'response.done').length;
    for (let turn = 1; turn <= 2; turn += 1) {
      client.send({ type: 'response.create' });
      await until('an answer', () => done(), { is: turn });
    }
    // Other requests are refused for what the session has used so far.
    expect((await handshake(proxy.url + PATH, headers)).status).toBe(429);
    client.send({ type: 'response.create' });
    const { error } = (await client.heard('error')) as unknown as Refusal;
    expect(error).toMatchObject({ code: 'rate_limit_exceeded' });
    expect(error.message).toContain('20 tokens per day of key me');
    // A provider that detects pauses would answer audio as well, so audio is refused too, with a single error.
    for (let piece = 0; piece < 3; piece += 1)
      client.send({ type: 'input_audio_buffer.append', audio: 'AA==' });
    client.send({ type: 'session.update', session: {} });
    await until('the update', () =>
      one.sessions[0]!.messages.some((text) => String(text).includes('session.update')),
    );
    expect(one.sessions[0]!.messages.map((text) => JSON.parse(String(text)).type)).toEqual([
      'response.create',
      'response.create',
      'session.update',
    ]);
    expect(client.told.filter(({ type }) => type === 'error').length).toBe(2);
    client.socket.close();
    await until('its record', () => proxy.records.some(({ outcome }) => outcome === 'success'));
    const record = proxy.records.find(({ outcome }) => outcome === 'success')!;
    expect(record).toMatchObject({ input_tokens: 20, output_tokens: 10, session: { refused: 4 } });
    const key = (await (await fetch(`${proxy.url}/v1/key`, { headers })).json()) as {
      limits: { used: number; reserved: number }[];
    };
    expect(key.limits[0]).toMatchObject({ used: 30, reserved: 0 });
  });

  test('close it when they are hard and used up', async () => {
    const proxy = proxyFor(upstream().url, limited([{ tokens: 12, per: 'day', hard: true }]));
    const client = await talk(proxy, { headers });
    client.send({ type: 'response.create' });
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(client.told.at(-1)).toMatchObject({ type: 'error', error: { code: 'rate_limit_exceeded' } });
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'truncated', fault: 'over_limit', output_tokens: 5 });
  });

  test('are those of the present configuration, by what is used from then on', async () => {
    const one = upstream();
    await using corp = await issuer();
    const issuers = [{ name: 'corp', issuer: corp.url, audience: AUDIENCE, group_claim: 'group' }];
    const config = (limits: object[], group: string, ofStaff: object): Partial<ConfigInput> => ({
      groups: { old: {}, staff: ofStaff, team: { limits: [{ tokens: 30, per: 'day' }] } },
      auth: { keys: [{ name: 'me', key: 'k', group, limits: limits as never }], issuers },
    });
    const first = [{ tokens: 1_000, per: 'day' }, { requests: 5, per: 'day' }, { concurrent: 2 }];
    const proxy = proxyFor(one.url, config(first, 'old', {}));
    const client = await talk(proxy, { headers });
    const token = { authorization: `Bearer ${await corp.token({ group: 'staff' })}` };
    const other = await talk(proxy, { headers: token });
    const turn = async (caller: Caller) => {
      const seen = caller.told.length;
      caller.send({ type: 'response.create' });
      return await until('an answer', () =>
        caller.told.slice(seen).find(({ type }) => type === 'response.done' || type === 'error'),
      );
    };
    for (const each of [client, other]) expect((await turn(each)).type).toBe('response.done');
    const reload = async (...changed: Parameters<typeof config>) => {
      proxy.reload({ providers: [provider('one', `${one.url}/v1`)], ...config(...changed) });
      await Bun.sleep(1_200);
    };
    const second = [{ tokens: 35, per: 'day' }, { requests: 5, per: 'day' }, { concurrent: 1 }];
    await reload(second, 'team', { limits: [{ tokens: 15, per: 'day' }] });
    expect((await handshake(proxy.url + PATH, headers)).status).toBe(429);
    // 15 tokens each: the key has used 15 before, and its new group none.
    const told: [Caller, string, string][] = [
      [client, 'response.done', ''],
      [other, 'response.done', ''],
      [other, 'error', '15 tokens per day of group staff'],
      [client, 'response.done', ''],
      [client, 'error', 'tokens per day of'],
    ];
    for (const [caller, type, words] of told) {
      const event = await turn(caller);
      expect([type, JSON.stringify(event)]).toEqual([event.type, expect.stringContaining(words)]);
    }
    await reload([{ tokens: 60, per: 'day' }], 'old', {});
    for (const each of [client, other]) expect((await turn(each)).type).toBe('response.done');
    for (const each of [client, other]) each.socket.close();
    const records = (await proxy.recorded(3)).filter(({ outcome }) => outcome === 'success');
    expect(records.map(({ output_tokens: output }) => output).toSorted()).toEqual([15, 20]);
    await reload(first, 'team', {});
    const key = (await (await fetch(`${proxy.url}/v1/key`, { headers })).json()) as {
      limits: { name: string; used: number; reserved: number }[];
    };
    expect(key.limits.map(({ name, used, reserved }) => [name, used, reserved])).toEqual([
      ['1000 tokens per day of key me', 60, 0],
      ['5 requests per day of key me', 1, 0],
      ['2 concurrent requests of key me', 0, 0],
      ['30 tokens per day of group team', 30, 0],
    ]);
  }, 60_000);

  test('also hold for an event type hidden in a duplicate or escaped field', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, limited([{ tokens: 5, per: 'day' }]));
    using client = await talk(proxy, { headers });
    client.send({ type: 'response.create' });
    await client.heard('response.done');
    const hidden = [
      '{"type":"input_audio_buffer.append","audio":"","type":"response.create"}',
      '{"type":"input_audio_buffer.append","audio":"","\\u0074ype":"response.create"}',
    ];
    for (const text of hidden) client.send(text);
    await until('both refusals', () => client.told.filter(({ type }) => type === 'error').length, { is: 2 });
    expect(one.sessions[0]!.messages.length).toBe(1);
  });
});

describe('the end of a session', () => {
  test.each([
    [1000, 'done', 'success'],
    [4001, 'session expired', 'truncated'],
    [1011, 'internal', 'truncated'],
  ] as const)('is passed on from the provider to the client: %d %s', async (code, reason, outcome) => {
    const one = upstream();
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    await client.heard('session.created');
    one.sessions[0]!.socket.close(code, reason);
    expect(await client.closed).toEqual({ code, reason });
    expect((await proxy.recorded(1))[0]).toMatchObject({
      outcome,
      session: { closed_by: 'provider', provider_code: code },
    });
  });

  test('becomes an error event and close code 1011 where the provider’s connection is lost', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    await client.heard('session.created');
    one.sessions[0]!.socket.terminate();
    expect(await client.closed).toMatchObject({ code: 1011 });
    expect(client.told.at(-1)).toMatchObject({ type: 'error', error: { code: 'truncated' } });
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'truncated', fault: 'truncated' });
  });

  test('closes the session with the provider where the client’s connection is lost', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    await client.heard('session.created');
    (client.socket as unknown as { terminate(): void }).terminate();
    await until('the provider’s session to be closed', () => one.sessions[0]!.closed);
    expect(one.sessions[0]!.closed!.code).toBe(1001);
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort', fault: 'client_abort' });
  });

  test('cancels the attempt where the client leaves during the handshake', async () => {
    const { promise: never } = Promise.withResolvers<Response>();
    const one = upstream({ refuse: () => never });
    const proxy = proxyFor(one.url);
    const abort = new AbortController();
    const asked = fetch(proxy.url + PATH, {
      signal: abort.signal,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    }).catch(() => undefined);
    await until('the handshake', () => one.asked.length, { is: 1 });
    abort.abort();
    await asked;
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'client_abort' });
  });

  test('comes after limits.realtime.idle and limits.realtime.duration', async () => {
    const one = upstream();
    for (const realtime of [{ idle: '100ms' }, { duration: '100ms' }]) {
      const proxy = proxyFor(one.url, { limits: { realtime } });
      const client = await talk(proxy);
      const { code, reason } = await client.closed;
      expect(code).toBe(1001);
      expect(reason).toContain(`limits.realtime.${Object.keys(realtime)[0]}`);
      expect((await proxy.recorded(1))[0]).toMatchObject({
        outcome: 'success',
        session: { closed_by: 'proxy' },
      });
    }
  });
});

describe('bounds of a session', () => {
  test('a message over max_message ends the session, whichever side sent it', async () => {
    const one = upstream();
    const proxy = proxyFor(one.url, { limits: { realtime: { max_message: '64KiB' } } });
    const client = await talk(proxy);
    await client.heard('session.created');
    client.send(JSON.stringify({ type: 'x', text: 'x'.repeat(100_000) }));
    expect((await client.closed).code).toBe(1009);
    await proxy.recorded(1);
    const other = await talk(proxy);
    await other.heard('session.created');
    one.sessions[1]!.socket.send(JSON.stringify({ type: 'x', text: 'x'.repeat(100_000) }));
    expect((await other.closed).code).toBe(1011);
    expect((await proxy.recorded(2))[1]).toMatchObject({ outcome: 'truncated', fault: 'malformed' });
  });

  test('a client that reads nothing slows its provider down, and is disconnected after client_stall', async () => {
    const piece = JSON.stringify({ type: 'response.output_audio.delta', delta: 'A'.repeat(60_000) });
    const one = upstream({ opened: ({ socket }) => void socket.send(CREATED) });
    const proxy = proxyFor(one.url, { limits: { client_stall: '1s' } });
    const raw = Bun.connect({
      hostname: '127.0.0.1',
      port: Number(new URL(proxy.url).port),
      socket: {
        open(socket) {
          socket.write(
            `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
          );
          socket.pause();
        },
        data: () => undefined,
      },
    });
    const socket = await raw;
    await until('the session', () => one.sessions.length, { is: 1 });
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 500; n += 1) one.sessions[0]!.socket.send(piece);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'client_abort', fault: 'client_stall' });
    // Backpressure keeps the unread messages at the provider.
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
    socket.terminate();
  });

  test('a provider that reads nothing ends the session once max_unsent is reached', async () => {
    let reset = false;
    let resume = (): void => undefined;
    const deaf = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket, bytes) {
          const key = /sec-websocket-key: (\S+)/i.exec(bytes.toString())?.[1];
          if (key === undefined) return;
          const accept = new Bun.CryptoHasher('sha1')
            .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
            .digest('base64');
          const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket';
          socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
          const greeting = Buffer.from(CREATED);
          socket.write(Buffer.concat([Buffer.from([0x81, greeting.length]), greeting]));
          socket.pause();
          resume = () => socket.resume();
        },
        close: () => void (reset = true),
      },
    });
    const proxy = proxyFor(`http://127.0.0.1:${deaf.port}`, { limits: { realtime: { max_unsent: '1MiB' } } });
    const client = await talk(proxy);
    const piece = { type: 'input_audio_buffer.append', audio: 'A'.repeat(100_000) };
    for (let n = 0; n < 200 && client.socket.readyState === WebSocket.OPEN; n += 1) {
      client.send(piece);
      await Bun.sleep(0);
    }
    expect(await client.closed).toMatchObject({ code: 1013 });
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'truncated', fault: 'overloaded' });
    resume();
    await until('the connection to be reset', () => reset);
    deaf.stop(true);
  });

  test('messages that a provider sends before it closes arrive before the close', async () => {
    const long = JSON.stringify({ type: 'long', text: 'x'.repeat(8_000_000) });
    const one = upstream({
      opened({ socket }) {
        // The last message and the close come while the client is still reading the long message.
        for (const message of [CREATED, long, '{"type":"last"}']) socket.send(message);
        socket.close(1000, 'done');
      },
    });
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
    expect(client.told.map(({ type }) => type)).toEqual(['session.created', 'long', 'last']);
    expect((await proxy.recorded(1))[0]).toMatchObject({
      outcome: 'success',
      session: { provider_events: 3 },
    });
  });

  test('a client that reads slowly gets everything in order', async () => {
    const one = upstream({ opened: ({ socket }) => void socket.send(CREATED) });
    const proxy = proxyFor(one.url);
    const client = await talk(proxy);
    await client.heard('session.created');
    const filler = 'A'.repeat(50_000);
    for (let n = 0; n < 400; n += 1)
      one.sessions[0]!.socket.send(JSON.stringify({ type: 'response.output_audio.delta', n, filler }));
    one.sessions[0]!.socket.send(responseDone('end'));
    await client.heard('response.done');
    const numbers = client.told.flatMap(({ n }) => (typeof n === 'number' ? [n] : []));
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, n) => n));
    client.socket.close();
    await proxy.recorded(1);
  });
});
