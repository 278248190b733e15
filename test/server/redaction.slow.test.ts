/** Values redacted from requests before they are sent, for providers of every protocol. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { completion, upstream } from '../helpers/upstream.ts';

type Redact = NonNullable<ConfigInput['providers'][number]['redact']>;

const MAIL = 'ann@corp.example.com';
const KEY = 'sk-proj-Zk3bT9vQ1xW7yR5uE2aS8dF4gH6jK0lP';
const SAID = `I am ${MAIL} and my key is ${KEY}`;
const REDACT: Redact = { out: ['email', 'key'] };

const ASKED: Readonly<Record<string, { path: string; body: object }>> = {
  chat: { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: SAID }] } },
  messages: { path: '/v1/messages', body: { max_tokens: 9, messages: [{ role: 'user', content: SAID }] } },
  responses: { path: '/v1/responses', body: { input: SAID } },
  gemini: {
    path: '/v1beta/models/{model}:generateContent',
    body: { contents: [{ role: 'user', parts: [{ text: SAID }] }] },
  },
  ollama: { path: '/api/chat', body: { messages: [{ role: 'user', content: SAID }], stream: false } },
};
const SPEAKER_NAMES = Object.keys(SPEAKERS) as SpeakerName[];
const PAIRS = Object.keys(ASKED).flatMap((client) => SPEAKER_NAMES.map((name) => [client, name] as const));

const single = (url: string, redact: Redact): ConfigInput => ({
  providers: [provider('p', url, { models: ['*'], max_retries: 0, redact })],
});

test.each(PAIRS)('values of a %s client are redacted for a %s provider', async (client, name) => {
  await using provided = speaker(name, 'whole');
  await using proxy = running({ providers: [{ ...speakerConfig(name, provided.url), redact: REDACT }] });
  const { path, body } = ASKED[client]!;
  const reply = await proxy.post(path, { model: 'm-1', ...body });
  expect(reply.status).toBe(200);
  const [asked] = provided.asked;
  expect(asked!.text).toContain('I am [EMAIL_1] and my key is [KEY_1]');
  expect(asked!.text).not.toContain(MAIL);
  expect(asked!.text).not.toContain(KEY);
  expect(reply.headers.get('x-llmproxy-redacted')).toBe('email=1, key=1');
  const [record] = await proxy.recorded(1);
  expect(record!.request).toContain(MAIL);
  expect(record!.attempt_log).toMatchObject([{ fault: null, redacted: { email: 1, key: 1 } }]);
});

test('a request with nothing to redact is relayed byte for byte', async () => {
  await using a = upstream(() => completion('hello'));
  await using proxy = running(single(a.url, REDACT));
  const body = '{ "model" : "gpt-4o", "messages": [{"role":"user","content":"h\\u0069"}], "x": 1.0 }';
  const reply = await proxy.post('/v1/chat/completions', body);
  expect(reply.headers.get('x-llmproxy-redacted')).toBeNull();
  expect(a.asked[0]!.text).toBe(body);
  expect((await proxy.recorded(1))[0]!.attempt_log[0]!.redacted).toEqual({});
});

test('without a rule a request stays unchanged and is not searched', async () => {
  await using a = upstream(() => completion('hello'));
  await using proxy = running({ providers: [provider('p', a.url)] });
  await proxy.post('/v1/chat/completions', { ...CHAT, user: MAIL });
  expect(a.asked[0]!.text).toContain(MAIL);
  expect((await proxy.recorded(1))[0]!.attempt_log[0]!.redacted).toBeUndefined();
});

describe('the redaction rule that applies', () => {
  const asking = { model: 'm', messages: [{ role: 'user', content: SAID }] };

  test('is that of each target’s own provider, also after failover', async () => {
    await using cloud = upstream(() => new Response('down', { status: 500 }));
    await using local = upstream(() => completion('hello'));
    await using proxy = running({
      providers: [
        provider('cloud', cloud.url, { models: ['m'], max_retries: 0, redact: REDACT }),
        provider('local', local.url, { models: ['m'], priority: 2 }),
      ],
    });
    const reply = await proxy.post('/v1/chat/completions', asking);
    expect(cloud.asked[0]!.text).toContain('[EMAIL_1]');
    expect(cloud.asked[0]!.text).not.toContain(MAIL);
    expect(local.asked[0]!.text).toContain(SAID);
    expect(reply.headers.get('x-llmproxy-redacted')).toBeNull();
    const [record] = await proxy.recorded(1);
    expect(record!.attempt_log.map(({ redacted }) => redacted)).toEqual([{ email: 1, key: 1 }, undefined]);
  });

  test('includes those of all routes on the way besides that of the provider', async () => {
    await using a = upstream(() => completion('hello'));
    await using proxy = running({
      providers: [provider('p', a.url, { models: ['m'], redact: { out: ['email'] } })],
      models: {
        inner: { targets: ['p/m'], redact: { out: ['key'] } },
        outer: { targets: ['inner'], redact: { patterns: ['word=my key'] } },
        plain: 'p/m',
      },
    });
    const ask = async (model: string) => {
      await proxy.post('/v1/chat/completions', { ...asking, model });
      return a.asked.at(-1)!.text;
    };
    expect(await ask('plain')).toContain(`I am [EMAIL_1] and my key is ${KEY}`);
    expect(await ask('inner')).toContain('I am [EMAIL_1] and my key is [KEY_1]');
    expect(await ask('outer')).toContain('I am [EMAIL_1] and [WORD_1] is [KEY_1]');
  });
});

describe('content that cannot be searched', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const shown = {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: [{ type: 'text', text: MAIL }, image] }],
  };

  test('is refused where it is an image, unless media: pass allows it', async () => {
    await using a = upstream(() => completion('hello'));
    await using strict = running(single(a.url, REDACT));
    const reply = await strict.post('/v1/chat/completions', shown);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({
      error: {
        code: 'unredactable',
        message: 'Cannot redact an image in messages[0].content[1], so the request is not sent',
      },
    });
    expect(a.asked).toEqual([]);
    await using lenient = running(single(a.url, { ...REDACT, media: 'pass' }));
    expect((await lenient.post('/v1/chat/completions', shown)).status).toBe(200);
    expect(a.asked[0]!.text).toContain('AAAA');
    expect(a.asked[0]!.text).not.toContain(MAIL);
  });

  test('goes to a target whose provider has no rule', async () => {
    await using cloud = upstream(() => completion('never'));
    await using local = upstream(() => completion('hello'));
    await using proxy = running({
      providers: [
        provider('cloud', cloud.url, { redact: REDACT }),
        provider('local', local.url, { priority: 2 }),
      ],
    });
    expect((await proxy.post('/v1/chat/completions', shown)).status).toBe(200);
    expect(cloud.asked).toEqual([]);
    expect(local.asked[0]!.text).toContain(MAIL);
  });

  test('is refused where it is a form', async () => {
    await using a = upstream(() => Response.json({ text: 'x' }));
    await using proxy = running({
      providers: [
        {
          name: 'p',
          type: 'openai',
          base_url: a.url,
          api_key: 'k',
          models: ['*'],
          redact: { ...REDACT, media: 'pass' },
        },
      ],
    });
    const form = new FormData();
    form.append('model', 'whisper-1');
    form.append('prompt', MAIL);
    form.append('file', new Blob(['x']), 'x.wav');
    const reply = await fetch(`${proxy.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect([reply.status, ((await reply.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      'unredactable',
    ]);
    expect(a.asked).toEqual([]);
  });

  test('is refused where it is a response stored at the provider', async () => {
    await using a = upstream(() => Response.json(SPEAKERS.responses.whole));
    await using proxy = running({
      providers: [
        { name: 'p', type: 'openai', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT },
      ],
    });
    const reply = await proxy.post('/v1/responses', {
      model: 'gpt-5',
      input: MAIL,
      previous_response_id: 'resp_of_openai',
    });
    expect(reply.status).toBe(400);
    expect(await reply.text()).toContain('previous_response_id');
    expect(a.asked).toEqual([]);
  });

  test('is refused where the search takes longer than the timeout, and the next request is served', async () => {
    await using a = upstream(() => completion('hello'));
    const slow = ['slow=(?:a|a)*b'];
    await using proxy = running(single(a.url, { ...REDACT, patterns: slow, timeout: '1s' }));
    // The regular expression engine does give up on each of these texts, but only after a while.
    const parts = Array.from({ length: 40 }, (_, n) => ({ role: 'user', content: `${n} ${'a'.repeat(40)}` }));
    const [stuck, next] = await Promise.all([
      proxy.post('/v1/chat/completions', { model: 'm', messages: parts }),
      Bun.sleep(100).then(() =>
        proxy.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: MAIL }] }),
      ),
    ]);
    expect(stuck.status).toBe(503);
    expect(await stuck.json()).toMatchObject({ error: { code: 'redaction_failed' } });
    expect(next.status).toBe(200);
    expect(a.asked.map(({ text }) => text.includes('[EMAIL_1]'))).toEqual([true]);
    const [record] = await proxy.recorded(2);
    expect(record).toMatchObject({ fault: 'redaction_failed', attempts: 1 });
  });
});

test('token ids in place of text are decoded before they are searched', async () => {
  await using a = upstream(() =>
    Response.json({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [1] }],
      model: 'e',
      usage: { prompt_tokens: 1, total_tokens: 1 },
    }),
  );
  await using proxy = running(single(a.url, { patterns: ['word=hello'] }));
  // The cl100k tokens of "hello world".
  const reply = await proxy.post('/v1/embeddings', { model: 'e', input: [15339, 1917] });
  expect(reply.status).toBe(200);
  expect(JSON.parse(a.asked[0]!.text)).toMatchObject({ input: ['[WORD_1] world'] });
});

test('tokens are counted for the redacted request', async () => {
  await using a = upstream(() => Response.json({ input_tokens: 5 }));
  await using proxy = running({
    providers: [
      { name: 'p', type: 'anthropic', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT },
    ],
  });
  await proxy.post('/v1/messages/count_tokens', {
    model: 'claude-x',
    messages: [{ role: 'user', content: SAID }],
  });
  expect(a.asked[0]!.text).toContain('I am [EMAIL_1] and my key is [KEY_1]');
});

test('a stored conversation is sent again in full and redacted, even if the provider stored it too', async () => {
  await using a = upstream(() => Response.json({ ...SPEAKERS.responses.whole, store: true }));
  await using proxy = running({
    providers: [{ name: 'p', type: 'openai', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT }],
    responses: { store: 'asked' },
  });
  const first = (await (
    await proxy.post('/v1/responses', { model: 'gpt-5', input: SAID, store: true })
  ).json()) as { id: string };
  const reply = await proxy.post('/v1/responses', {
    model: 'gpt-5',
    input: `again ${MAIL}`,
    previous_response_id: first.id,
  });
  expect(reply.status).toBe(200);
  const { text } = a.asked[1]!;
  expect(text).toContain('I am [EMAIL_1]');
  expect(text).toContain('again [EMAIL_1]');
  expect(text).not.toContain('previous_response_id');
});

describe('content that is inserted later is redacted as well', () => {
  const said = `Write to ${MAIL}.`;
  const answer = {
    ...SPEAKERS.chat.whole,
    choices: [{ index: 0, message: { role: 'assistant', content: said }, finish_reason: 'stop' }],
  };

  test('for an item referenced by id', async () => {
    await using a = upstream(() => Response.json(answer));
    await using proxy = running(single(a.url, REDACT));
    const first = (await (await proxy.post('/v1/responses', { model: 'm', input: 'hi' })).json()) as {
      output: { id: string }[];
    };
    const reference = { type: 'item_reference', id: first.output[0]!.id };
    const input = [{ role: 'user', content: 'hi' }, reference, { role: 'user', content: 'go' }];
    expect((await proxy.post('/v1/responses', { model: 'm', input })).status).toBe(200);
    expect(JSON.parse(a.asked[1]!.text)).toMatchObject({
      messages: [{ content: 'hi' }, { role: 'assistant', content: 'Write to [EMAIL_1].' }, { content: 'go' }],
    });
  });

  test('for a summary that was made here', async () => {
    await using a = upstream(() => Response.json(answer));
    await using proxy = running(single(a.url, REDACT));
    const compacted = (await (
      await proxy.post('/v1/responses/compact', { model: 'm', input: 'hi' })
    ).json()) as { output: object[] };
    const input = [...compacted.output, { role: 'user', content: 'go' }];
    expect((await proxy.post('/v1/responses', { model: 'm', input })).status).toBe(200);
    expect(a.asked[1]!.text).toContain('Write to [EMAIL_1].');
    expect(a.asked[1]!.text).not.toContain(MAIL);
  });
});

test('a realtime session is refused where redaction applies', async () => {
  await using a = upstream(() => new Response('never', { status: 500 }));
  await using proxy = running({
    providers: [{ name: 'p', type: 'openai', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT }],
  });
  const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.addEventListener('close', () => resolve());
  socket.addEventListener('error', () => resolve());
  await promise;
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ endpoint: 'realtime', fault: 'unredactable' });
  expect(a.asked).toEqual([]);
});

test('one caller’s large requests do not delay the redaction of another’s', async () => {
  await using a = upstream(() => completion('hello'));
  const keys = ['one', 'two'].map((name) => ({ name, key: `sk-test-${name}-0123456789` }));
  await using proxy = running({ ...single(a.url, REDACT), auth: { keys } });
  const ask = async (key: string, content: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const body = { model: 'm', messages: [{ role: 'user', content }] };
    const reply = await proxy.post('/v1/chat/completions', body, { headers });
    await reply.text();
    return reply.status;
  };
  const long = 'call +49 151 2345678 or mail ann at corp, '.repeat(5_000);
  let answered = 0;
  const many = Array.from({ length: 20 }, async () => {
    expect(await ask(keys[0]!.key, long)).toBe(200);
    answered += 1;
  });
  expect(await ask(keys[1]!.key, MAIL)).toBe(200);
  expect(answered).toBeLessThan(15);
  await Promise.all(many);
});

test('/providers lists what is redacted', async () => {
  await using a = upstream(() => completion('hello'));
  await using proxy = running(single(a.url, { out: ['email'], patterns: ['word=x+'] }));
  expect(await (await fetch(`${proxy.url}/providers`)).json()).toMatchObject({
    providers: [{ redacts: ['email', 'word'] }],
  });
});

test('metrics count the values that were redacted', async () => {
  await using a = upstream(() => completion('hello'));
  await using proxy = running(single(a.url, REDACT));
  await proxy.post('/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: `${SAID} ${MAIL}` }],
  });
  await proxy.recorded(1);
  const page = await (await fetch(`${proxy.url}/metrics`)).text();
  expect(page).toContain('llmproxy_redacted_values_total{provider="p",kind="email"} 2');
  expect(page).toContain('llmproxy_redacted_values_total{provider="p",kind="key"} 1');
});
