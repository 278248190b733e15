/** What vendors charge for besides tokens: searches, containers, images and guardrails, whole and streamed. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { schema } from '../../src/config/schema.ts';
import { priceSetup, Repricer, usageOf } from '../../src/usage/pricing.ts';
import { Prices } from '../../src/providers/prices.ts';
import { requestedTools } from '../../src/wire/requested-tools.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

type Type = ConfigInput['providers'][number]['type'];
type Prepared = (stream: boolean) => Response;

const CHATS = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const MESSAGES = '/v1/messages';
const GEMINI = (model: string, stream: boolean) =>
  `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;

const data = (events: readonly object[]) =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

const chat =
  (message: object = {}, usage: object = {}): Prepared =>
  (stream) => {
    const counts = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100, ...usage };
    const head = { id: 'c', created: 1, model: 'm' };
    const said = { role: 'assistant', content: 'Hi', ...message };
    if (!stream)
      return Response.json({
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, message: said, finish_reason: 'stop' }],
        usage: counts,
      });
    const chunk = { ...head, object: 'chat.completion.chunk' };
    return sse(
      `${data([
        { ...chunk, choices: [{ index: 0, delta: said, finish_reason: null }] },
        // Groq lists a tool again when it has finished.
        { ...chunk, choices: [{ index: 0, delta: message, finish_reason: 'stop' }] },
        { ...chunk, choices: [], usage: counts },
      ])}data: [DONE]\n\n`,
    );
  };

const response =
  (items: readonly object[], more: object = {}): Prepared =>
  (stream) => {
    const text = [{ type: 'output_text', text: 'Hi', annotations: [] }];
    const said = { id: 'm', type: 'message', role: 'assistant', status: 'completed', content: text };
    const whole = {
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      model: 'm',
      status: 'completed',
      output: [...items.map((item, at) => ({ id: `i${at}`, status: 'completed', ...item })), said],
      usage: { input_tokens: 1_000, output_tokens: 100, total_tokens: 1_100 },
      ...more,
    };
    if (!stream) return Response.json(whole);
    const event = { type: 'response.completed', sequence_number: 0, response: whole };
    return sse(`event: ${event.type}\n${data([event])}`);
  };

const gemini =
  (...metadata: readonly object[]): Prepared =>
  (stream) => {
    const usageMetadata = { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 };
    const [first, last = first] = metadata;
    const candidate = { content: { role: 'model', parts: [{ text: 'Hi' }] } };
    if (!stream)
      return Response.json({
        candidates: [{ ...candidate, finishReason: 'STOP', groundingMetadata: last }],
        usageMetadata,
      });
    return sse(
      data([
        { candidates: [{ ...candidate, groundingMetadata: first }] },
        { candidates: [{ ...candidate, finishReason: 'STOP', groundingMetadata: last }], usageMetadata },
      ]),
    );
  };

const converse =
  (more: object): Prepared =>
  () =>
    Response.json({
      output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 1_000, outputTokens: 100, totalTokens: 1_100 },
      ...more,
    });

const search = { type: 'web_search_call', action: { type: 'search', query: 'a' } };
const python = (id: string) => ({ type: 'code_interpreter_call', container_id: id, code: '1' });
const shell = (environment: object) => ({ type: 'shell_call', environment, action: { commands: ['ls'] } });
const queries = (...webSearchQueries: string[]) => ({ webSearchQueries, groundingChunks: [{ web: {} }] });
const maps = { webSearchQueries: ['Pizza'], groundingChunks: [{ maps: { uri: 'https://a.example' } }] };
const assessed = (usage: object) => ({ invocationMetrics: { usage } });

/** Units in the record, and the cost of tokens and of fees: USD per million of 1,000 and 100 tokens, and USD. */
const ROWS: readonly (readonly [string, Type, string, string, Prepared, object, number, number])[] = [
  ['a model that searches', 'openai', 'gpt-4o-search-preview', CHATS, chat(), {}, 2_500 + 1_000, 0.025],
  ['a model that searches', 'openai', 'gpt-4o-mini-search-preview', CHATS, chat(), {}, 150 + 60, 0.025],
  ['a model that searches', 'openai', 'gpt-5-search-api', CHATS, chat(), {}, 1_250 + 1_000, 0.01],
  [
    'searches by the older tool',
    'openai',
    'gpt-4.1',
    RESPONSES,
    response([search, search], { tools: [{ type: 'web_search_preview' }] }),
    { preview_web_searches: 2 },
    2_000 + 800,
    0.05,
  ],
  [
    'searches that OpenAI counts',
    'openai',
    'gpt-5.2',
    RESPONSES,
    response([search, search], { tool_usage: { web_search: { num_requests: 1 } } }),
    { web_searches: 1 },
    1_750 + 1_400,
    0.01,
  ],
  [
    'code in containers',
    'openai',
    'gpt-5.2',
    RESPONSES,
    response([python('a'), python('a'), shell({ type: 'container_reference', container_id: 'b' })], {
      tools: [{ type: 'code_interpreter', container: { type: 'auto', memory_limit: '4g' } }],
    }),
    { container_gigabytes: 8 },
    1_750 + 1_400,
    0.06,
  ],
  [
    'commands that the client runs',
    'openai',
    'gpt-5.2',
    RESPONSES,
    response([shell({ type: 'local' })]),
    {},
    1_750 + 1_400,
    0,
  ],
  [
    'images that a tool makes',
    'openai',
    'gpt-5.2',
    RESPONSES,
    response([{ type: 'image_generation_call', result: 'AAAA' }], {
      tools: [{ type: 'image_generation', model: 'gpt-image-1.5' }],
      tool_usage: {
        image_gen: {
          input_tokens: 50,
          output_tokens: 1_000,
          output_tokens_details: { image_tokens: 1_000, text_tokens: 0 },
        },
      },
    }),
    {},
    1_750 + 1_400 + 50 * 5 + 1_000 * 32,
    0,
  ],
  [
    'a prompt with searches',
    'gemini',
    'gemini-2.5-flash',
    CHATS,
    gemini(queries('a', 'b')),
    { web_searches: 2 },
    300 + 250,
    0.035,
  ],
  [
    'searches',
    'gemini',
    'gemini-3.5-flash',
    CHATS,
    gemini(queries('a', 'b', 'a'), queries('a', 'b')),
    { web_searches: 2 },
    1_500 + 900,
    0.028,
  ],
  [
    'a search of maps',
    'gemini',
    'gemini-3.5-flash',
    'gemini',
    gemini(maps),
    { map_searches: 1 },
    1_500 + 900,
    0.014,
  ],
  [
    'Google’s maps without a query',
    'gemini',
    'gemini-2.5-flash',
    'gemini',
    gemini({ googleMapsWidgetContextToken: 'x' }),
    { map_searches: 1 },
    300 + 250,
    0.025,
  ],
  [
    'sources that the client named',
    'gemini',
    'gemini-3.5-flash',
    CHATS,
    gemini({ groundingChunks: [{ web: { uri: 'https://a.example' } }] }),
    {},
    1_500 + 900,
    0,
  ],
  [
    'tools of Groq',
    'groq',
    'openai/gpt-oss-120b',
    CHATS,
    chat({
      executed_tools: [
        { index: 0, type: 'browser.search' },
        { index: 1, type: 'browser.open' },
        { index: 2, type: 'python' },
      ],
    }),
    { web_searches: 1, page_visits: 1 },
    150 + 60,
    0.006,
  ],
  [
    'tools of Groq, translated',
    'groq',
    'openai/gpt-oss-120b',
    MESSAGES,
    chat({ executed_tools: [{ index: 0, type: 'search' }] }),
    { web_searches: 1 },
    150 + 60,
    0.005,
  ],
  [
    'a search of maps, translated',
    'gemini',
    'gemini-3.5-flash',
    MESSAGES,
    gemini(maps),
    { map_searches: 1 },
    1_500 + 900,
    0.014,
  ],
  [
    'code in a container, translated',
    'openai',
    'gpt-5.2-codex',
    MESSAGES,
    response([python('a')]),
    { container_gigabytes: 1 },
    1_750 + 1_400,
    0.0075,
  ],
  [
    'connectors of Mistral',
    'mistral',
    'mistral-medium-2508',
    CHATS,
    chat({}, { connectors: { web_search: 1, code_interpreter: 2 } }),
    { web_searches: 1, code_calls: 2 },
    400 + 200,
    0.09,
  ],
];

