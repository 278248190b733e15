/** What single vendors and models refuse or expect in another form: each is asked in a form that it accepts. */
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const U = { role: 'user', content: 'Hi' };
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

describe('functions of gpt-5.4 and newer, which chat refuses beside reasoning', () => {
  test.each([
    ['gpt-5.4', { tools, reasoning_effort: 'low' }, '/responses'],
    ['gpt-5.4', { tools }, '/chat/completions'],
    ['gpt-5.4', { reasoning_effort: 'low' }, '/chat/completions'],
    ['gpt-5.4-mini', { tools, reasoning_effort: 'none' }, '/chat/completions'],
    ['gpt-5.5', { tools }, '/responses'],
    ['gpt-5.6-terra', { functions: [tools[0]!.function] }, '/responses'],
    ['gpt-5.6-terra', { tools, reasoning_effort: 'none' }, '/chat/completions'],
    ['gpt-5.2', { tools, reasoning_effort: 'high' }, '/chat/completions'],
  ] as const)('%s %j is sent to %s%s', async (model, body, path) => {
    for (const type of ['openai', 'azure'] as const)
      expect((await requestSentTo(type, { model, ...body })).path).toBe(path);
  });

  test('use chat where the operator sets api: chat, and follow the model that an alias is like', async () => {
    const asked = { model: 'gpt-5.6', tools };
    expect((await requestSentTo('openai', asked, { api: 'chat' })).path).toBe('/chat/completions');
    const models = [{ name: 'house', like: 'gpt-5.6' }];
    expect((await requestSentTo('azure', { ...asked, model: 'house' }, { models })).path).toBe('/responses');
  });

  test('use Responses for Messages clients too', async () => {
    const body = {
      model: 'gpt-5.4',
      max_tokens: 2_000,
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      output_config: { effort: 'high' },
    };
    const asked = await requestSentTo('openai', body, { path: '/v1/messages' });
    expect([asked.path, asked.body.reasoning]).toEqual(['/responses', { effort: 'high', summary: 'auto' }]);
  });

  test('use deployment URLs of Azure for models that only Responses serves', async () => {
    const extra = { api_version: '2025-04-01-preview' };
    const asked = await requestSentTo('azure', { model: 'gpt-5-codex' }, extra);
    expect([asked.path, asked.body.model]).toEqual([
      '/openai/responses?api-version=2025-04-01-preview',
      'gpt-5-codex',
    ]);
    expect((await requestSentTo('azure', { model: 'gpt-4o' }, extra)).path).toContain(
      '/openai/deployments/gpt-4o/chat',
    );
  });
});

/** What each model is sent for the efforts from none to max. */
const TAKEN: readonly (readonly [type: never, model: string, taken: string])[] = [
  ['openai', 'o3', 'low low low medium high high high'],
  ['openai', 'gpt-5', 'minimal minimal low medium high high high'],
  ['openai', 'gpt-5.1', 'none none low medium high high high'],
  ['openai', 'gpt-5.4', 'none none low medium high xhigh xhigh'],
  ['openai', 'gpt-5.6', 'none minimal low medium high xhigh max'],
  ['openai', 'gpt-5-pro', 'high high high high high high high'],
  ['openai', 'gpt-4o', '- - - - - - -'],
  ['xai', 'grok-4', '- - - - - - -'],
  ['xai', 'grok-3-mini', 'low low low low high high high'],
  ['groq', 'openai/gpt-oss-120b', 'low low low medium high high high'],
  ['groq', 'qwen/qwen3-32b', 'none default default default default default default'],
  ['mistral', 'magistral', 'none none high high high high high'],
  ['deepseek', 'deepseek-v4', '- low low medium high high max'],
  ['moonshot', 'kimi-k3', '- low low low high high max'],
  ['zai', 'glm-5', '- - - - - - -'],
  ['vllm', 'm', '- low low medium high high high'],
  ['ollama', 'm', 'none none low medium high high max'],
  ['openrouter', 'm', 'none minimal low medium high xhigh max'],
].map(([type, model, taken]) => [type as never, model!, taken!] as const);

