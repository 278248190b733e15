/** Clients of Ollama's own API with providers of every protocol, and with an Ollama. */
import { afterAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { listOf, objectOf, parseJson } from '../../src/wire/json.ts';
import { ollamaLineProblems, ollamaProblems } from '../helpers/published/ollama.ts';
import { provider, running } from '../helpers/proxy.ts';
import { ANSWER, speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { chatStream, sse, upstream } from '../helpers/upstream.ts';

const MESSAGES = [{ role: 'user', content: 'hi' }];
const WEATHER = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };
const ASKED = {
  chat: { path: '/api/chat', body: { messages: MESSAGES, tools: [WEATHER] } },
  generate: { path: '/api/generate', body: { prompt: 'hi' } },
} as const;
const kinds = ['chat', 'generate'] as const;
const names = Object.keys(SPEAKERS) as SpeakerName[];
const pairs = kinds.flatMap((kind) => names.map((name) => [kind, name] as const));

const linesOf = (text: string) => {
  expect(text).toEndWith('\n');
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
};
/** The content of an answer in either of its shapes. */
const saidIn = (kind: 'chat' | 'generate', answer: JsonObject) => {
  const { content, thinking, tool_calls: calls } = kind === 'chat' ? objectOf(answer.message) : answer;
  return {
    text: kind === 'chat' ? content : answer.response,
    thinking,
    calls: listOf(calls).map((call) => {
      const { name, arguments: args } = objectOf(objectOf(call).function);
      return [name, JSON.stringify(args)];
    }),
  };
};
const SAID = { text: ANSWER.text, thinking: ANSWER.reasoning, calls: ANSWER.calls.map((call) => [...call]) };
const USED = { prompt_eval_count: ANSWER.usage.input, eval_count: ANSWER.usage.output };

describe.each(pairs)('a client of /api/%s with a %s provider', (kind, name) => {
  const { path, body } = ASKED[kind];
  const endpoint = `ollama.${kind}`;

  test('receives an unstreamed answer', async () => {
    await using provided = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    const answer = (await (
      await proxy.post(path, { model: 'm-1', stream: false, ...body })
    ).json()) as JsonObject;
    expect(ollamaProblems(kind, answer)).toEqual([]);
    expect(saidIn(kind, answer) as object).toEqual(SAID);
    expect(answer).toMatchObject({ model: 'm-1', done_reason: 'stop', ...USED });
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ endpoint, outcome: 'success', stream: false, finish: 'tool_calls' });
    expect(parseJson(record!.response!)).toEqual(answer);
  });

  test.each(['stream', 'whole'] as const)('receives NDJSON by default (provider: %s)', async (way) => {
    await using provided = speaker(name, way);
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    const reply = await proxy.post(path, { model: 'm-1', ...body });
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = linesOf(await reply.text());
    expect(ollamaLineProblems(kind, lines)).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'stop', ...USED });
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ endpoint, outcome: 'success', stream: true, finish: 'tool_calls' });
    expect(saidIn(kind, parseJson(record!.response!) as JsonObject) as object).toEqual(SAID);
  });

  test('receives the error of a broken stream as the last line', async () => {
    await using provided = speaker(name, 'broken');
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    const lines = linesOf(await (await proxy.post(path, { model: 'm-1', ...body })).text());
    expect(ollamaLineProblems(kind, lines)).toEqual([]);
    expect(String(lines.at(-1)!.error)).toContain('The server broke');
    expect(lines.some(({ done }) => done === true)).toBeFalse();
    expect((await proxy.recorded(1))[0]).toMatchObject({ outcome: 'truncated', fault: 'server' });
  });

  test('receives the error of an invalid request in Ollama’s shape', async () => {
    await using provided = speaker(name, 'refused');
    await using proxy = running({ providers: [speakerConfig(name, provided.url)] });
    const reply = await proxy.post(path, { model: 'm-1', ...body });
    expect(reply.status).toBe(400);
    const error = (await reply.json()) as JsonObject;
    expect(ollamaProblems('error', error)).toEqual([]);
    expect(String(error.error)).toContain('Bad temperature');
  });
});

const chat = speaker('chat', 'whole');
const proxy = running({
  providers: [
    { ...speakerConfig('chat', chat.url), models: ['gpt-x', 'tagged:latest'] },
    { name: 'mock', type: 'mock', models: ['mock-1'] },
  ],
});
afterAll(async () => {
  for (const each of [proxy, chat]) await each[Symbol.asyncDispose]();
});
const ask = async (path: string, body: unknown) => {
  const reply = await proxy.post(path, body);
  return { status: reply.status, body: (await reply.json()) as JsonObject, headers: reply.headers };
};
const sent = () => parseJson(chat.asked.at(-1)!.text) as JsonObject;
const whole = { model: 'gpt-x', stream: false };

