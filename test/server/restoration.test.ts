/** Values redacted from a request are restored in its answer, unstreamed and streamed, in every protocol. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Running } from '../helpers/proxy.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { CallPieces } from '../../src/wire/gemini/call-pieces.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { provider, running } from '../helpers/proxy.ts';
import { speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { answering } from '../helpers/scripted-answers.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';
import { cutAt } from '../properties/cuts.ts';

type Redact = NonNullable<ConfigInput['providers'][number]['redact']>;

const MAIL = 'ann@corp.example.com';
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEowIBAAKCAQEA'.repeat(4)}\n-----END RSA PRIVATE KEY-----`;
const SAID = `I am ${MAIL}, my key is\n${PEM}\n, not [EMAIL_1] or [EMAIL_9]`;
const REDACT: Redact = { out: ['email', 'private_key'], restore: true };

const hidden = (text: string) => text.replaceAll(MAIL, '[EMAIL_2]').replaceAll(PEM, '[PRIVATE_KEY_1]');

/** The requests. The client's own placeholder already occupies the number 1. */
const ASKED: Readonly<Record<keyof typeof CLIENTS, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: SAID }] },
  messages: { max_tokens: 9, messages: [{ role: 'user', content: SAID }] },
  responses: { input: SAID },
  gemini: { contents: [{ role: 'user', parts: [{ text: SAID }] }] },
};
const CLIENT_NAMES = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[];
const SPEAKER_NAMES = Object.keys(SPEAKERS) as SpeakerName[];
const WAYS = ['whole', 'stream'] as const;
/** The protocols whose reasoning is signed or may be encrypted, and must therefore stay unchanged. */
const SIGNING: readonly SpeakerName[] = ['messages', 'responses', 'converse'];

const REASONING = `It is ${MAIL}.`;
const TEXT = `Mail ${MAIL} about ${MAIL}, not [EMAIL_1], [EMAIL_9], [EMA or [EMAIL_2 [`;
const ARGS = { to: MAIL, key: PEM, list: ['[', MAIL], [MAIL]: 1 };

async function answerOf(proxy: Running, client: keyof typeof CLIENTS, way: 'whole' | 'stream') {
  const { path, request, check } = CLIENTS[client];
  const body = { ...request, ...ASKED[client], stream: way === 'stream' };
  const reply = await proxy.post(path, body);
  const text = await reply.text();
  expect(reply.status).toBe(200);
  expect(reply.headers.get('x-llmproxy-redacted')).toBe('email=1, private_key=1');
  if (way === 'whole') return { answer: JSON.parse(text) as JsonObject, reply };
  const { value, problems } = check(text);
  // A relayed stream is only as valid as what the scripted provider sends.
  if (reply.headers.get('x-llmproxy-provider') !== client) expect(problems).toEqual([]);
  return { answer: value, reply };
}

describe.each(SPEAKER_NAMES)('restoration from a %s provider', (name) => {
  const told = {
    reasoning: cutAt(hidden(REASONING), [7, 9]),
    text: cutAt(hidden(TEXT), [5, 6, 12, 14, 28]),
    args: cutAt(
      JSON.stringify(ARGS, (_, value: unknown) =>
        typeof value === 'string' ? hidden(value) : value,
      ).replaceAll(MAIL, '[EMAIL_2]'),
      [8, 10, 30],
    ),
  };
  let provided: Upstream;
  let proxy: Running;

  beforeAll(() => {
    provided = answering(name, () => told);
    proxy = running({ providers: [{ ...speakerConfig(name, provided.url), redact: REDACT }] });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await provided[Symbol.asyncDispose]();
  });

  describe.each(CLIENT_NAMES)('to a %s client', (client) => {
    test.each(WAYS)('%s', async (way) => {
      const { answer, reply } = await answerOf(proxy, client, way);
      const said = CLIENTS[client].said(answer);
      expect(said.text).toBe(TEXT);
      expect(said.reasoning).toBe(SIGNING.includes(name) ? hidden(REASONING) : REASONING);
      expect(said.calls.map(([, args]) => JSON.parse(args))).toEqual([ARGS, {}]);
      // The provider never saw the original values.
      const sent = provided.asked.at(-1)!.text;
      expect(sent).toContain('I am [EMAIL_2], my key is\\n[PRIVATE_KEY_1]\\n, not [EMAIL_1] or [EMAIL_9]');
      expect(sent).not.toContain(MAIL);
      const id = reply.headers.get('x-request-id');
      const record = await until('the record', () => proxy.records.find((each) => each.id === id));
      expect(record.outcome).toBe('success');
      expect(CLIENTS[client].said(JSON.parse(record.response!) as JsonObject).text).toBe(TEXT);
    });
  });
});