test.each(TAKEN)('%s %s is sent the efforts %s', async (type, model, taken) => {
  const asked = await Promise.all(
    EFFORTS.map((reasoning_effort) => requestSentTo(type, { model, reasoning_effort })),
  );
  const told = asked.map(({ body }) => {
    const { effort } = (body.reasoning ?? {}) as Json;
    return String(body.reasoning_effort ?? effort ?? '-');
  });
  expect(told.join(' ')).toBe(taken);
  // An effort that is left out is named as dropped, unless it only turns reasoning off.
  for (const [at, { dropped }] of asked.entries()) {
    if (told[at] === '-') expect(dropped).toBe(at === 0 ? null : 'reasoning_effort');
  }
});

test('reasoning is turned off with the vendor’s own field where its effort has no such value', async () => {
  const off = async (type: 'deepseek' | 'vllm') =>
    (await requestSentTo(type, { model: 'm', reasoning_effort: 'none' })).body;
  expect((await off('deepseek')).thinking).toEqual({ type: 'disabled' });
  expect((await off('vllm')).chat_template_kwargs).toEqual({ enable_thinking: false });
});

test.each([
  ['claude-opus-4-7', { low: 'low', xhigh: 'xhigh', max: 'max' }],
  ['claude-sonnet-4-6', { low: 'low', xhigh: 'high', max: 'max' }],
] as const)('%s is sent its own form of effort, both translated and relayed', async (model, efforts) => {
  for (const [asked, told] of Object.entries(efforts)) {
    const chat = await requestSentTo('anthropic', { model, reasoning_effort: asked });
    expect([chat.body.thinking, chat.body.output_config]).toEqual([{ type: 'adaptive' }, { effort: told }]);
    const body = {
      model,
      max_tokens: 9_000,
      thinking: { type: 'adaptive' },
      output_config: { effort: asked },
    };
    const relayed = await requestSentTo('anthropic', body, { path: '/v1/messages' });
    expect([relayed.body.thinking, relayed.body.output_config]).toEqual([
      { type: 'adaptive' },
      { effort: told },
    ]);
  }
});

describe('thinking in a relayed message', () => {
  const relayed = async (model: string, body: Json) => {
    const asked = await requestSentTo(
      'anthropic',
      { model, max_tokens: 9_000, ...body },
      { path: '/v1/messages' },
    );
    return [asked.body.thinking, asked.body.output_config, asked.dropped];
  };

  test.each([
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'adaptive' } },
      { type: 'enabled', budget_tokens: 8_192 },
      undefined,
      null,
    ],
    [
      'claude-opus-4-8',
      { thinking: { type: 'enabled', budget_tokens: 4_000 } },
      { type: 'adaptive' },
      { effort: 'medium' },
      null,
    ],
    ['claude-3-5-haiku', { thinking: { type: 'adaptive' } }, undefined, undefined, 'thinking'],
    ['claude-sonnet-4-5', { output_config: { effort: 'max' } }, undefined, undefined, 'output_config.effort'],
    // A budget set here leaves tokens for the answer; where there are none to leave, thinking is off.
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'adaptive' }, max_tokens: 3_000 },
      { type: 'enabled', budget_tokens: 2_999 },
      undefined,
      null,
    ],
    ['claude-sonnet-4-5', { thinking: { type: 'adaptive' }, max_tokens: 500 }, undefined, undefined, null],
    // What the model accepts stays unchanged.
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'enabled', budget_tokens: 2_000 } },
      { type: 'enabled', budget_tokens: 2_000 },
      undefined,
      null,
    ],
    [
      'house',
      { thinking: { type: 'enabled', budget_tokens: 2_000 } },
      { type: 'enabled', budget_tokens: 2_000 },
      undefined,
      null,
    ],
  ] as const)('is adapted to %s: %j', async (model, body, thinking, config, dropped) => {
    expect(await relayed(model, body)).toEqual([thinking, config, dropped]);
  });
});

test('a response format works beside functions on an older Claude', async () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'out', schema: { type: 'object' } } };
  const ask = (body: Json) =>
    requestSentTo('anthropic', { model: 'claude-3-5-sonnet', tools, response_format, ...body });
  const { body } = await ask({});
  expect((body.tools as Json[]).map(({ name }) => name)).toEqual(['f', 'out']);
  expect(body.tool_choice).toEqual({ type: 'any' });
  expect((await ask({ tool_choice: 'none' })).body.tool_choice).toEqual({ type: 'tool', name: 'out' });
  const choice = { type: 'function', function: { name: 'f' } };
  expect((await ask({ tool_choice: choice })).body.tool_choice).toEqual({ type: 'tool', name: 'f' });
  const thinking = await requestSentTo('anthropic', {
    model: 'claude-3-7-sonnet',
    response_format,
    reasoning_effort: 'high',
  });
  expect([thinking.body.thinking, thinking.dropped]).toEqual([undefined, 'reasoning_effort']);
});

