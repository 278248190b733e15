/** What clients return from earlier turns, and what they request beside text, as each provider receives it. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { running } from '../helpers/proxy.ts';
import { SPEAKERS } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

type Type = ConfigInput['providers'][number]['type'];

const PATHS = { chat: '/v1/chat/completions', messages: '/v1/messages', responses: '/v1/responses' } as const;

/** A valid answer for each type of provider. */
const ANSWERS: Readonly<Partial<Record<Type, object>>> = Object.fromEntries(
  Object.values(SPEAKERS).map(({ type, whole }) => [type, whole]),
);

interface Seen {
  readonly status: number;
  /** The body that the provider received, parsed and as text; empty where it received none. */
  readonly body: JsonObject;
  readonly text: string;
  readonly dropped: string | null;
  readonly reply: string;
}

async function asked(
  client: keyof typeof PATHS,
  type: Type,
  request: object | string,
  answer: object | string = ANSWERS[type] ?? {},
): Promise<Seen> {
  const json = { headers: { 'content-type': 'application/json' } };
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  await using provider = upstream(() => new Response(text, json));
  await using proxy = running({
    providers: [{ name: 'p', type, base_url: provider.url, api_key: 'k', models: ['*'], max_retries: 0 }],
  });
  const reply = await proxy.post(PATHS[client], request);
  const sent = provider.asked[0]?.text ?? '{}';
  return {
    status: reply.status,
    body: JSON.parse(sent) as JsonObject,
    text: sent,
    dropped: reply.headers.get('x-llmproxy-dropped'),
    reply: await reply.text(),
  };
}

const CLAUDE = 'claude-sonnet-4-5';
const thinking = (text: string, signature: string) => ({ type: 'thinking', thinking: text, signature });
const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
const result = (id: string, more: object = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  content: 'done',
  ...more,
});
const interleaved = [
  thinking('One.', 'S1='),
  use('a'),
  thinking('Two.', 'S2='),
  { type: 'text', text: 'Now.' },
  use('b'),
];
const tool = { name: 'f', input_schema: { type: 'object', properties: {} } };
const conversation = {
  model: CLAUDE,
  max_tokens: 100,
  tools: [tool],
  messages: [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: interleaved },
    { role: 'user', content: [result('a'), result('b')] },
  ],
};

describe('a turn with thinking between calls', () => {
  const converse = [
    { reasoningContent: { reasoningText: { text: 'One.', signature: 'S1=' } } },
    { toolUse: { toolUseId: 'a', name: 'f', input: {} } },
    { reasoningContent: { reasoningText: { text: 'Two.', signature: 'S2=' } } },
    { text: 'Now.' },
    { toolUse: { toolUseId: 'b', name: 'f', input: {} } },
  ];

  test('keeps its order at Bedrock', async () => {
    const { body } = await asked('messages', 'bedrock', conversation);
    expect(body.messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: converse }, {}]);
  });

  test('is relayed to Anthropic unchanged', async () => {
    const { text } = await asked('messages', 'anthropic', conversation);
    expect(text).toBe(JSON.stringify(conversation));
  });

  test('keeps its order through a Responses client', async () => {
    const seal = (block: object) => `llmproxy.${btoa(JSON.stringify(block))}`;
    const reasoning = (text: string, signature: string) => ({
      type: 'reasoning',
      id: 'rs_llmproxy_1',
      summary: [{ type: 'summary_text', text }],
      encrypted_content: seal(thinking(text, signature)),
    });
    const call = (call_id: string) => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' });
    const output = (call_id: string) => ({ type: 'function_call_output', call_id, output: 'done' });
    const input = [
      { role: 'user', content: 'go' },
      reasoning('One.', 'S1='),
      call('a'),
      reasoning('Two.', 'S2='),
      { role: 'assistant', content: [{ type: 'output_text', text: 'Now.' }] },
      call('b'),
      output('a'),
      output('b'),
    ];
    const { body } = await asked('responses', 'anthropic', { model: CLAUDE, input });
    expect(body.messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: interleaved }, {}]);
  });

  test('keeps its order through a chat client, whose protocol cannot express it', async () => {
    const answers = [
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: interleaved,
        stop_reason: 'tool_use',
        usage: { input_tokens: 1, output_tokens: 1 },
      },
      ANSWERS.anthropic!,
    ];
    await using provider = upstream((_, count) => Response.json(answers[count - 1]));
    await using proxy = running({
      providers: [{ name: 'p', type: 'anthropic', base_url: provider.url, api_key: 'k', models: ['*'] }],
    });
    const first = await proxy.post(PATHS.chat, {
      model: CLAUDE,
      messages: [{ role: 'user', content: 'go' }],
    });
    const { choices } = (await first.json()) as { choices: { message: JsonObject }[] };
    const { content, tool_calls } = choices[0]!.message;
    const results = ['a', 'b'].map((id) => ({ role: 'tool', tool_call_id: id, content: 'done' }));
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content, tool_calls },
      ...results,
    ];
    await proxy.post(PATHS.chat, { model: CLAUDE, messages });
    expect(JSON.parse(provider.asked[1]!.text)).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant', content: interleaved }, {}],
    });
  });
});