test.each(
  ROWS.flatMap(([what, type, model, path, answer, units, millionths, fee]) =>
    [false, true].map((stream) => ({ what, type, model, path, answer, units, millionths, fee, stream })),
  ),
)('$type charges for $what with $model at $path (stream: $stream)', async (row) => {
  const { type, model, path, answer, units, millionths, fee, stream } = row;
  await using provided = upstream(() => answer(stream));
  const api = path === RESPONSES ? { api: 'responses' } : {};
  const config = { providers: [provider('p', provided.url, { type, ...api, models: ['*'] })] };
  await using proxy = running(config);
  const said = [{ role: 'user', content: 'Hello' }];
  const body = path === RESPONSES ? { input: said } : { messages: said };
  const asked =
    path === 'gemini'
      ? proxy.post(GEMINI(model, stream), { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] })
      : proxy.post(path, { model, stream, max_tokens: 200, ...body });
  await (await asked).text();
  const [record] = await proxy.recorded(1);
  expect(record!.outcome).toBe('success');
  expect(record!.units ?? {}).toEqual(units);
  expect(record!.cost).toBeCloseTo(millionths / 1e6 + fee, 9);
  if (stream) return;
  // What was spent is computed from the log in the same way.
  const repricer = await Repricer.load(priceSetup(schema.parse(config)));
  const logged = record as unknown as JsonObject;
  expect(repricer.cost(logged, usageOf(logged)!, Date.now())).toBe(record!.cost);
});