describe('restoration for Ollama clients', () => {
  const linesOf = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);
  const WORDS = `Mail ${MAIL}, not [EMAIL_1] [`;

  test.each(['chat', 'generate'] as const)('restores a relayed %s stream', async (kind) => {
    const said = (content: string) =>
      kind === 'chat' ? { message: { role: 'assistant', content } } : { response: content };
    const pieces = cutAt(hidden(WORDS), [6, 9, 14]);
    const lines = [
      kind === 'chat'
        ? { message: { role: 'assistant', content: '', thinking: `Hm, ${hidden(MAIL)} [` } }
        : { response: '', thinking: `Hm, ${hidden(MAIL)} [` },
      ...pieces.map(said),
    ].map((line) => ({ model: 'm', created_at: '2026-01-01T00:00:00Z', ...line, done: false }));
    const last = {
      model: 'm',
      created_at: '2026-01-01T00:00:00Z',
      ...said(''),
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 1,
      eval_count: 2,
    };
    await using a = upstream(
      () =>
        new Response([...lines, last].map((line) => `${JSON.stringify(line)}\n`).join(''), {
          headers: { 'content-type': 'application/x-ndjson' },
        }),
    );
    await using proxy = running({
      providers: [{ name: 'p', type: 'ollama', base_url: a.url, models: ['*'], redact: REDACT }],
    });
    const body = kind === 'chat' ? { messages: [{ role: 'user', content: SAID }] } : { prompt: SAID };
    const reply = await proxy.post(`/api/${kind}`, { model: 'm', ...body });
    const told = linesOf(await reply.text()).map((line) => (kind === 'chat' ? objectOf(line.message) : line));
    expect(told.map(({ content, response }) => String(content ?? response ?? '')).join('')).toBe(WORDS);
    expect(told.map(({ thinking }) => String(thinking ?? '')).join('')).toBe(`Hm, ${MAIL} [`);
    expect(a.asked[0]!.text).not.toContain(MAIL);
  });

  test('restores a translated stream', async () => {
    const told = {
      reasoning: ['Hm.'],
      text: cutAt(hidden(WORDS), [6, 9, 14]),
      args: ['{"to":"[EMA', 'IL_2]"}'],
    };
    await using a = answering('messages', () => told);
    await using proxy = running({ providers: [{ ...speakerConfig('messages', a.url), redact: REDACT }] });
    const reply = await proxy.post('/api/chat', { model: 'm', messages: [{ role: 'user', content: SAID }] });
    const messages = linesOf(await reply.text()).map(({ message }) => objectOf(message));
    expect(messages.map(({ content }) => content).join('')).toBe(WORDS);
    const [call] = messages.flatMap(({ tool_calls: calls }) => listOf(calls));
    expect(objectOf(objectOf(call).function).arguments).toEqual({ to: MAIL });
  });
});