test('JSON output beside functions is requested in the prompt from vendors that refuse the field', async () => {
  const response_format = { type: 'json_object' };
  const { body, dropped } = await requestSentTo('groq', {
    model: 'openai/gpt-oss-20b',
    tools,
    response_format,
  });
  expect([body.response_format, dropped]).toEqual([undefined, 'response_format']);
  expect(JSON.stringify(body.messages)).toContain('one valid JSON object');
  const alone = await requestSentTo('groq', { model: 'openai/gpt-oss-20b', response_format });
  expect([alone.body.response_format, alone.dropped]).toEqual([response_format, null]);
});

describe('the header anthropic-beta', () => {
  const betas =
    'claude-code-20250219,context-1m-2025-08-07, advanced-tool-use-2025-11-20,files-api-2025-04-14';
  const asked = async (type: 'bedrock' | 'anthropic', model: string) => {
    const answer = {
      output: { message: { role: 'assistant', content: [{ text: 'ok' }] } },
      stopReason: 'end_turn',
    };
    const message = {
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: 'end_turn',
      model: 'm',
      id: 'm',
    };
    await using a = upstream(() => Response.json(type === 'bedrock' ? answer : message));
    await using proxy = running({ providers: [provider('a', a.url, { type, api_key: 'k', models: ['*'] })] });
    const body = { model, max_tokens: 50, messages: [U] };
    const reply = await proxy.post('/v1/messages', body, { headers: { 'anthropic-beta': betas } });
    await reply.text();
    const more = (JSON.parse(a.asked[0]!.text) as Json).additionalModelRequestFields as Json | undefined;
    return [
      more?.anthropic_beta,
      a.asked[0]!.headers.get('anthropic-beta'),
      reply.headers.get('x-llmproxy-dropped'),
    ];
  };

  test('becomes a field of Claude on Bedrock, with the values that Bedrock accepts', async () => {
    expect(await asked('bedrock', 'us.anthropic.claude-sonnet-4-5-v1:0')).toEqual([
      ['context-1m-2025-08-07', 'tool-search-tool-2025-10-19'],
      null,
      'anthropic-beta: files-api-2025-04-14',
    ]);
    expect(await asked('bedrock', 'us.amazon.nova-pro-v1:0')).toEqual([undefined, null, null]);
  });

  test('is sent to Anthropic unchanged', async () => {
    expect(await asked('anthropic', 'claude-sonnet-4-5')).toEqual([undefined, betas, null]);
  });

  test('is set for files stored at Anthropic, whichever API the client uses', async () => {
    await using a = upstream(() => Response.json({}));
    await using proxy = running({ providers: [provider('a', a.url, { type: 'anthropic', models: ['*'] })] });
    const content = [{ type: 'file', file: { file_id: 'file_1' } }];
    await proxy.post('/v1/chat/completions', { model: 'claude-x', messages: [{ role: 'user', content }] });
    expect(a.asked[0]!.headers.get('anthropic-beta')).toBe('files-api-2025-04-14');
  });
});

