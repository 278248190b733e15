/**
 * Items and blocks that only one vendor defines, in requests to another: translated where possible, else named as
 * dropped.
 */
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const U = { role: 'user', content: 'Hi' };
const OUT = [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exit_code: 0 } }];
const FAILED = [
  { stdout: '', stderr: 'no', outcome: { type: 'exit', exit_code: 2 } },
  { outcome: { type: 'timeout' } },
];

describe('OpenAI’s client-side tools become function calls and results for other providers', () => {
  test.each([
    ['shell', { action: { commands: ['ls'] } }, OUT, { commands: ['ls'] }, 'a.txt'],
    ['shell', { action: { commands: ['x'] } }, FAILED, { commands: ['x'] }, 'no\nexit code 2\ntimeout'],
    [
      'local_shell',
      { action: { type: 'exec', command: ['ls'] } },
      'a.txt',
      { type: 'exec', command: ['ls'] },
      'a.txt',
    ],
    [
      'apply_patch',
      { operation: { type: 'delete_file', path: 'a' } },
      undefined,
      { type: 'delete_file', path: 'a' },
      'completed',
    ],
  ] as const)('%s %j with output %j', async (tool, given, output, args, text) => {
    const input = [
      U,
      { type: `${tool}_call`, call_id: 'c', status: 'completed', ...given },
      {
        type: `${tool}_call_output`,
        call_id: 'c',
        status: 'completed',
        ...(output === undefined ? {} : { output }),
      },
    ];
    const asked = await requestSentTo('openai-compatible', { model: 'm', input }, { path: '/v1/responses' });
    expect(asked.dropped).toBeNull();
    const [, said, result] = asked.body.messages as Json[];
    const [call] = said!.tool_calls as { id: string; function: { name: string; arguments: string } }[];
    expect([call!.id, call!.function.name, JSON.parse(call!.function.arguments)]).toEqual(['c', tool, args]);
    expect(result).toEqual({ role: 'tool', tool_call_id: 'c', content: text });
  });

  test('a screenshot becomes an image', async () => {
    const url = 'data:image/png;base64,iVBORw0KGgo=';
    const input = [
      U,
      { type: 'computer_call', call_id: 'c', action: { type: 'screenshot' } },
      { type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', image_url: url } },
    ];
    const asked = await requestSentTo('anthropic', { model: 'claude-x', input }, { path: '/v1/responses' });
    expect(JSON.stringify((asked.body.messages as Json[]).at(-1))).toContain('"data":"iVBORw0KGgo="');
  });
});

test.each([
  { type: 'tool_search_call', id: 't', arguments: {} },
  { type: 'tool_search_call', call_id: 't', execution: 'server', arguments: {} },
  { type: 'tool_search_output', call_id: 't', execution: 'server', tools: [] },
  { type: 'program', id: 'p', code: '1' },
  { type: 'mcp_approval_request', id: 'a', name: 'f', arguments: '{}' },
  { type: 'mcp_approval_response', approval_request_id: 'a', approve: true },
  { type: 'mcp_list_tools', id: 'l', tools: [] },
  { type: 'compaction', id: 'c', encrypted_content: 'x' },
  { type: 'of_tomorrow', id: 'o' },
])('an item without a counterpart is named as dropped: $type', async (item) => {
  for (const type of ['openai-compatible', 'anthropic', 'bedrock'] as const) {
    const asked = await requestSentTo(type, { model: 'm', input: [U, item, U] }, { path: '/v1/responses' });
    expect(asked.dropped).toBe(`input[1] (${item.type})`);
  }
});

test('tools that were added during a conversation are sent once', async () => {
  const f = { type: 'function', name: 'f', parameters: { type: 'object' } };
  const g = { ...f, name: 'g' };
  const input = [
    U,
    { type: 'additional_tools', role: 'developer', tools: [f, g] },
    { type: 'tool_search_output', call_id: 'c', tools: [g, { ...f, name: 'h' }] },
  ];
  const asked = await requestSentTo(
    'anthropic',
    { model: 'claude-x', input, tools: [f] },
    { path: '/v1/responses' },
  );
  expect((asked.body.tools as Json[]).map(({ name }) => name)).toEqual(['f', 'g', 'h']);
});

describe('Anthropic’s own blocks', () => {
  const asked = (content: Json[]) =>
    requestSentTo(
      'openai-compatible',
      { model: 'm', max_tokens: 9, messages: [U, { role: 'assistant', content }, U] },
      { path: '/v1/messages' },
    );

  test('are sent as text to other providers where they are compacted conversations', async () => {
    const { body } = await asked([
      { type: 'compaction', content: 'So far: hello.' },
      { type: 'text', text: 'Yes' },
    ]);
    expect((body.messages as Json[])[1]!.content).toBe('So far: hello.\n\nYes');
  });

  test.each([
    [{ type: 'mcp_tool_result', tool_use_id: 'm', content: [] }, 'hosted_tool'],
    [{ type: 'tool_search_tool_result', tool_use_id: 's', content: {} }, 'hosted_tool'],
    [{ type: 'container_upload', file_id: 'f' }, 'file'],
    [{ type: 'of_tomorrow' }, 'content.of_tomorrow'],
  ])('are named as dropped: %j', async (block, named) => {
    const { body, dropped } = await asked([block, { type: 'text', text: 'Yes' }]);
    expect([(body.messages as Json[])[1]!.content, dropped]).toEqual(['Yes', named]);
  });
});

test('unknown fields of a Responses request are named as dropped, also within other fields', async () => {
  const body = {
    model: 'm',
    input: 'Hi',
    of_tomorrow: 1,
    reasoning: { effort: 'low', context: 'all' },
    text: { x: 1 },
  };
  const asked = await requestSentTo('openai-compatible', body, { path: '/v1/responses' });
  expect(asked.dropped).toBe('of_tomorrow, reasoning.context, text.x');
});

describe('OpenAI’s built-in tools that a client runs', () => {
  const TOOLS = [{ type: 'shell' }, { type: 'local_shell' }, { type: 'apply_patch' }];
  const input = [U];
  const said = (name: string, given: Json) => ({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(given) } },
          ],
        },
        finish_reason: 'tool_calls',
      },
    ],
  });
  const chunks = (name: string, given: Json) => {
    const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
    const [call] = said(name, given).choices[0]!.message.tool_calls;
    const events = [
      {
        ...head,
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null }],
      },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ];
    return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
  };

  test.each([
    [
      'shell',
      { commands: ['ls'] },
      { action: { commands: ['ls'], timeout_ms: null, max_output_length: null }, environment: null },
    ],
    ['local_shell', { command: ['ls', '-l'] }, { action: { type: 'exec', command: ['ls', '-l'], env: {} } }],
    [
      'apply_patch',
      { type: 'update_file', path: 'a', diff: '@@' },
      { operation: { type: 'update_file', path: 'a', diff: '@@' } },
    ],
    ['apply_patch', { type: 'delete_file', path: 'a' }, { operation: { type: 'delete_file', path: 'a' } }],
  ] as const)(
    'become functions elsewhere, and %s called with %j is returned as its item',
    async (name, given, fields) => {
      for (const stream of [false, true]) {
        await using a = upstream(() =>
          stream
            ? new Response(chunks(name, given), { headers: { 'content-type': 'text/event-stream' } })
            : Response.json(said(name, given)),
        );
        await using proxy = running({ providers: [provider('a', a.url, { models: ['*'] })] });
        const reply = await proxy.post('/v1/responses', { model: 'm', input, tools: TOOLS, stream });
        expect(reply.headers.get('x-llmproxy-dropped')).toBeNull();
        const text = await reply.text();
        const last = stream
          ? text
              .split('\n')
              .findLast((line) => line.startsWith('data: {'))!
              .slice(6)
          : text;
        const { response, output } = JSON.parse(last) as { response?: { output: Json[] }; output?: Json[] };
        const [item] = response?.output ?? output ?? [];
        expect(item).toMatchObject({
          type: `${name}_call`,
          call_id: 'call_1',
          status: 'completed',
          ...fields,
        });
        const { tools } = JSON.parse(a.asked[0]!.text) as { tools: { function: { name: string } }[] };
        expect(tools.map((tool) => tool.function.name)).toEqual(['shell', 'local_shell', 'apply_patch']);
      }
    },
  );

  test('can be chosen, are dropped where OpenAI would run them, and yield to a function with their name', async () => {
    const ask = (body: Json) =>
      requestSentTo('openai-compatible', { model: 'm', input, ...body }, { path: '/v1/responses' });
    const chosen = await ask({ tools: TOOLS, tool_choice: { type: 'apply_patch' } });
    expect(chosen.body.tool_choice).toEqual({ type: 'function', function: { name: 'apply_patch' } });
    const hosted = await ask({ tools: [{ type: 'shell', environment: { type: 'container_auto' } }] });
    expect([hosted.body.tools, hosted.dropped]).toEqual([undefined, 'tools[0] (shell)']);
    const own = { type: 'function', name: 'shell', parameters: { type: 'object' } };
    const both = await ask({ tools: [{ type: 'shell' }, own] });
    expect([(both.body.tools as Json[]).length, both.dropped]).toEqual([1, 'tools[0] (shell)']);
  });
});