test('a stream of legacy completions is restored', async () => {
  const chunk = (text: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'text_completion', created: 1, model: 'm', choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] })}\n\n`;
  const events = [...['Mail [EMA', 'IL_2', '], ['].map((text) => chunk(text)), chunk('', 'stop')].join('');
  await using a = upstream(() => sse(`${events}data: [DONE]\n\n`));
  await using proxy = running({
    providers: [provider('p', a.url, { type: 'vllm', models: ['*'], redact: REDACT })],
  });
  const reply = await proxy.post('/v1/completions', { model: 'm', prompt: SAID, stream: true });
  const texts = (await reply.text()).split('\n\n').flatMap((event) => {
    const data = event.slice('data: '.length);
    return data === '[DONE]' || data === ''
      ? []
      : [objectOf(listOf((JSON.parse(data) as JsonObject).choices)[0]).text];
  });
  expect(texts.join('')).toBe(`Mail ${MAIL}, [`);
  expect(a.asked[0]!.text).not.toContain(MAIL);
});

describe('a restored answer', () => {
  const asking = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: SAID }] };

  test('is held back only where its text may be the start of a placeholder', async () => {
    const { promise: going, resolve: goOn } = Promise.withResolvers<void>();
    const events = chatStream(['See [EMA', 'IL_2].'])
      .split('\n\n')
      .map((event) => `${event}\n\n`);
    await using a = upstream(() =>
      sse(
        new ReadableStream({
          async start(controller) {
            const encoder = new TextEncoder();
            for (const event of events.slice(0, 2)) controller.enqueue(encoder.encode(event));
            await going;
            for (const event of events.slice(2, -1)) controller.enqueue(encoder.encode(event));
            controller.close();
          },
        }),
      ),
    );
    await using proxy = running({ providers: [provider('p', a.url, { redact: REDACT })] });
    const reply = await proxy.post('/v1/chat/completions', asking);
    const reader = reply.body!.getReader();
    let text = '';
    while (!text.includes('"content":"See "')) text += new TextDecoder().decode((await reader.read()).value);
    expect(text).not.toContain('EMA');
    goOn();
    for (let read = await reader.read(); !read.done; read = await reader.read())
      text += new TextDecoder().decode(read.value);
    expect(text).toContain(`"content":"${MAIL}."`);
  });

  test('keeps the bytes of events that have nothing to restore', async () => {
    const odd =
      'data: {"id" : "c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"h\\u0069 [x]"},"finish_reason":null}], "big":12345678901234567890}\r\n\r\n';
    const rest = chatStream(['[EMAIL_2]']);
    await using a = upstream(() => sse(`: hello\n\n${odd}${rest}`));
    await using proxy = running({ providers: [provider('p', a.url, { redact: REDACT })] });
    const text = await (await proxy.post('/v1/chat/completions', asking)).text();
    expect(text).toStartWith(`: hello\n\n${odd}`);
    expect(text).toContain(MAIL);
  });

  test('is complete where its text ends like the start of a placeholder, with its events numbered in order', async () => {
    const event = (type: string, number: number, more: object) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...more })}\n\n`;
    const item = {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'to [EMAIL_2] [E', annotations: [] }],
    };
    const at = { output_index: 0, content_index: 0, item_id: 'msg_1' };
    const response = { ...SPEAKERS.responses.whole, output: [item] };
    const events = [
      event('response.created', 0, { response: { ...response, status: 'in_progress', output: [] } }),
      event('response.output_item.added', 1, { output_index: 0, item: { ...item, content: [] } }),
      event('response.output_text.delta', 2, { ...at, delta: 'to [EMAIL' }),
      event('response.output_text.delta', 3, { ...at, delta: '_2] [E' }),
      event('response.output_text.done', 4, { ...at, text: 'to [EMAIL_2] [E' }),
      event('response.output_item.done', 5, { output_index: 0, item }),
      event('response.completed', 6, { response }),
    ];
    await using a = upstream(() => sse(events.join('')));
    await using proxy = running({
      providers: [
        { name: 'p', type: 'openai', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT },
      ],
    });
    const text = await (
      await proxy.post('/v1/responses', { model: 'gpt-5', input: SAID, stream: true })
    ).text();
    const values = text
      .split('\n\n')
      .flatMap((each) =>
        each.includes('data: ') ? [JSON.parse(each.slice(each.indexOf('data: ') + 6)) as JsonObject] : [],
      );
    expect(values.map(({ sequence_number: number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(values.map(({ delta }) => delta ?? '').join('')).toBe(`to ${MAIL} [E`);
    expect(values.find(({ type }) => type === 'response.output_text.done')!.text).toBe(`to ${MAIL} [E`);
    expect(text).not.toContain('[EMAIL_2]');
  });

  test('echoes the fields of the request as the client sent them', async () => {
    await using a = upstream(() => completion('Hello.'));
    await using proxy = running({
      providers: [provider('p', a.url, { models: ['*'], redact: { ...REDACT, restore: false } })],
    });
    const answer = (await (
      await proxy.post('/v1/responses', {
        model: 'm',
        input: SAID,
        instructions: `For ${MAIL}`,
        metadata: { owner: MAIL },
      })
    ).json()) as JsonObject;
    expect(answer).toMatchObject({ instructions: `For ${MAIL}`, metadata: { owner: MAIL } });
  });

  test('keeps its placeholders where restore is off, and the next turn reuses them', async () => {
    await using a = upstream(() => completion('I wrote to [EMAIL_1].'));
    await using proxy = running({ providers: [provider('p', a.url, { redact: { out: ['email'] } })] });
    const messages = [{ role: 'user', content: `Write to ${MAIL}` }];
    const answer = (await (
      await proxy.post('/v1/chat/completions', { model: 'gpt-4o', messages })
    ).json()) as JsonObject;
    const { message } = objectOf(listOf(answer.choices)[0]);
    expect(message).toMatchObject({ content: 'I wrote to [EMAIL_1].' });
    await proxy.post('/v1/chat/completions', {
      model: 'gpt-4o',
      messages: [...messages, message, { role: 'user', content: 'and to bob@corp.example.com' }],
    });
    expect(JSON.parse(a.asked[1]!.text)).toMatchObject({
      messages: [
        { content: 'Write to [EMAIL_1]' },
        { content: 'I wrote to [EMAIL_1].' },
        { content: 'and to [EMAIL_2]' },
      ],
    });
  });
});

