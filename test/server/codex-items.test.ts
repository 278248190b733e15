/** What Codex sends to models of other vendors beside messages and functions: agents, tool searches, odd schemas. */
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const U = { role: 'user', content: 'Hi' };
const CIPHER = `gAAAAABq${'x'.repeat(90)}==`;
const PATH = { path: '/v1/responses' };
const MODEL = 'm';

const sentChat = async (body: Json) => {
  const sent = await requestSentTo('openai-compatible', { model: MODEL, ...body }, PATH);
  return { ...sent, messages: sent.body.messages as Json[], tools: sent.body.tools as { function: Json }[] };
};

describe('a message of another agent is heard as a user message', () => {
  const said = (...content: Json[]) => ({
    type: 'agent_message',
    author: '/lead',
    recipient: '/lead/a',
    content,
  });
  const HEAD = { type: 'input_text', text: 'Payload:\n' };

  test.each([
    ['as plain text', [HEAD, { type: 'input_text', text: 'List files' }], 'Payload:\nList files', null],
    // Codex puts what other models wrote where it expects OpenAI's ciphertext.
    [
      'in the field for ciphertext',
      [HEAD, { type: 'encrypted_content', encrypted_content: 'List files' }],
      'Payload:\nList files',
      null,
    ],
    [
      'encrypted by OpenAI',
      [HEAD, { type: 'encrypted_content', encrypted_content: CIPHER }],
      'Payload:\n',
      'input[1].content[1] (encrypted_content)',
    ],
  ] as const)('%s', async (_, content, text, dropped) => {
    const sent = await sentChat({ input: [U, said(...content)] });
    expect([sent.messages[1], sent.dropped]).toEqual([{ role: 'user', content: text }, dropped]);
  });
});

const SPAWN = {
  type: 'function',
  name: 'spawn_agent',
  parameters: {
    type: 'object',
    properties: { message: { type: 'string', encrypted: true }, name: { type: 'string' } },
  },
};
const SEARCH = {
  type: 'tool_search',
  execution: 'client',
  description: 'Finds tools.',
  parameters: { type: 'object', properties: { query: { type: 'string' }, limit: { type: 'number' } } },
};
const found = (name: string): Json => ({ type: 'function', name, defer_loading: true, parameters: {} });
const foundIn = (...names: string[]): Json => ({ type: 'namespace', name: 'mcp', tools: names.map(found) });

test('the mark of arguments to encrypt is not sent', async () => {
  const { tools } = await sentChat({
    input: 'Hi',
    tools: [{ type: 'namespace', name: 'collaboration', tools: [SPAWN] }],
  });
  expect(tools[0]!.function.parameters).toEqual({
    type: 'object',
    properties: { message: { type: 'string' }, name: { type: 'string' } },
  });
});

test('a tool search that the client runs is a function, and what it finds can be called', async () => {
  const input = [
    U,
    { type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: { query: 'a' } },
    { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [foundIn('a', 'b')] },
    { type: 'tool_search_call', call_id: 'd', execution: 'client', arguments: { query: 'b' } },
    { type: 'tool_search_output', call_id: 'd', execution: 'client', tools: [foundIn('b', 'e')] },
  ];
  const { messages, tools, dropped } = await sentChat({ input, tools: [SEARCH] });
  expect(dropped).toBeNull();
  const { description, parameters } = SEARCH;
  expect(tools.at(-1)).toEqual({
    type: 'function',
    function: { name: 'tool_search', description, parameters },
  } as never);
  expect(tools.slice(0, -1).map((tool) => tool.function.name)).toEqual(['a', 'b', 'e']);
  expect(messages.slice(1).map(({ tool_calls: calls, content }) => content ?? (calls as Json[])[0])).toEqual([
    { id: 'c', type: 'function', function: { name: 'tool_search', arguments: '{"query":"a"}' } },
    '{"tools":["a","b"]}',
    { id: 'd', type: 'function', function: { name: 'tool_search', arguments: '{"query":"b"}' } },
    '{"tools":["b","e"]}',
  ]);
});

