/** The usage of an answer is the same whether it is streamed or not, and however it ends. */
import { describe, expect, test } from 'bun:test';
import type { LogRecord } from '../../src/logs/record.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { clientProtocol } from '../../src/server/client-protocol.ts';
import { running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

type Type = ConfigInput['providers'][number]['type'];
type Spoken = 'chat' | 'completions' | 'messages' | 'responses';

const event = (value: object) =>
  `${'type' in value ? `event: ${String(value.type)}\n` : ''}data: ${JSON.stringify(value)}\n\n`;

const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' };
const said = [{ ...item, content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }];
const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm' };
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null };
const choice = (what: object, finish_reason: string | null) => ({ index: 0, ...what, finish_reason });

/** An answer with this usage, unstreamed and as events, and an event that breaks it off. */
const SPOKEN: Readonly<
  Record<
    Spoken,
    {
      whole: (usage: unknown) => object;
      stream: (usage: unknown) => string;
      broken: (usage: unknown) => object;
    }
  >
> = {
  chat: {
    whole: (usage) => ({
      choices: [choice({ message: { role: 'assistant', content: 'Hi' } }, 'stop')],
      usage,
    }),
    stream: (usage) =>
      event({ choices: [choice({ delta: { role: 'assistant', content: 'Hi' } }, null)] }) +
      event({ choices: [choice({ delta: {} }, 'stop')] }) +
      event({ choices: [], usage }) +
      'data: [DONE]\n\n',
    broken: (usage) => ({ error: { message: 'The server broke', type: 'server_error' }, usage }),
  },
  completions: {
    whole: (usage) => ({ choices: [choice({ text: 'Hi' }, 'stop')], usage }),
    stream: (usage) =>
      event({ choices: [choice({ text: 'Hi' }, 'stop')] }) +
      event({ choices: [], usage }) +
      'data: [DONE]\n\n',
    broken: (usage) => ({ error: { message: 'The server broke', type: 'server_error' }, usage }),
  },
  messages: {
    whole: (usage) => ({
      ...message,
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      usage,
    }),
    stream: (usage) =>
      [
        { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
        { type: 'message_stop' },
      ]
        .map(event)
        .join(''),
    broken: (usage) => ({ type: 'error', error: { type: 'api_error', message: 'The server broke' }, usage }),
  },
  responses: {
    whole: (usage) => ({ ...response, status: 'completed', output: said, usage }),
    stream: (usage) =>
      [
        { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
        { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
        {
          type: 'response.output_text.delta',
          output_index: 0,
          item_id: 'msg_1',
          content_index: 0,
          delta: 'Hi',
        },
        { type: 'response.output_item.done', output_index: 0, item: said[0] },
        {
          type: 'response.completed',
          response: { ...response, status: 'completed', output: said, usage },
        },
      ]
        .map(event)
        .join(''),
    broken: (usage) => ({
      type: 'response.failed',
      response: {
        ...response,
        status: 'failed',
        output: [],
        error: { code: 'server_error', message: 'The server broke' },
        usage,
      },
    }),
  },
};

const ASKED: Readonly<Record<Spoken, { path: string; request: object }>> = {
  ...CLIENTS,
  completions: { path: '/v1/completions', request: { prompt: 'Hi' } },
};

/** The records of requests to one provider that sends these answers in turn. */
async function recorded(
  type: Type,
  client: Spoken,
  answers: readonly { body: object | string }[],
): Promise<LogRecord[]> {
  let body: object | string = '';
  await using provided = upstream(() => (typeof body === 'string' ? sse(body) : Response.json(body)));
  await using proxy = running({
    providers: [
      {
        name: 'a',
        type,
        base_url: provided.url,
        api_key: 'k-test',
        models: [{ name: 'm', price: { input: 1, cached: 0.1, output: 2 } }],
        max_retries: 0,
      },
    ],
  });
  const { path, request } = ASKED[client];
  for (const [at, answer] of answers.entries()) {
    ({ body } = answer);
    const reply = await proxy.post(path, { ...request, model: 'm', stream: typeof body === 'string' });
    await reply.text();
    await proxy.recorded(at + 1);
  }
  return proxy.records;
}

const usageOf = (record: LogRecord | undefined) => ({
  input: record?.input_tokens,
  cached: record?.cached_tokens,
  cacheWrite: record?.cache_write_tokens,
  output: record?.output_tokens,
  reasoning: record?.reasoning_tokens,
  cost: record?.cost,
  units: record?.units,
});
type Counted = ReturnType<typeof usageOf>;

const chatUsage = (more: object) => ({ prompt_tokens: 10, completion_tokens: 2, ...more });
const tokens = (more: object) => ({ input_tokens: 10, output_tokens: 2, ...more });
const REASONED = chatUsage({ completion_tokens_details: { reasoning_tokens: 500 } });
const CACHED = chatUsage({ prompt_tokens_details: { cached_tokens: 99, cache_write_tokens: 5 } });

/** A gateway that includes the tokens written to a cache among those read from it. */
const WRITTEN = chatUsage({ prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 8 } });
const BOTH = chatUsage({ prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 7 } });

const HEARD = chatUsage({
  prompt_tokens_details: { audio_tokens: 6, cached_tokens: 4, cached_tokens_details: { audio_tokens: 3 } },
  completion_tokens_details: { audio_tokens: 1 },
});
const HOUR = tokens({
  cache_creation_input_tokens: 5,
  cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
  server_tool_use: { web_search_requests: 2 },
});
const HEARD_UNITS = { input_audio_tokens: 6, cached_audio_tokens: 3, output_audio_tokens: 1 };

const ALL = ['chat', 'messages', 'responses'] as const;
const VENDORS: readonly [Type, Spoken, readonly Spoken[], object, Partial<Counted>][] = [
  ['xai', 'chat', ['chat', 'messages'], REASONED, { input: 10, output: 502, reasoning: 500 }],
  ['xai', 'chat', ['chat', 'messages'], chatUsage({ reasoning_tokens: 40 }), { output: 42, reasoning: 40 }],
  ['openai-compatible', 'chat', ALL, REASONED, { output: 2, reasoning: 500 }],
  ['openai-compatible', 'chat', ALL, CACHED, { input: 10, cached: 10, cacheWrite: 0, cost: 5e-6 }],
  ['openai-compatible', 'chat', ALL, WRITTEN, { input: 10, cached: 0, cacheWrite: 8 }],
  ['openai-compatible', 'chat', ALL, BOTH, { input: 10, cached: 1, cacheWrite: 7 }],
  ['openai-compatible', 'chat', ALL, chatUsage({ reasoning_tokens: 40 }), { output: 2, reasoning: 40 }],
  ['openai-compatible', 'completions', ['completions'], CACHED, { input: 10, cached: 10, cost: 5e-6 }],
  [
    'openai',
    'responses',
    ['responses'],
    tokens({ input_tokens_details: { cached_tokens: 99 } }),
    { cached: 10, cost: 5e-6 },
  ],
  [
    'openai',
    'responses',
    ['responses'],
    tokens({ output_tokens_details: { reasoning_tokens: 9 } }),
    { output: 2, reasoning: 9 },
  ],
  ['perplexity', 'responses', ALL, tokens({ input_tokens_details: { cached_tokens: 99 } }), { cached: 10 }],
  ['openai-compatible', 'chat', ALL, HEARD, { input: 10, cached: 4, units: HEARD_UNITS }],
  [
    'anthropic',
    'messages',
    ALL,
    HOUR,
    { input: 15, cacheWrite: 5, units: { cache_write_1h_tokens: 3, web_searches: 2 } },
  ],
  ['anthropic', 'messages', ALL, tokens({ cache_read_input_tokens: 4 }), { input: 14, cached: 4, output: 2 }],
];

describe.each(VENDORS)('usage of type %s in %s', (type, spoken, clients, usage, wanted) => {
  const { whole, stream } = SPOKEN[spoken];

  test.each(clients)(
    `of ${JSON.stringify(usage)} is recorded the same for a %s client, streamed or not`,
    async (client) => {
      const [one, streamed] = await recorded(type, client, [{ body: whole(usage) }, { body: stream(usage) }]);
      expect([one?.outcome, streamed?.outcome]).toEqual(['success', 'success']);
      expect(usageOf(streamed)).toEqual(usageOf(one));
      expect(usageOf(one)).toMatchObject(wanted);
    },
  );
});

/** The stream up to its text, and then an event that breaks it off. */
const cut = (spoken: Spoken, usage: object) => {
  const { stream, broken } = SPOKEN[spoken];
  const whole = stream(null);
  const end = whole.indexOf('\n\n', whole.search(/"(?:content|text|delta)":"Hi"/)) + 2;
  return whole.slice(0, end) + event(broken(usage));
};

describe.each([
  ['openai-compatible', 'chat', chatUsage({})],
  ['anthropic', 'messages', tokens({})],
  ['perplexity', 'responses', tokens({})],
] as const)('a broken stream of type %s in %s', (type, spoken, usage) => {
  test.each(ALL)('is recorded with the usage that it reports to a %s client', async (client) => {
    const [record] = await recorded(type, client, [{ body: cut(spoken, usage) }]);
    expect(record).toMatchObject({ outcome: 'truncated', input_tokens: 10, output_tokens: 2 });
    expect(record!.cost).toBeCloseTo(14e-6, 10);
  });

  test.each(['messages', 'responses'] as const)(
    'has its part counted where the answer for a %s client is resumed elsewhere',
    async (client) => {
      await using first = upstream(() => sse(cut(spoken, usage)));
      await using second = upstream(() => sse(SPOKEN.chat.stream(chatUsage({ prompt_tokens: 20 }))));
      await using proxy = running({
        routing: { resume: true },
        providers: [
          { name: 'a', type, base_url: first.url, api_key: 'k-test', models: ['m'], max_retries: 0 },
          { name: 'b', type: 'openai-compatible', base_url: second.url, models: ['m'], priority: 2 },
        ],
      });
      const { path, request } = ASKED[client];
      await (await proxy.post(path, { ...request, model: 'm', stream: true })).text();
      expect((await proxy.recorded(1))[0]).toMatchObject({
        outcome: 'success',
        input_tokens: 30,
        output_tokens: 4,
        parts: [
          { target: 'a/m', input_tokens: 10, output_tokens: 2 },
          { target: 'b/m', input_tokens: 20, output_tokens: 2 },
        ],
      });
    },
  );
});

test.each(['/v1/usage?key=other', '/usage?key=other', '/base/v1/usage?since=1d&key=other'])(
  '%s is not treated as a Gemini path, whose keys are in the query',
  (path) => {
    expect(clientProtocol({ headers: new Headers(), url: `http://localhost${path}` } as Request)).toBe(
      'chat',
    );
  },
);