describe('arguments of function calls', () => {
  const DIGITS = '{"n":9007199254740993,"deep":[{"m":-12345678901234567890}]}';
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: DIGITS } };
  const history = {
    model: 'm',
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ],
  };

  test.each(['anthropic', 'bedrock', 'gemini', 'cohere'] as const)(
    'keep all their digits for %s',
    async (type) => {
      const { text } = await asked('chat', type, history);
      expect(text.replaceAll('\\', '')).toContain(DIGITS);
    },
  );

  test('of a Messages client keep all digits for a chat server', async () => {
    const request = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":${DIGITS}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}]}`;
    const { body } = await asked('messages', 'openai-compatible', request);
    expect(body.messages).toMatchObject([{}, { tool_calls: [{ function: { arguments: DIGITS } }] }, {}]);
  });

  test('in answers keep all digits, in all directions', async () => {
    const ask = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'go' }] };
    const gemini = `{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":${DIGITS}}}]},"finishReason":"STOP"}]}`;
    expect((await asked('messages', 'gemini', ask, gemini)).reply).toContain(`"input":${DIGITS}`);
    const message = `{"id":"m","type":"message","role":"assistant","model":"m","stop_reason":"tool_use","content":[{"type":"tool_use","id":"a","name":"f","input":${DIGITS}}],"usage":{"input_tokens":1,"output_tokens":1}}`;
    const { reply } = await asked('chat', 'anthropic', ask, message);
    const { choices } = JSON.parse(reply) as { choices: JsonObject[] };
    expect(choices).toMatchObject([{ message: { tool_calls: [{ function: { arguments: DIGITS } }] } }]);
    const chat = {
      id: 'c',
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: { role: 'assistant', content: null, tool_calls: [call] },
        },
      ],
    };
    expect((await asked('messages', 'openai-compatible', ask, chat)).reply).toContain(`"input":${DIGITS}`);
  });

  test.each(['anthropic', 'bedrock', 'gemini', 'cohere'] as const)(
    'that are not valid JSON do not break a conversation with %s',
    async (type) => {
      for (const text of ['{"id": ', 'null', '[1]', '5', '']) {
        const broken = { ...call, function: { name: 'f', arguments: text } };
        const [user, assistant, tool] = history.messages;
        const messages = [user, { ...assistant, tool_calls: [broken] }, tool];
        expect((await asked('chat', type, { model: 'm', messages })).status).toBe(200);
      }
    },
  );
});

describe('tool results', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
  const failed = result('a', { is_error: true, content: [{ type: 'text', text: 'no' }, image] });
  const request = {
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [use('a')] },
      { role: 'user', content: [failed, { type: 'text', text: 'well?' }] },
    ],
  };
  const url = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

  test('keep images and the error flag where a provider accepts them', async () => {
    expect((await asked('messages', 'bedrock', request)).body.messages).toMatchObject([
      {},
      {},
      {
        content: [
          {
            toolResult: {
              toolUseId: 'a',
              status: 'error',
              content: [{ text: 'no' }, { image: { format: 'png' } }],
            },
          },
          { text: 'well?' },
        ],
      },
    ]);
  });

  test('move images behind them where a provider accepts none, and name the dropped error flag', async () => {
    const { body, dropped } = await asked('messages', 'openai-compatible', request);
    expect(dropped).toBe('is_error');
    expect(body.messages).toEqual([
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'no' },
      { role: 'user', content: [url, { type: 'text', text: 'well?' }] },
    ]);
  });

  test('that are images from a Responses client stay in the result at Anthropic', async () => {
    const input = [
      { role: 'user', content: 'look' },
      { type: 'function_call', call_id: 'c1', name: 'view', arguments: '{}' },
      {
        type: 'function_call_output',
        call_id: 'c1',
        output: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }],
      },
    ];
    const { body } = await asked('responses', 'anthropic', { model: 'm', input });
    expect(body.messages).toMatchObject([
      {},
      {},
      { content: [{ type: 'tool_result', tool_use_id: 'c1', content: [image] }] },
    ]);
  });
});