test('a search that OpenAI runs is left out', async () => {
  const { tools, dropped } = await sentChat({ input: 'Hi', tools: [{ type: 'tool_search' }, found('a')] });
  expect([tools.map((tool) => tool.function.name), dropped]).toEqual([['a'], 'tools[0] (tool_search)']);
});

describe.each([false, true])('the calls in an answer (streamed: %p)', (stream) => {
  const calls = [
    ['tool_search', '{"query":"a"}'],
    ['spawn_agent', '{"message":"Go"}'],
    ['a', '{}'],
  ].map(([name, args], index) => ({
    index,
    id: `c${index}`,
    type: 'function',
    function: { name, arguments: args },
  }));
  const choice = (piece: Json) => ({ id: 'x', model: MODEL, created: 1, choices: [{ index: 0, ...piece }] });

  test('search for tools, and say which arguments are encrypted where that was asked for', async () => {
    const chunks = [
      choice({ delta: { tool_calls: calls } }),
      choice({ delta: {}, finish_reason: 'tool_calls' }),
    ];
    const events = [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'];
    const message = { role: 'assistant', tool_calls: calls };
    await using a = upstream(() =>
      stream
        ? sse(events.map((data) => `data: ${data}\n\n`).join(''))
        : Response.json(choice({ message, finish_reason: 'tool_calls' })),
    );
    await using proxy = running({
      providers: [{ name: 'a', type: 'openai-compatible', base_url: a.url, models: ['*'] }],
    });
    const reply = await proxy.post('/v1/responses', {
      model: MODEL,
      input: 'Hi',
      stream,
      tools: [SEARCH, SPAWN, found('a')],
    });
    const text = await reply.text();
    const last = stream ? (text.match(/^data: .*"response\.completed".*$/m)?.[0].slice(6) ?? '{}') : text;
    const whole = JSON.parse(last) as Json;
    const { output } = (stream ? whole.response : whole) as { output: Json[] };
    expect(output.map((item): Json => ({ ...item, id: undefined }))).toEqual([
      {
        type: 'tool_search_call',
        status: 'completed',
        call_id: 'c0',
        execution: 'client',
        arguments: { query: 'a' },
      },
      {
        type: 'function_call',
        status: 'completed',
        call_id: 'c1',
        name: 'spawn_agent',
        arguments: '{"message":"Go"}',
        encrypted_function_args: [],
      },
      { type: 'function_call', status: 'completed', call_id: 'c2', name: 'a', arguments: '{}' },
    ]);
  });
});

test('a notice between the results of parallel calls follows them, for every provider', async () => {
  const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' });
  const result = (id: string) => ({ type: 'function_call_output', call_id: id, output: id });
  const notice = { type: 'message', role: 'user', content: 'resized' };
  const input = [U, call('a'), call('b'), result('a'), notice, result('b'), U];
  const { messages } = await sentChat({ input });
  expect(messages.map(({ role, content }) => (role === 'assistant' ? 'calls' : content))).toEqual([
    'Hi',
    'calls',
    'a',
    'b',
    'resized',
    'Hi',
  ]);
  const claude = await requestSentTo('anthropic', { model: MODEL, input }, PATH);
  const [, , heard] = claude.body.messages as { content: Json[] }[];
  expect(heard!.content.map(({ type }) => type)).toEqual(['tool_result', 'tool_result', 'text', 'text']);
});

test('arguments that are given as an object are not lost', async () => {
  const args = { x: 9_007_199_254_740_992 };
  const item = { type: 'function_call', call_id: 'c', name: 'f', arguments: args };
  const { messages } = await sentChat({
    input: [U, item, { type: 'function_call_output', call_id: 'c', output: '1' }],
  });
  expect(messages[1]!.tool_calls).toEqual([
    { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify(args) } },
  ]);
});