describe('a request in Ollama’s API', () => {
  test('is translated for other protocols', async () => {
    const image = 'iVBORw0KGgoAAAANSUhEUg==';
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is this?', images: [image] },
      { role: 'assistant', content: '', tool_calls: [{ function: { name: 'f', arguments: { a: [1] } } }] },
      { role: 'tool', tool_name: 'f', content: 'a cat' },
    ];
    const options = { num_predict: 50, temperature: 0.5, top_p: 0.9, seed: 3, stop: ['x'], num_ctx: 4096 };
    const format = { type: 'object', properties: { a: { type: 'string' } } };
    const think = 'low';
    const reply = await ask('/api/chat', {
      ...whole,
      messages,
      options,
      format,
      think,
      keep_alive: '5m',
      tools: [WEATHER],
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('x-llmproxy-dropped')).toBe('options.num_ctx');
    const call = { id: 'call_n1', type: 'function', function: { name: 'f', arguments: '{"a":[1]}' } };
    expect(sent()).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
          ],
        },
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_n1', content: 'a cat' },
      ],
      tools: [WEATHER],
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      seed: 3,
      stop: ['x'],
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } },
    });
  });

  test('to /api/generate has its system prompt and images translated, and names what is dropped', async () => {
    const body = {
      ...whole,
      prompt: 'hi',
      system: 'S',
      images: ['/9j/4AAQ'],
      raw: true,
      template: 'T',
      context: [1],
    };
    const reply = await ask('/api/generate', { ...body, format: 'json', think: false });
    expect(reply.headers.get('x-llmproxy-dropped')).toBe('raw, template, context');
    expect(sent()).toMatchObject({
      messages: [
        { role: 'system', content: 'S' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,/9j/4AAQ' } },
          ],
        },
      ],
      response_format: { type: 'json_object' },
    });
    expect(reply.body.thinking).toBeUndefined();
  });

  test.each([
    ['/api/chat', { messages: 'x' }, 400],
    ['/api/chat', { messages: [1] }, 400],
    ['/api/chat', { messages: [{ role: 'robot', content: 'x' }] }, 400],
    ['/api/chat', { messages: [{ role: 'user', content: 5 }] }, 400],
    ['/api/chat', { messages: [{ role: 'user', content: 'x', images: [5] }] }, 400],
    ['/api/chat', { messages: [{ role: 'assistant', tool_calls: [{}] }] }, 400],
    ['/api/chat', { messages: MESSAGES, options: [] }, 400],
    ['/api/chat', { messages: MESSAGES, options: { temperature: 'hot' } }, 400],
    ['/api/chat', { messages: MESSAGES, options: { stop: [1] } }, 400],
    ['/api/chat', { messages: MESSAGES, format: 'xml' }, 400],
    ['/api/chat', { messages: MESSAGES, think: 'loudly' }, 400],
    ['/api/chat', { messages: MESSAGES, tools: [{ type: 'function' }] }, 400],
    ['/api/chat', { messages: MESSAGES, stream: 'yes' }, 400],
    ['/api/chat', { messages: MESSAGES, model: 5 }, 400],
    ['/api/chat', { messages: MESSAGES, model: 'nobody' }, 404],
    ['/api/generate', { prompt: 5 }, 400],
    ['/api/generate', { prompt: 'x', suffix: 'y' }, 400],
    ['/api/embed', { input: [{}] }, 400],
    ['/api/embed', { input: 'x', model: 'nobody' }, 404],
    ['/api/show', { model: 'nobody' }, 404],
    ['/api/show', { model: '' }, 400],
    ['/api/show', [], 400],
    ['/api/pull', { model: 'x' }, 400],
    ['/api/nothing', {}, 404],
  ])('%s with %j is refused in Ollama’s shape', async (path, body, status) => {
    const refused = await ask(path, Array.isArray(body) ? body : { model: 'gpt-x', ...body });
    expect(refused.status).toBe(status);
    expect(ollamaProblems('error', refused.body)).toEqual([]);
  });

  test('without messages or a prompt is answered at once as loaded or unloaded', async () => {
    const before = chat.asked.length;
    const loaded = await ask('/api/chat', { model: 'gpt-x', messages: [] });
    expect(loaded.body).toMatchObject({ done: true, done_reason: 'load', message: { content: '' } });
    const unloaded = await ask('/api/generate', { model: 'gpt-x', keep_alive: 0 });
    expect(unloaded.body).toMatchObject({ done: true, done_reason: 'unload', response: '' });
    expect((await ask('/api/generate', { model: 'nobody' })).status).toBe(404);
    expect(chat.asked.length).toBe(before);
  });

  test.each([
    ['gpt-x:latest', 'gpt-x'],
    ['tagged:latest', 'tagged:latest'],
  ])('for %s selects %s', async (asked, model) => {
    expect((await ask('/api/chat', { model: asked, stream: false, messages: MESSAGES })).status).toBe(200);
    expect(sent().model).toBe(model);
    expect((await ask('/api/show', { model: asked })).body.model_info).toMatchObject({
      'general.basename': model,
    });
  });
});

