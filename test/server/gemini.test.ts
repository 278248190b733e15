/**
 * What is particular to Gemini's clients: their paths, keys, stream formats, models, counts, embeddings and
 * signatures.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf, parseJson } from '../../src/wire/json.ts';
import { geminiProblems } from '../helpers/published/gemini.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { SPEAKERS, speaker, speakerConfig } from '../helpers/speakers.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const CONTENTS = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] };
const SECRET = 'a-key-that-must-not-travel';

const google = speaker('gemini', 'whole');
const events = speaker('gemini', 'stream');
const claude = speaker('messages', 'whole');
const breaking = speaker('chat', 'broken');
const proxy = running({
  providers: [
    {
      ...speakerConfig('gemini', google.url),
      models: ['gemini-pro', 'tunedModels/mine', 'endpoints/123', 'a/b:c'],
    },
    { ...speakerConfig('gemini', events.url), name: 'events', models: ['gemini-stream'] },
    { ...speakerConfig('messages', claude.url), models: ['claude-x', 'meta/llama'] },
    { ...speakerConfig('chat', breaking.url), name: 'breaking', models: ['breaking'] },
    { name: 'mock', type: 'mock', models: ['mock-1'] },
  ],
  auth: { keys: [{ name: 'k', key: SECRET }] },
});
afterAll(async () => {
  for (const each of [proxy, google, events, claude, breaking]) await each[Symbol.asyncDispose]();
});

const headers = { 'x-goog-api-key': SECRET };
const ask = async (path: string, body: unknown, init: RequestInit = { headers }) => {
  const reply = await proxy.post(path, body, init);
  return { status: reply.status, text: await reply.text(), headers: reply.headers };
};
const jsonOf = (text: string) => parseJson(text) as JsonObject;

describe('a Gemini path', () => {
  test.each([
    ['/v1beta/models/gemini-pro', 'gemini-pro'],
    ['/v1/models/gemini-pro', 'gemini-pro'],
    ['/v1alpha/models/models%2Fgemini-pro', 'gemini-pro'],
    ['/models/gemini-pro', 'gemini-pro'],
    ['/v1beta1/projects/p/locations/l/publishers/google/models/gemini-pro', 'gemini-pro'],
    ['/v1/publishers/google/models/gemini-pro', 'gemini-pro'],
    ['/v1/projects/p/locations/l/publishers/meta/models/llama', 'meta/llama'],
    ['/v1beta/models/meta%2Fllama', 'meta/llama'],
    ['/v1beta/models/meta/llama', 'meta/llama'],
    ['/v1beta/models/a/b:c', 'a/b:c'],
    // Vercel's SDK, for a model whose name has a slash.
    ['/v1beta/meta/llama', 'meta/llama'],
    ['/v1beta/models/a%2Fb%3Ac', 'a/b:c'],
    ['/v1beta/tunedModels/mine', 'tunedModels/mine'],
    ['/v1/projects/p/locations/l/endpoints/123', 'endpoints/123'],
  ])('%s names the model %s', async (path, model) => {
    expect((await ask(`${path}:generateContent`, CONTENTS)).status).toBe(200);
    expect((await ask(`${path}%3AgenerateContent`, CONTENTS)).status).toBe(200);
    expect(proxy.records.at(-1)).toMatchObject({ endpoint: 'gemini', model, outcome: 'success', key: 'k' });
  });

  test.each([
    '/v1beta/models/nobody:generateContent',
    '/v1beta/tunedModels/nobody:generateContent',
    '/v1beta/models/%:generateContent',
    '/v1beta/models/%2F:generateContent',
    '/v1beta/models/:generateContent',
    '/v1beta/models/gemini-pro:bidiGenerateContent',
    '/v1beta/models/gemini-pro',
    '/v1beta/files',
    '/v1beta/nobody:generateContent',
    '/v1beta/nobody/here:generateContent',
    '/v1/projects/p/locations/l/endpoints/1:bidiGenerateContent',
  ])('%s is answered with 404 in Google’s shape', async (path) => {
    const answer = await ask(path, CONTENTS);
    expect(answer.status).toBe(404);
    expect(geminiProblems('error', jsonOf(answer.text))).toEqual([]);
  });

  test('whose model leads elsewhere is answered with 400 in Google’s shape', async () => {
    const answer = await ask('/v1beta/models/..%2F..%2Fadmin:generateContent', CONTENTS);
    expect(answer.status).toBe(400);
    expect(geminiProblems('error', jsonOf(answer.text))).toEqual([]);
  });

  test('of a tuned model is kept for Google', async () => {
    await ask('/v1beta/tunedModels/mine:generateContent', CONTENTS);
    expect(google.asked.at(-1)!.path).toBe('/tunedModels/mine:generateContent');
  });

  test('that asks a model is answered with 405 unless the method is POST', async () => {
    for (const method of ['GET', 'PUT']) {
      const url = `${proxy.url}/v1beta/models/gemini-pro:generateContent`;
      const reply = await fetch(url, { method, headers });
      expect(reply.status).toBe(405);
      expect(geminiProblems('error', await reply.json())).toEqual([]);
    }
  });
});

describe('a Gemini client’s key', () => {
  test('is accepted in the query, and reaches neither the provider nor a record', async () => {
    const answer = await ask(`/v1beta/models/gemini-pro:generateContent?key=${SECRET}`, CONTENTS, {});
    expect(answer.status).toBe(200);
    const asked = google.asked.at(-1)!;
    expect(asked.path).not.toContain('key');
    expect(JSON.stringify([...asked.headers])).not.toContain(SECRET);
    expect(JSON.stringify(proxy.records)).not.toContain(SECRET);
    const models = await fetch(`${proxy.url}/v1beta/models?key=${SECRET}`);
    expect(models.status).toBe(200);
  });

  test.each(['?key=wrong', '', '?key='])('is refused in Google’s shape if invalid: %s', async (query) => {
    const answer = await ask(`/v1beta/models/gemini-pro:generateContent${query}`, CONTENTS, {});
    expect(answer.status).toBe(401);
    const { error } = jsonOf(answer.text);
    expect(objectOf(error)).toMatchObject({ code: 401, status: 'UNAUTHENTICATED' });
    expect(objectOf(listOf(objectOf(error).details)[0]).reason).toBe('API_KEY_INVALID');
    expect((await fetch(`${proxy.url}/v1beta/models${query}`)).status).toBe(401);
  });
});

describe('a Gemini stream', () => {
  test('is relayed byte for byte as SSE, or as a JSON list of the same values', async () => {
    const path = '/v1beta/models/gemini-stream:streamGenerateContent';
    const asEvents = await ask(`${path}?alt=sse`, CONTENTS);
    const sent = SPEAKERS.gemini.events.map(([, event]) => `data: ${JSON.stringify(event)}\n\n`).join('');
    expect(asEvents.text).toBe(sent);
    const asList = await ask(path, CONTENTS);
    expect(asList.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(asList.text)).toEqual(SPEAKERS.gemini.events.map(([, event]) => event));
    expect(events.asked.at(-1)!.path).toEndWith(':streamGenerateContent?alt=sse');
  });

  test('as a list also contains translated and unstreamed answers', async () => {
    const { status, text } = await ask('/v1beta/models/claude-x:streamGenerateContent', CONTENTS);
    expect(status).toBe(200);
    const values = JSON.parse(text) as JsonObject[];
    expect(values.flatMap((value) => geminiProblems('answer', value))).toEqual([]);
    expect(values.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  });

  test('that breaks ends the list with an error', async () => {
    const { text } = await ask('/v1beta/models/breaking:streamGenerateContent', CONTENTS);
    const values = JSON.parse(text) as JsonObject[];
    expect(values.length).toBeGreaterThan(1);
    expect(geminiProblems('error', values.at(-1))).toEqual([]);
    expect(text).not.toContain('finishReason');
  });
});

describe('Gemini models', () => {
  const get = async (path: string) =>
    (await fetch(proxy.url + path, { headers })).json() as Promise<JsonObject>;

  test('are listed page by page', async () => {
    const names: unknown[] = [];
    let token = '';
    do {
      const page = await get(`/v1beta/models?pageSize=2&pageToken=${token}`);
      expect(geminiProblems('models', page)).toEqual([]);
      expect(listOf(page.models).length).toBeLessThanOrEqual(2);
      names.push(...listOf(page.models).map((model) => objectOf(model).name));
      token = String(page.nextPageToken ?? '');
    } while (token !== '');
    expect(names).toEqual(
      [
        'gemini-pro',
        'endpoints/123',
        'a/b:c',
        'gemini-stream',
        'claude-x',
        'meta/llama',
        'breaking',
        'mock-1',
      ].map((name) => `models/${name}`),
    );
  });

  test.each(['pageSize=x', 'pageSize=-1', 'pageToken=nonsense'])('are not listed for %s', async (query) => {
    const reply = await fetch(`${proxy.url}/v1beta/models?${query}`, { headers });
    expect(reply.status).toBe(400);
    expect(geminiProblems('error', await reply.json())).toEqual([]);
  });

  test('are described with the methods that they support', async () => {
    const model = await get('/v1beta/models/claude-x');
    expect(geminiProblems('model', model)).toEqual([]);
    expect(model.supportedGenerationMethods).toEqual(['generateContent', 'countTokens']);
    expect(await get('/v1beta/models/a%2Fb:c')).toMatchObject({ name: 'models/a/b:c' });
    expect(await get('/v1/publishers/google/models')).toMatchObject({ publisherModels: expect.any(Array) });
    expect(await get('/v1beta/tunedModels')).toMatchObject({ tunedModels: [{ name: 'tunedModels/mine' }] });
    expect(geminiProblems('error', await get('/v1beta/models/nobody'))).toEqual([]);
    // OpenAI's clients still receive OpenAI's shape.
    const own = await fetch(`${proxy.url}/v1/models`, { headers: { authorization: `Bearer ${SECRET}` } });
    expect(await own.json()).toMatchObject({ object: 'list' });
  });
});

describe('Gemini counts and embeddings', () => {
  test('are computed locally or translated', async () => {
    const whole = { generateContentRequest: { model: 'models/mock-1', ...CONTENTS } };
    const counts = [
      await ask('/v1beta/models/mock-1:countTokens', CONTENTS),
      await ask('/v1beta/models/mock-1:countTokens', whole),
    ].map(({ text }) => jsonOf(text));
    for (const count of counts) expect(geminiProblems('count', count)).toEqual([]);
    expect(counts[0]).toEqual(counts[1]!);
    const content = { parts: [{ text: 'a' }] };
    const one = await ask('/v1beta/models/mock-1:embedContent', { content, taskType: 'RETRIEVAL_QUERY' });
    expect(geminiProblems('embedding', jsonOf(one.text))).toEqual([]);
    expect(one.headers.get('x-llmproxy-dropped')).toBe('taskType');
    const requests = [
      { model: 'models/mock-1', content },
      { model: 'models/mock-1', content: { parts: [{ text: 'b' }] } },
    ];
    const many = jsonOf((await ask('/v1beta/models/mock-1:batchEmbedContents', { requests })).text);
    expect(geminiProblems('embeddings', many)).toEqual([]);
    expect(many.embeddings).toHaveLength(2);
    const instances = [
      { content: 'a', taskType: 'RETRIEVAL_QUERY' },
      { content: 'b', title: 't', task_type: 'RETRIEVAL_DOCUMENT' },
    ];
    const predict = await ask('/v1/publishers/google/models/mock-1:predict', {
      instances,
      parameters: { auto_truncate: false },
    });
    expect(jsonOf(predict.text).predictions).toHaveLength(2);
    const named = 'parameters.autoTruncate, instances.title, taskType';
    expect(predict.headers.get('x-llmproxy-dropped')).toBe(named);
    expect(proxy.records.slice(-5).map(({ endpoint }) => endpoint)).toEqual([
      'gemini.count_tokens',
      'gemini.count_tokens',
      'gemini.embed',
      'gemini.batch_embed',
      'gemini.predict',
    ]);
  });

  test('are relayed with the provider’s model name', async () => {
    await using own = upstream(({ path }) => {
      if (path.includes('countTokens')) return Response.json({ totalTokens: 7 });
      return Response.json(
        path.includes('batch') ? { embeddings: [{ values: [1] }] } : { embedding: { values: [1] } },
      );
    });
    const models = [{ name: 'alias', upstream: 'gemini-embedding' }];
    await using relaying = running({ providers: [{ ...speakerConfig('gemini', own.url), models }] });
    const content = { parts: [{ text: 'a' }] };
    const post = async (method: string, body: object) => {
      const reply = await relaying.post(`/v1beta/models/alias:${method}`, body);
      expect(reply.status).toBe(200);
      return { answer: (await reply.json()) as unknown, sent: own.asked.at(-1)! };
    };
    const requests = [{ model: 'models/alias', content }];
    const batch = await post('batchEmbedContents', { requests });
    expect(batch.sent.path).toBe('/models/gemini-embedding:batchEmbedContents');
    expect(jsonOf(batch.sent.text)).toEqual({ requests: [{ model: 'models/gemini-embedding', content }] });
    expect((await post('embedContent', { content })).answer).toEqual({ embedding: { values: [1] } });
    const counted = await post('countTokens', { ...CONTENTS, systemInstruction: content });
    expect(counted.answer).toEqual({ totalTokens: 7 });
    // Google AI counts other fields beside the contents only within a whole request.
    expect(jsonOf(counted.sent.text)).toEqual({
      generateContentRequest: { model: 'models/gemini-embedding', ...CONTENTS, systemInstruction: content },
    });
  });
});

test('what another provider signed is returned to it, and never sent to Gemini', async () => {
  const signed = { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' };
  const use = { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } };
  const message = { ...SPEAKERS.messages.whole, content: [signed, use] };
  await using anthropic = upstream(() => Response.json(message));
  await using gemini = speaker('gemini', 'whole');
  await using both = running({
    providers: [
      { ...speakerConfig('messages', anthropic.url), models: ['claude-x'] },
      { ...speakerConfig('gemini', gemini.url), models: ['gemini-3-pro'] },
    ],
  });
  const tools = [{ functionDeclarations: [{ name: 'f' }] }];
  const first = await both.post('/v1beta/models/claude-x:generateContent', { ...CONTENTS, tools });
  const answer = (await first.json()) as JsonObject;
  expect(geminiProblems('answer', answer)).toEqual([]);
  const { content } = objectOf(listOf(answer.candidates)[0]);
  // Thoughts were not requested, so the signature must be returned with the call.
  expect(listOf(objectOf(content).parts)).toEqual([
    {
      functionCall: { id: 'toolu_1', name: 'f', args: { a: 1 } },
      thoughtSignature: expect.stringMatching(/^bGxtcHJveHk6/),
    },
  ]);
  const response = { functionResponse: { id: 'toolu_1', name: 'f', response: { output: 'done' } } };
  const contents = [...CONTENTS.contents, content, { role: 'user', parts: [response] }];
  await (await both.post('/v1beta/models/claude-x:generateContent', { contents, tools })).text();
  const asked = jsonOf(anthropic.asked.at(-1)!.text);
  expect(listOf(asked.messages).slice(1)).toEqual([
    { role: 'assistant', content: [signed, use] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }],
    },
  ]);
  await (await both.post('/v1beta/models/gemini-3-pro:generateContent', { contents, tools })).text();
  const told = jsonOf(gemini.asked.at(-1)!.text);
  expect(JSON.stringify(told)).not.toContain('bGxtcHJveHk6');
  expect(objectOf(listOf(objectOf(listOf(told.contents)[1]).parts)[0]).thoughtSignature).toBe(
    'skip_thought_signature_validator',
  );
});

test('calls of other providers have no signature, so that Gemini 3 gets a placeholder for the first of a turn', async () => {
  await using gemini = speaker('gemini', 'whole');
  await using google = running({
    providers: [{ ...speakerConfig('gemini', gemini.url), models: ['gemini-3-pro', 'gemini-2.5-pro'] }],
  });
  const call = (name: string, more: object = {}) => ({ functionCall: { name, args: {} }, ...more });
  const told = (name: string) => ({ functionResponse: { name, response: { output: 'done' } } });
  const contents = [
    ...CONTENTS.contents,
    { role: 'model', parts: [{ text: 'Hm.' }, call('f'), call('g')] },
    { role: 'model', parts: [call('h')] },
    { role: 'user', parts: ['f', 'g', 'h'].map(told) },
    { role: 'model', parts: [call('f')] },
    { role: 'user', parts: [told('f')] },
  ];
  const sent = async (model: string) => {
    await (await google.post(`/v1beta/models/${model}:generateContent`, { contents })).text();
    return jsonOf(gemini.asked.at(-1)!.text).contents;
  };
  const placeholder = { thoughtSignature: 'skip_thought_signature_validator' };
  expect(await sent('gemini-2.5-pro')).toEqual(contents);
  expect(await sent('gemini-3-pro')).toEqual(
    contents.with(1, { role: 'model', parts: [{ text: 'Hm.' }, call('f', placeholder), call('g')] }).with(4, {
      role: 'model',
      parts: [call('f', placeholder)],
    }),
  );
});

test('a relayed request is sent unchanged where nothing in it must change', async () => {
  const text = '{ "contents":[{"parts":[{"text":"\\u0068i"}]}],\n "unknownField": 12345678901234567890 }';
  const answer = await ask('/v1beta/models/gemini-pro:generateContent', text);
  expect(google.asked.at(-1)!.text).toBe(text);
  expect(jsonOf(answer.text)).toEqual(SPEAKERS.gemini.whole as unknown as JsonObject);
});

test('a prompt that Gemini blocks counts as a filtered answer', async () => {
  const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 3 } };
  let stream = false;
  await using own = upstream(() =>
    stream ? sse(`data: ${JSON.stringify(blocked)}\n\n`) : Response.json(blocked),
  );
  await using relaying = running({ providers: [speakerConfig('gemini', own.url)] });
  const whole = await relaying.post('/v1beta/models/m:generateContent', CONTENTS);
  expect(await whole.json()).toEqual(blocked);
  stream = true;
  const streamed = await relaying.post('/v1beta/models/m:streamGenerateContent?alt=sse', CONTENTS);
  expect(await streamed.text()).toContain('blockReason');
  for (const record of await relaying.recorded(2))
    expect(record).toMatchObject({ outcome: 'success', finish: 'content_filter', input_tokens: 3 });
});

describe('a call whose arguments Vertex AI streams', () => {
  const call = (functionCall: object, finishReason?: string) => ({
    candidates: [
      { content: { role: 'model', parts: [{ functionCall }] }, ...(finishReason ? { finishReason } : {}) },
    ],
    modelVersion: 'gemini-pro',
  });
  const value = (jsonPath: string, more: object) =>
    call({ partialArgs: [{ jsonPath, ...more }], willContinue: true });
  const PIECES = [
    call({ name: 'cook', willContinue: true }),
    value('$.steps[0]', { stringValue: 'Boil ', willContinue: true }),
    value('$.steps[0]', { stringValue: 'water' }),
    value('$.minutes', { numberValue: 12 }),
  ];
  const END = call({}, 'STOP');
  const ARGS = { steps: ['Boil water'], minutes: 12 };

  async function asked(path: string, events: readonly object[]) {
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    await using vertex = upstream(
      () => new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
    );
    await using own = running({
      providers: [provider('p', vertex.url, { type: 'gemini', models: ['*'], max_retries: 0 })],
    });
    const body = path.startsWith('/v1beta') ? CONTENTS : { ...CHAT, model: 'gemini-pro', stream: true };
    const reply = await (await own.post(path, body)).text();
    return { reply, record: (await own.recorded(1))[0]! };
  }
  const GEMINI = '/v1beta/models/gemini-pro:streamGenerateContent?alt=sse';

  test('is relayed as it comes, and recorded whole', async () => {
    const { reply, record } = await asked(GEMINI, [...PIECES, END]);
    expect(reply.match(/partialArgs/g)).toHaveLength(3);
    expect(record).toMatchObject({ outcome: 'success', finish: 'tool_calls' });
    const { candidates } = jsonOf(record.response!) as { candidates: { content: { parts: unknown[] } }[] };
    expect(candidates[0]!.content.parts).toEqual([{ functionCall: { name: 'cook', args: ARGS } }]);
  });

  test('reaches clients of another protocol whole', async () => {
    const { reply, record } = await asked('/v1/chat/completions', [...PIECES, END]);
    expect(reply).toContain(JSON.stringify({ name: 'cook', arguments: JSON.stringify(ARGS) }));
    expect(record).toMatchObject({ outcome: 'success', finish: 'tool_calls' });
  });

  test('is not complete if the stream ends within it', async () => {
    const { record } = await asked(GEMINI, [...PIECES, { candidates: [{ finishReason: 'MAX_TOKENS' }] }]);
    expect(record).toMatchObject({ finish: 'length' });
    const { record: cut } = await asked(GEMINI, PIECES);
    expect(cut.outcome).not.toBe('success');
  });
});