describe('legacy functions', () => {
  const functions = [{ name: 'f', parameters: { type: 'object', properties: {} } }];
  const messages = [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
    { role: 'function', name: 'f', content: '2' },
  ];

  test('become tools, their calls get ids, and the answer uses the legacy form again', async () => {
    const called = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'tool_use', id: 'x', name: 'f', input: { b: 2 } }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 1, output_tokens: 1 },
    };
    const request = { model: 'm', messages, functions, function_call: { name: 'f' } };
    const { body, reply, dropped } = await asked('chat', 'anthropic', request, called);
    expect(dropped).toBeNull();
    expect(body).toMatchObject({
      tools: [{ name: 'f' }],
      tool_choice: { type: 'tool', name: 'f' },
      messages: [
        {},
        { content: [{ type: 'tool_use', id: 'call_of_message_1', name: 'f', input: { a: 1 } }] },
        { content: [{ type: 'tool_result', tool_use_id: 'call_of_message_1', content: '2' }] },
      ],
    });
    const { choices } = JSON.parse(reply) as { choices: JsonObject[] };
    expect(choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          annotations: [],
          content: null,
          refusal: null,
          function_call: { name: 'f', arguments: '{"b":2}' },
        },
        logprobs: null,
        finish_reason: 'function_call',
      },
    ]);
  });
});

describe('a web search', () => {
  const chat = {
    model: 'm',
    messages: [{ role: 'user', content: 'go' }],
    web_search_options: { user_location: { type: 'approximate', approximate: { country: 'FR' } } },
  };
  const messages = {
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'go' }],
    tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 2, allowed_domains: ['a.example'] }],
  };
  const responses = {
    model: 'm',
    input: 'go',
    tools: [{ type: 'web_search', filters: { allowed_domains: ['a.example'] } }],
  };
  const anthropics = { type: 'web_search_20250305', name: 'web_search' };

  test.each<[keyof typeof PATHS, Type, object, object, string | null]>([
    [
      'chat',
      'anthropic',
      chat,
      { tools: [{ ...anthropics, user_location: { type: 'approximate', country: 'FR' } }] },
      null,
    ],
    [
      'responses',
      'anthropic',
      responses,
      { tools: [{ ...anthropics, allowed_domains: ['a.example'] }] },
      null,
    ],
    ['chat', 'gemini', chat, { tools: [{ googleSearch: {} }] }, 'web_search.user_location'],
    ['responses', 'gemini', responses, { tools: [{ googleSearch: {} }] }, 'web_search.allowed_domains'],
    [
      'messages',
      'gemini',
      messages,
      { tools: [{ googleSearch: {} }] },
      'web_search.max_uses, web_search.allowed_domains',
    ],
    [
      'messages',
      'bedrock',
      { ...messages, model: 'amazon.nova-2-lite-v1:0' },
      { toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } },
      'web_search.max_uses, web_search.allowed_domains',
    ],
    ['messages', 'bedrock', messages, {}, 'web_search_20250305'],
    ['messages', 'cohere', messages, {}, 'web_search_20250305'],
    ['messages', 'openai-compatible', messages, {}, 'web_search_20250305'],
    ['responses', 'openai-compatible', responses, {}, 'web_search'],
    [
      'messages',
      'openai-compatible',
      { ...messages, model: 'gpt-4o-search-preview' },
      { web_search_options: {} },
      'web_search.max_uses, web_search.allowed_domains',
    ],
  ])('of a %s client is requested from %s', async (client, type, request, wanted, dropped) => {
    const seen = await asked(client, type, request);
    expect(seen.body).toMatchObject(wanted);
    expect(seen.dropped).toBe(dropped);
  });

  test('of an earlier turn is named as dropped where a provider cannot express it', async () => {
    const content = [
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
      { type: 'text', text: 'Found.' },
    ];
    const turns = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content },
      { role: 'user', content: 'on' },
    ];
    const { body, dropped } = await asked('messages', 'openai-compatible', {
      model: 'm',
      max_tokens: 9,
      messages: turns,
    });
    expect(body.messages).toMatchObject([{}, { role: 'assistant', content: 'Found.' }, {}]);
    expect(dropped).toBe('hosted_tool');
  });
});