test('a compressed unstreamed answer is restored, also where a stream was requested', async () => {
  const answer = JSON.stringify(await completion('To [EMAIL_2].').json());
  await using a = upstream(
    () =>
      new Response(Bun.gzipSync(answer), {
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      }),
  );
  await using proxy = running({ providers: [provider('p', a.url, { redact: REDACT })] });
  const ask = async (stream: boolean) => {
    const body = { model: 'gpt-4o', stream, messages: [{ role: 'user', content: SAID }] };
    return (
      await proxy.post('/v1/chat/completions', body, { headers: { 'accept-encoding': 'gzip' } })
    ).text();
  };
  expect(JSON.parse(await ask(false))).toMatchObject({ choices: [{ message: { content: `To ${MAIL}.` } }] });
  expect(await ask(true)).toContain(`"content":"To ${MAIL}."`);
});

test('several choices in one stream are restored separately', async () => {
  const chunk = (index: number, content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index, delta: finish ? {} : { role: 'assistant', content }, finish_reason: finish }] })}\n\n`;
  const events = [
    chunk(0, 'a [EMA'),
    chunk(1, 'b [EMAIL_'),
    chunk(0, 'IL_2]'),
    chunk(1, '2] ['),
    chunk(0, '', 'stop'),
    chunk(1, '', 'stop'),
  ];
  await using a = upstream(() => sse(`${events.join('')}data: [DONE]\n\n`));
  await using proxy = running({ providers: [provider('p', a.url, { redact: REDACT })] });
  const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'k', maxRetries: 0 });
  const stream = client.chat.completions.stream({
    model: 'gpt-4o',
    n: 2,
    messages: [{ role: 'user', content: SAID }],
  });
  const { choices } = await stream.finalChatCompletion();
  expect(choices.map(({ message }) => message.content)).toEqual([`a ${MAIL}`, `b ${MAIL} [`]);
});

describe('the openai client', () => {
  const told = { reasoning: ['Hm.'], text: ['Mail [EM', 'AIL_2]', '.'], args: ['{"to":"[EMAIL', '_2]"}'] };

  test.each(['chat', 'messages'] as const)(
    'assembles a restored chat stream from a %s provider',
    async (name) => {
      await using a = answering(name, () => told);
      await using proxy = running({ providers: [{ ...speakerConfig(name, a.url), redact: REDACT }] });
      const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'k', maxRetries: 0 });
      const stream = client.chat.completions.stream({
        model: 'm-1',
        messages: [{ role: 'user', content: SAID }],
      });
      const { message } = (await stream.finalChatCompletion()).choices[0]!;
      expect(message.content).toBe(`Mail ${MAIL}.`);
      expect(message.tool_calls![0]).toMatchObject({ function: { arguments: JSON.stringify({ to: MAIL }) } });
    },
  );

  test.each(['chat', 'gemini'] as const)(
    'assembles a restored Responses stream from a %s provider',
    async (name) => {
      await using a = answering(name, () => told);
      await using proxy = running({ providers: [{ ...speakerConfig(name, a.url), redact: REDACT }] });
      const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'k', maxRetries: 0 });
      const response = await client.responses
        .stream({ model: 'm-1', input: SAID, instructions: `For ${MAIL}` })
        .finalResponse();
      expect(response.output_text).toBe(`Mail ${MAIL}.`);
      expect(response.instructions).toBe(`For ${MAIL}`);
      expect(response.output.find(({ type }) => type === 'function_call')).toMatchObject({
        arguments: JSON.stringify({ to: MAIL }),
      });
    },
  );
});

describe('arguments that Gemini streams', () => {
  const part = (functionCall: JsonObject, candidate: JsonObject = {}) => ({
    candidates: [{ content: { role: 'model', parts: [{ functionCall }] }, ...candidate }],
  });
  const piece = (jsonPath: string, stringValue: string, willContinue: boolean) =>
    part({
      partialArgs: [{ jsonPath, stringValue, ...(willContinue ? { willContinue } : {}) }],
      willContinue: true,
    });
  const streamed = [
    part({ name: 'send', willContinue: true }),
    piece('$.to', 'To [EMA', true),
    piece('$.to', 'IL_2', true),
    piece('$.to', '] [', false),
    piece('$.cc[0]', '[EMAIL', true),
    piece('$.cc[0]', '_2]', false),
    // This text never ends.
    piece('$.bcc', '[EMAIL_2] [EMAIL_', true),
    part({}, { finishReason: 'STOP' }),
  ];
  const ARGUMENTS = { to: `To ${MAIL} [`, cc: [MAIL], bcc: `${MAIL} [EMAIL_` };

  test.each(['gemini', 'chat'] as const)('are restored for a %s client', async (client) => {
    await using a = upstream(() =>
      sse(streamed.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')),
    );
    await using proxy = running({ providers: [{ ...speakerConfig('gemini', a.url), redact: REDACT }] });
    const { path, request } = CLIENTS[client];
    const reply = await proxy.post(path, { ...request, ...ASKED[client], stream: true });
    const text = await reply.text();
    if (client === 'chat') {
      const { value } = CLIENTS.chat.check(text);
      expect(CLIENTS.chat.said(value).calls.map(([, args]) => JSON.parse(args))).toEqual([ARGUMENTS]);
      return;
    }
    const pieces = new CallPieces();
    const calls = text
      .split('\n')
      .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as JsonObject] : []))
      .flatMap(({ candidates }) => listOf(objectOf(objectOf(listOf(candidates)[0]).content).parts))
      .flatMap((each) => pieces.push(objectOf(each)));
    expect(calls.map(({ functionCall }) => objectOf(functionCall).args)).toEqual([ARGUMENTS]);
  });
});

describe('the next turn', () => {
  test('returns signed thinking as the provider wrote it, and reuses its placeholders', async () => {
    const told = {
      reasoning: ['Write to [EMAIL_1].'],
      text: ['For [EMAIL_1]: '],
      args: ['{"to":"[EMAIL_1]"}'],
    };
    await using a = answering('messages', () => told);
    await using proxy = running({ providers: [{ ...speakerConfig('messages', a.url), redact: REDACT }] });
    const ask = {
      model: 'claude-sonnet-4-5',
      max_tokens: 4_096,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
    };
    const first = { role: 'user', content: `I am ${MAIL}` };
    const answer = (await (await proxy.post('/v1/messages', { ...ask, messages: [first] })).json()) as {
      content: JsonObject[];
    };
    expect(answer.content.slice(0, 3)).toMatchObject([
      { thinking: 'Write to [EMAIL_1].' },
      { text: `For ${MAIL}: ` },
      { input: { to: MAIL } },
    ]);
    const results = answer.content.flatMap(({ type, id }) =>
      type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: id, content: `sent to ${MAIL}` }] : [],
    );
    await proxy.post('/v1/messages', {
      ...ask,
      messages: [first, { role: 'assistant', content: answer.content }, { role: 'user', content: results }],
    });
    const sent = JSON.parse(a.asked[1]!.text) as { messages: { content: unknown }[] };
    expect(sent.messages[0]!.content).toBe('I am [EMAIL_1]');
    expect(sent.messages[1]!.content).toMatchObject([
      { type: 'thinking', thinking: 'Write to [EMAIL_1].', signature: 'c2ln' },
      { text: 'For [EMAIL_1]: ' },
      { input: { to: '[EMAIL_1]' } },
      {},
    ]);
    expect(JSON.stringify(sent)).not.toContain(MAIL);
  });

  test.each(SPEAKER_NAMES)('sends no redacted value from what is remembered of a %s answer', async (name) => {
    const told = { reasoning: ['Hm, [EMAIL_1].'], text: ['For [EMAIL_1]: '], args: ['{"to":"[EMAIL_1]"}'] };
    await using a = answering(name, () => told);
    await using proxy = running({ providers: [{ ...speakerConfig(name, a.url), redact: REDACT }] });
    const first = { role: 'user', content: `I am ${MAIL}` };
    const ask = async (messages: unknown[]) =>
      (await (await proxy.post('/v1/chat/completions', { model: 'm-1', messages })).json()) as JsonObject;
    const message = objectOf(objectOf(listOf((await ask([first])).choices)[0]).message);
    // This client keeps only the fields that chat itself defines.
    const { role, content, tool_calls: calls } = message;
    const results = listOf(calls).map((call) => ({
      role: 'tool',
      tool_call_id: objectOf(call).id,
      content: 'done',
    }));
    await ask([first, { role, content, tool_calls: calls }, ...results]);
    expect(a.asked[1]!.text).toContain('[EMAIL_1]');
    expect(a.asked[1]!.text).not.toContain(MAIL);
  });
});

test('reasoning that is remembered for clients that drop it contains no redacted values', async () => {
  const detail = {
    type: 'reasoning.text',
    text: 'Hm, [EMAIL_1].',
    signature: 'c2ln',
    format: 'anthropic-claude-v1',
  };
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
  const message = {
    role: 'assistant',
    content: 'So:',
    reasoning: 'Hm, [EMAIL_1].',
    reasoning_details: [detail],
    tool_calls: [call],
  };
  const answer = { ...SPEAKERS.chat.whole, choices: [{ index: 0, message, finish_reason: 'tool_calls' }] };
  await using a = upstream(() => Response.json(answer));
  await using proxy = running({
    providers: [
      { name: 'p', type: 'moonshot', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT },
    ],
  });
  const first = { role: 'user', content: `I am ${MAIL}` };
  const ask = async (messages: unknown[]) =>
    (await (await proxy.post('/v1/messages', { model: 'm', max_tokens: 9, messages })).json()) as {
      content: JsonObject[];
    };
  const { content } = await ask([first]);
  expect(content[0]).toMatchObject({ type: 'thinking', thinking: `Hm, ${MAIL}.` });
  const called = content.filter(({ type }) => type === 'text' || type === 'tool_use');
  await ask([
    first,
    { role: 'assistant', content: called },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: called[1]!.id, content: 'x' }] },
  ]);
  expect(a.asked[1]!.text).toContain('Hm, [EMAIL_1].');
  expect(a.asked[1]!.text).not.toContain(MAIL);
});

test('text that another target adds after a break is not restored', async () => {
  await using broken = upstream(() => sse(chatStream(['Mail [EMAIL_2], '], '')));
  await using other = upstream(() => sse(chatStream(['not [EMAIL_2].'])));
  await using proxy = running({
    providers: [
      provider('cloud', broken.url, { models: ['m'], max_retries: 0, redact: REDACT }),
      provider('local', other.url, { models: ['m'], priority: 2, type: 'vllm' }),
    ],
    routing: { resume: 'on' },
  });
  const body = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: SAID }] };
  const text = await (await proxy.post('/v1/messages', body)).text();
  const { value } = CLIENTS.messages.check(text);
  expect(CLIENTS.messages.said(value).text).toBe(`Mail ${MAIL}, not [EMAIL_2].`);
});

test('an unstreamed Responses answer to a stream request echoes the fields that the client sent', async () => {
  await using a = upstream(() => Response.json(SPEAKERS.responses.whole));
  await using proxy = running({
    providers: [{ name: 'p', type: 'openai', base_url: a.url, api_key: 'k', models: ['*'], redact: REDACT }],
  });
  const body = { model: 'gpt-5', input: SAID, instructions: `For ${MAIL}`, stream: true };
  const text = await (await proxy.post('/v1/responses', body)).text();
  expect(text).toContain(`"instructions":"For ${MAIL}"`);
});

test('a stream resumed on another target follows the redaction rule of each target', async () => {
  await using broken = upstream(() => sse(chatStream(['Mail [EMAIL_2], ', 'then [EMA'], '')));
  await using other = upstream(({ text }) =>
    sse(chatStream([text.includes(MAIL) ? 'then ' : 'hidden', 'call.'])),
  );
  await using proxy = running({
    providers: [
      provider('cloud', broken.url, { models: ['m'], max_retries: 0, redact: REDACT }),
      provider('local', other.url, { models: ['m'], priority: 2, type: 'vllm' }),
    ],
    routing: { resume: 'on' },
  });
  const reply = await proxy.post('/v1/chat/completions', {
    model: 'm',
    stream: true,
    messages: [{ role: 'user', content: SAID }],
  });
  const text = await reply.text();
  const said = text.split('\n\n').flatMap((event) => {
    const data = event.slice('data: '.length);
    return data === '[DONE]' || data === ''
      ? []
      : listOf((JSON.parse(data) as JsonObject).choices).map((choice) =>
          String(objectOf(objectOf(choice).delta).content ?? ''),
        );
  });
  expect(said.join('')).toBe(`Mail ${MAIL}, then then call.`);
  expect(JSON.parse(other.asked[0]!.text)).toMatchObject({
    messages: [{ content: SAID }, { role: 'assistant', content: `Mail ${MAIL}, then` }],
  });
});