describe('thought signatures at Google’s chat endpoint', () => {
  const extra_content = { google: { thought_signature: 'sig' } };
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const answer = {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'gemini-3-flash',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, tool_calls: [{ ...call('c1'), extra_content }] },
        finish_reason: 'tool_calls',
      },
    ],
  };
  const events = (chunk: Json) => `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
  const streamed = events({
    ...answer,
    object: 'chat.completion.chunk',
    choices: [
      {
        index: 0,
        delta: { tool_calls: [{ index: 0, ...call('c1'), extra_content }] },
        finish_reason: 'tool_calls',
      },
    ],
  });
  /** The real endpoint is recognized by its address; this one is configured to keep the field. */
  const request = { keep: ['extra_content'] };
  const turn = (id: string) => [
    U,
    { role: 'assistant', content: null, tool_calls: [call(id)] },
    { role: 'tool', tool_call_id: id, content: '1' },
  ];

  test.each([
    ['/v1/chat/completions', false],
    ['/v1/chat/completions', true],
    ['/v1/messages', false],
    ['/v1/messages', true],
  ] as const)('are restored for %s clients that drop them, streamed: %p', async (path, stream) => {
    const head = { headers: { 'content-type': 'text/event-stream' } };
    await using a = upstream(() => (stream ? new Response(streamed, head) : Response.json(answer)));
    await using proxy = running({ providers: [provider('g', a.url, { models: ['*'], request })] });
    const model = 'gemini-3-flash';
    await (await proxy.post(path, { model, max_tokens: 9, stream, messages: [U] })).text();
    const said = [
      U,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: '1' }] },
    ];
    const messages = path === '/v1/messages' ? said : turn('c1');
    await (await proxy.post(path, { model, max_tokens: 9, stream, messages })).text();
    const asked = JSON.parse(a.asked[1]!.text) as { messages: { tool_calls?: Json[] }[] };
    expect(asked.messages[1]!.tool_calls![0]!.extra_content).toEqual(extra_content);
  });

  test('are replaced by the skip marker for calls of another model, where the model requires one', async () => {
    const signature = async (model: string) => {
      const { body } = await requestSentTo(
        'openai-compatible',
        { model, messages: turn('foreign') },
        { request },
      );
      return ((body.messages as { tool_calls?: Json[] }[])[1]!.tool_calls![0]!.extra_content ??
        null) as Json | null;
    };
    expect(await signature('gemini-3-pro')).toEqual({
      google: { thought_signature: 'skip_thought_signature_validator' },
    });
    expect(await signature('gemini-2.5-flash')).toBeNull();
  });

  test('are sent to no other provider', async () => {
    const messages = turn('c1').map((message) =>
      'tool_calls' in message ? { ...message, tool_calls: [{ ...call('c1'), extra_content }] } : message,
    );
    const { body } = await requestSentTo('openai-compatible', { model: 'm', messages });
    expect(JSON.stringify(body)).not.toContain('extra_content');
  });
});

test('several texts are embedded by Titan one by one', async () => {
  await using a = upstream(({ text }) => {
    const { inputText } = JSON.parse(text) as { inputText: string };
    return Response.json({ embedding: [inputText.length, 0.5], inputTextTokenCount: inputText.length });
  });
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'bedrock', api_key: 'k', models: ['*'] })],
  });
  const input = Array.from({ length: 20 }, (_, at) => 'x'.repeat(at + 1));
  const reply = await proxy.post('/v1/embeddings', {
    model: 'amazon.titan-embed-text-v2:0',
    input,
    dimensions: 2,
  });
  const { data, usage } = (await reply.json()) as { data: { embedding: number[] }[]; usage: Json };
  expect(data.map(({ embedding }) => embedding[0])).toEqual(input.map(({ length }) => length));
  expect(usage).toEqual({ prompt_tokens: 210, total_tokens: 210 });
  expect(JSON.parse(a.asked[0]!.text)).toEqual({ inputText: 'x', dimensions: 2, normalize: true });
});

test.each([
  ['cohere', 'embed-x', 200, [96, 96, 8]],
  ['gemini', 'gemini-embedding', 150, [100, 50]],
  ['gemini', 'gemini-embedding', 100, [100]],
] as const)(
  '%s receives no more texts in one request than it accepts: %s, %i in %j',
  async (type, model, count, parts) => {
    await using a = upstream(({ text }) => {
      const { texts = [], requests = [] } = JSON.parse(text) as { texts?: string[]; requests?: unknown[] };
      const values = Array.from({ length: texts.length + requests.length }, () => [1, 2]);
      return Response.json(
        type === 'cohere'
          ? { embeddings: { float: values }, meta: { billed_units: { input_tokens: values.length } } }
          : { embeddings: values.map((each) => ({ values: each })) },
      );
    });
    await using proxy = running({ providers: [provider('a', a.url, { type, api_key: 'k', models: ['*'] })] });
    const input = Array.from({ length: count }, (_, at) => `text ${at}`);
    const reply = await proxy.post('/v1/embeddings', { model, input });
    const { data } = (await reply.json()) as { data: { index: number }[] };
    expect(data.map(({ index }) => index)).toEqual(input.map((_, at) => at));
    const asked = a.asked.map(({ text }) => {
      const { texts, requests } = JSON.parse(text) as { texts?: unknown[]; requests?: unknown[] };
      return (texts ?? requests)!.length;
    });
    expect(asked.toSorted((x, y) => y - x)).toEqual([...parts]);
  },
);

test('more texts than OpenAI accepts in one request are refused', async () => {
  const asked = await requestSentTo(
    'cohere',
    { model: 'embed-x', input: Array.from({ length: 2_049 }, () => 'x') },
    { path: '/v1/embeddings' },
  );
  expect([asked.status, asked.text]).toEqual([400, '']);
});

test('a text that Titan refuses fails the whole request with Titan’s message', async () => {
  let count = 0;
  await using a = upstream(() =>
    ++count === 3
      ? Response.json({ message: 'too long' }, { status: 400 })
      : Response.json({ embedding: [1], inputTextTokenCount: 1 }),
  );
  await using proxy = running({
    providers: [provider('a', a.url, { type: 'bedrock', api_key: 'k', models: ['*'] })],
  });
  const input = Array.from({ length: 50 }, () => 'x');
  const reply = await proxy.post('/v1/embeddings', { model: 'amazon.titan-embed-text-v2:0', input });
  expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('too long')]);
  expect(a.asked.length).toBeLessThan(50);
});

test.each([
  ['hello world', [15_339, 1_917]],
  ['Zürich 🙂', [57, 5_297, 718, 28_584]],
])('token ids to embed become text for providers that accept no tokens: %s', async (text, tokens) => {
  const answer = { embeddings: { float: [[1], [2]] }, id: 'e', meta: { billed_units: { input_tokens: 2 } } };
  await using a = upstream(() => Response.json(answer));
  await using proxy = running({ providers: [provider('a', a.url, { type: 'cohere', models: ['*'] })] });
  const reply = await proxy.post('/v1/embeddings', { model: 'embed-x', input: [tokens, tokens] });
  expect([reply.status, (JSON.parse(a.asked[0]!.text) as Json).texts]).toEqual([200, [text, text]]);
});

describe('function names that a provider refuses', () => {
  const named = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });
  const said = (name: string) => ({
    candidates: [
      {
        index: 0,
        content: { role: 'model', parts: [{ functionCall: { name, args: {} } }] },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  });

  test.each([false, true])('are replaced, and restored in the answer; streamed: %p', async (stream) => {
    await using a = upstream(({ text }) => {
      const [{ functionDeclarations: told }] = (
        JSON.parse(text) as { tools: [{ functionDeclarations: Json[] }] }
      ).tools;
      const answer = said(String(told[0]!.name));
      return stream
        ? new Response(`data: ${JSON.stringify(answer)}\n\n`, {
            headers: { 'content-type': 'text/event-stream' },
          })
        : Response.json(answer);
    });
    await using proxy = running({ providers: [provider('a', a.url, { type: 'gemini', models: ['*'] })] });
    const call = { id: 'c', type: 'function', function: { name: '1/st', arguments: '{}' } };
    const body = {
      model: 'gemini-x',
      stream,
      tools: [named('1/st'), named('_1_st')],
      tool_choice: { type: 'function', function: { name: '1/st' } },
      messages: [
        U,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: '1' },
      ],
    };
    const reply = await proxy.post('/v1/chat/completions', body);
    expect(await reply.text()).toContain('"name":"1/st"');
    const { tools: told, toolConfig, contents } = JSON.parse(a.asked[0]!.text) as Json;
    const [{ functionDeclarations }] = told as [{ functionDeclarations: { name: string }[] }];
    const [first, second] = functionDeclarations.map(({ name }) => name);
    // The replacements must be distinct.
    expect([second, first]).toEqual(['_1_st', expect.stringMatching(/^_1_st_[a-z0-9]{9}$/)]);
    expect(JSON.stringify([toolConfig, contents])).toContain(`"${first}"`);
    expect(JSON.stringify([toolConfig, contents])).not.toContain('1/st');
  });

  test('are shortened where they are too long for OpenAI’s chat', async () => {
    const name = `mcp__${'x'.repeat(90)}`;
    const body = {
      model: 'm',
      max_tokens: 9,
      messages: [U],
      tools: [{ name, input_schema: { type: 'object' } }],
    };
    const asked = await requestSentTo('openai', body, { path: '/v1/messages' });
    const [{ function: fn }] = asked.body.tools as [{ function: { name: string } }];
    expect([fn.name.length, fn.name.startsWith('mcp__xxx')]).toEqual([64, true]);
  });
});