test('models are listed and shown, and texts embedded', async () => {
  const get = async (path: string) => (await fetch(proxy.url + path)).json() as Promise<JsonObject>;
  const tags = await get('/api/tags');
  expect(ollamaProblems('tags', tags)).toEqual([]);
  expect(listOf(tags.models).map((model) => objectOf(model).name)).toEqual([
    'gpt-x',
    'tagged:latest',
    'mock-1',
  ]);
  expect(await get('/api/ps')).toEqual({ models: [] });
  expect(String((await get('/api/version')).version)).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await ask('/api/show', { name: 'mock-1' })).body.capabilities).toEqual(
    expect.arrayContaining(['completion', 'tools', 'embedding']),
  );
  const many = await ask('/api/embed', { model: 'mock-1', input: ['a', 'b'], truncate: true });
  expect(ollamaProblems('embed', many.body)).toEqual([]);
  expect(many.body.embeddings).toHaveLength(2);
  const one = await ask('/api/embeddings', { model: 'mock-1', prompt: 'a' });
  expect(ollamaProblems('embeddings', one.body)).toEqual([]);
});

test('the root answers as a running Ollama to clients other than browsers', async () => {
  const reply = await fetch(proxy.url);
  expect(await reply.text()).toBe('Ollama is running');
  expect((await fetch(proxy.url, { method: 'HEAD' })).status).toBe(200);
  const browser = await fetch(proxy.url, { headers: { accept: 'text/html' } });
  expect(browser.headers.get('content-type')).toContain('text/html');
});

describe('an Ollama provider', () => {
  const piece = (content: string) => ({
    model: 'm',
    created_at: '2026-01-01T00:00:00.123456789Z',
    message: { role: 'assistant', content },
    done: false,
  });
  const last = {
    ...piece(''),
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 5,
    eval_count: 2,
    odd: { kept: 1 },
  };
  const ndjson = (lines: readonly object[], end = '\n') =>
    new Response(lines.map((line) => JSON.stringify(line)).join('\n') + end, {
      headers: { 'content-type': 'application/x-ndjson' },
    });
  const config = (url: string) => ({
    name: 'o',
    type: 'ollama' as const,
    base_url: `${url}/v1`,
    models: ['m'],
    max_retries: 0,
  });

  test('receives requests and returns lines unchanged', async () => {
    const lines = [piece('Hel'), piece('lo'), last];
    await using own = upstream(() => ndjson(lines));
    await using relaying = running({ providers: [config(own.url)] });
    const text = `{"model":"m", "messages":[{"role":"user","content":"hi"}], "options":{"mirostat":2}}`;
    const reply = await relaying.post('/api/chat', text);
    expect(await reply.text()).toBe(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    expect([own.asked[0]!.path, own.asked[0]!.text]).toEqual(['/api/chat', text]);
    const [record] = await relaying.recorded(1);
    expect(record).toMatchObject({
      lane: 'relay',
      outcome: 'success',
      finish: 'stop',
      input_tokens: 5,
      output_tokens: 2,
    });
    expect(objectOf((parseJson(record!.response!) as JsonObject).message).content).toBe('Hello');
  });

  test('returns unstreamed answers and embeddings unchanged', async () => {
    const vectors = { model: 'm', embeddings: [[1, 2]], prompt_eval_count: 3 };
    await using own = upstream(({ path }) => Response.json(path === '/api/embed' ? vectors : last));
    await using relaying = running({ providers: [config(own.url)] });
    const answer = await relaying.post('/api/chat', { model: 'm', stream: false, messages: MESSAGES });
    expect(await answer.json()).toEqual(last);
    expect(await (await relaying.post('/api/embed', { model: 'm', input: 'x' })).json()).toEqual(vectors);
    expect(await relaying.recorded(2)).toMatchObject([{ input_tokens: 5 }, { input_tokens: 3 }]);
  });

  test.each([
    ['an error', [piece('Hel'), { error: 'out of memory' }], 'out of memory'],
    ['a cut', [piece('Hel')], 'its stream was cut'],
  ])('passes on a stream that ends in %s without making it look finished', async (_, lines, words) => {
    await using own = upstream(() => ndjson(lines));
    await using relaying = running({ providers: [config(own.url)] });
    const told = linesOf(await (await relaying.post('/api/chat', { model: 'm', messages: MESSAGES })).text());
    expect(told[0]).toEqual(piece('Hel'));
    expect(String(told.at(-1)!.error)).toContain(words);
    expect((await relaying.recorded(1))[0]!.outcome).toBe('truncated');
  });

  test('has a cut stream resumed elsewhere where routing.resume is on', async () => {
    await using own = upstream(() => ndjson([piece('Hello from'), piece(' the')], '\n{"model":"m","mess'));
    await using other = upstream(() => sse(chatStream([' the world'], 'stop')));
    await using resuming = running({
      routing: { resume: true },
      providers: [
        { ...config(own.url), priority: 1 },
        provider('other', other.url, { models: ['m'], priority: 2 }),
      ],
    });
    const told = linesOf(await (await resuming.post('/api/chat', { model: 'm', messages: MESSAGES })).text());
    expect(told.map((line) => objectOf(line.message).content).join('')).toBe('Hello from the world');
    expect(told.at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
    expect((await resuming.recorded(1))[0]).toMatchObject({ outcome: 'success', parts: [{}, {}] });
  });
});