test.each<[object, object, number]>([
  [{ performanceConfig: { latency: 'optimized' } }, { tiers: ['optimized'] }, 1.25 * (800 + 320)],
  [{ performanceConfig: { latency: 'standard' } }, {}, 800 + 320],
  [
    {
      trace: {
        guardrail: {
          inputAssessment: {
            g: assessed({ contentPolicyUnits: 2, topicPolicyUnits: 1, wordPolicyUnits: 1 }),
          },
          outputAssessments: { g: [assessed({ sensitiveInformationPolicyUnits: 4 })] },
        },
      },
    },
    { units: { guardrail_filter_units: 3, guardrail_check_units: 4 } },
    800 + 320 + 3 * 150 + 4 * 100,
  ],
])('Bedrock charges for %j', async (more, fields, millionths) => {
  await using provided = upstream(() => converse(more)(false));
  const settings = { type: 'bedrock', region: 'us-east-1', api_key: 'k', models: ['*'] };
  await using proxy = running({ providers: [provider('p', provided.url, settings)] });
  await (await proxy.post(CHATS, { ...CHAT, model: 'amazon.nova-pro-v1:0' })).text();
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ outcome: 'success', ...fields });
  expect(record!.cost).toBeCloseTo(millionths / 1e6, 9);
});

test('DeepSeek charges for searches and for pages, which Claude visits for free', async () => {
  const answer = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    usage: {
      input_tokens: 0,
      output_tokens: 1,
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 4 },
    },
  };
  await using provided = upstream(() => Response.json(answer));
  const fee = async (type: Type, model: string) => {
    await using proxy = running({ providers: [provider('p', provided.url, { type, models: ['*'] })] });
    await (await proxy.post(MESSAGES, { ...CHAT, model, max_tokens: 9 })).text();
    const [record] = await proxy.recorded(1);
    expect(record!.units).toEqual({ web_searches: 2, page_visits: 4 });
    return record!.cost!;
  };
  expect(await fee('deepseek', 'deepseek-v4-pro')).toBeCloseTo(6 * 0.000_75, 4);
  expect(await fee('anthropic', 'claude-haiku-4-5')).toBeCloseTo(2 * 0.01, 4);
});

test('Cohere charges for rankings, which have no tokens', async () => {
  const answer = {
    results: [{ index: 0, relevance_score: 0.5 }],
    meta: { billed_units: { search_units: 2 } },
  };
  await using provided = upstream(() => Response.json(answer));
  await using proxy = running({
    providers: [provider('p', provided.url, { type: 'cohere', models: ['*'] })],
  });
  await (await proxy.post('/v1/rerank', { model: 'rerank-v3.5', query: 'a', documents: ['a', 'b'] })).text();
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ outcome: 'success', units: { rerank_searches: 2 }, cost: 0.004 });
});

test('a configured price may have fees of its own', async () => {
  await using provided = upstream(() => gemini(maps)(false));
  await using proxy = running({
    prices: [{ model: '*', input: 1, output: 10, fees: { map_searches: 0.5 } }],
    providers: [provider('p', provided.url, { type: 'gemini', models: ['*'] })],
  });
  await (await proxy.post(CHATS, { ...CHAT, model: 'gemini-3.5-flash' })).text();
  expect(await proxy.recorded(1)).toMatchObject([{ cost: 0.502 }]);
});

test('what a tool costs at least is reserved', async () => {
  await using provided = upstream(() => chat()(false));
  await using proxy = running({
    providers: [provider('p', provided.url, { type: 'openai', models: ['*'] })],
    groups: { all: { limits: [{ budget: 0.02, per: 'day' }] } },
    auth: { keys: [{ name: 'k', key: 'secret-key', group: 'all' }] },
  });
  const ask = async (more: object) => {
    const body = { ...CHAT, model: 'gpt-4o-mini', max_tokens: 10, ...more };
    return (await proxy.post(CHATS, body, { headers: { authorization: 'Bearer secret-key' } })).status;
  };
  expect(await ask({ model: 'gpt-4o-mini-search-preview' })).toBe(429);
  const search = { type: 'web_search_preview' };
  expect(await ask({ tools: [search] })).toBe(429);
  expect(await ask({ tools: [{ type: 'image_generation' }] })).toBe(429);
  expect(await ask({ tools: [{ type: 'image_generation', quality: 'low' }] })).not.toBe(429);
  expect(await ask({})).toBe(200);
});

test.each<[object[], object]>([
  [[{ type: 'web_search_20250305', name: 'web_search' }, { type: 'function' }], { webSearches: 1 }],
  [[{ googleSearch: {} }, { google_maps: {} }], { webSearches: 1, mapSearches: 1 }],
  [
    [{ type: 'code_interpreter', container: { type: 'auto', memory_limit: '16g' } }, { type: 'file_search' }],
    { containerGigabytes: 16, codeCalls: 1, fileSearches: 1 },
  ],
  [[{ type: 'shell', environment: { type: 'local' } }, { functionDeclarations: [] }], {}],
])('requestedTools(%j)', (tools, units) => {
  expect(requestedTools({ tools } as JsonObject) as object).toEqual(units);
});

test('the tokens of an answer that searched have the factor of their tier, and its searches have not', async () => {
  const prices = new Prices();
  await prices.load();
  const of = { provider: 'p', vendor: 'google', model: 'gemini-3.5-flash', configured: undefined };
  const usage = { input: 1_000, cached: 0, cacheWrite: 0, output: 0, reasoning: 0, webSearches: 2 };
  expect(prices.cost(of, { ...usage, tiers: ['flex'] }, Date.now())).toBeCloseTo(0.000_75 + 0.028, 9);
});
