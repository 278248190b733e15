/** Exchanges of Messages and Responses are converted to the equivalent chats. */
import { describe, expect, test } from 'bun:test';
import { call, line, tool } from '../records.ts';
import { rowOf, workshop } from '../workshop.ts';

const row = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Weather?' },
    { role: 'assistant', content: '', tool_calls: [call('call_1', 'get_weather', '{"city":"SF"}')] },
    { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    { role: 'assistant', content: 'It rains.' },
  ],
  tools: [tool('get_weather')],
};
const schema = { type: 'object', properties: {} };

test('a Messages exchange is converted to a chat', () => {
  const request = {
    model: 'claude-sonnet-4-5',
    max_tokens: 9,
    system: 'Be brief.',
    tools: [{ name: 'get_weather', description: 'Calls get_weather', input_schema: schema }],
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'SF' } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'rain' }] },
    ],
  };
  const response = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'It rains.' }],
    stop_reason: 'end_turn',
  };
  expect(rowOf({ endpoint: 'messages', request, response }) as unknown).toEqual(row);
});

test('a Responses exchange is converted to a chat', () => {
  const request = {
    model: 'gpt-5',
    instructions: 'Be brief.',
    tools: [{ type: 'function', name: 'get_weather', description: 'Calls get_weather', parameters: schema }],
    input: [
      { role: 'user', content: 'Weather?' },
      { type: 'reasoning', summary: [], encrypted_content: 'x' },
      { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"SF"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
    ],
  };
  const output = [
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It rains.' }] },
  ];
  const response = { id: 'resp_1', object: 'response', status: 'completed', output };
  expect(rowOf({ endpoint: 'responses', request, response }) as unknown).toEqual(row);
});

test('an exchange that continues a conversation stored by the provider is left out with that reason', () => {
  const request = { model: 'gpt-5', input: 'And then?', previous_response_id: 'resp_1' };
  const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Then.' }] }];
  expect(rowOf({ endpoint: 'responses', request, response: { output } })).toBe('stored_conversation');
  const input = [
    { type: 'item_reference', id: 'msg_1' },
    { role: 'user', content: 'And then?' },
  ];
  expect(rowOf({ endpoint: 'responses', request: { model: 'gpt-5', input }, response: { output } })).toBe(
    'stored_conversation',
  );
  expect(
    rowOf({
      endpoint: 'responses',
      request: { ...request, previous_response_id: null },
      response: { output },
    }),
  ).toEqual({
    messages: [
      { role: 'user', content: 'And then?' },
      { role: 'assistant', content: 'Then.' },
    ],
  });
});

test('an exchange that cannot be understood is left out with that reason', () => {
  const request = { model: 'gpt-5', input: 5 };
  const response = { output: [] };
  expect(rowOf({ endpoint: 'responses', request, response })).toBe('unsupported_content');
});

describe('Responses', () => {
  const item = (type: string, more: object = {}) => ({ type, call_id: 'c1', ...more });
  const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I will.' }] };
  const tools = [{ type: 'custom', name: 'apply_patch' }];
  const patch = item('custom_tool_call', { name: 'apply_patch', input: '*** Begin' });

  test('with a custom tool call are recognized in the next request', async () => {
    const ask = { role: 'user', content: 'Patch it' };
    const log =
      line({
        endpoint: 'responses',
        finish: 'tool_calls',
        request: { model: 'm', input: [ask], tools },
        response: { output: [message, patch] },
      }) +
      line({
        endpoint: 'responses',
        request: {
          model: 'm',
          input: [ask, message, patch, item('custom_tool_call_output', { output: 'ok' })],
          tools,
        },
        response: { output: [{ ...message, content: [{ type: 'output_text', text: 'Done.' }] }] },
      });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl');
    expect([report.kept, report.filtered]).toEqual([1, { continued: 1 }]);
    const [{ messages }] = shop.rows() as unknown as [{ messages: { tool_calls?: unknown }[] }];
    expect(messages[1]!.tool_calls).toEqual([
      { id: 'c1', type: 'function', function: { name: 'apply_patch', arguments: { input: '*** Begin' } } },
    ]);
  });

  test.each(['local_shell_call', 'computer_call', 'apply_patch_call', 'mcp_approval_request'])(
    'with a %s, which no row can represent, are left out',
    (type) => {
      const request = { model: 'm', input: 'Go' };
      expect(rowOf({ endpoint: 'responses', request, response: { output: [message, item(type)] } })).toBe(
        'unsupported_content',
      );
      const after = {
        model: 'm',
        input: [{ role: 'user', content: 'Go' }, item(type), item(`${type}_output`)],
      };
      expect(rowOf({ endpoint: 'responses', request: after, response: { output: [message] } })).toBe(
        'unsupported_content',
      );
    },
  );
});

test('the stop reason of Claude alone marks an answer as paused or refused', async () => {
  const claude = (stop_reason: string, finish: string) =>
    line({
      endpoint: 'messages',
      finish,
      request: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: stop_reason }] },
      response: {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: `text of ${stop_reason}` }],
        stop_reason,
      },
    });
  const log = claude('pause_turn', 'stop') + claude('refusal', 'content_filter') + claude('end_turn', 'stop');
  await using shop = await workshop({ 'a.ndjson': log });
  const { report } = await shop.run('--successful-only');
  expect([report.kept, report.filtered]).toEqual([1, { unfinished: 2 }]);
  const all = await shop.run('--force');
  expect([all.report.kept, all.report.dropped.refusal?.count]).toEqual([2, 1]);
  expect((await shop.run('--refusals content --force')).report.kept).toBe(3);
});

describe('an answer of several blocks is the same text when it is a turn of the prompt', () => {
  /** The two requests of a conversation, in each of which the model says several blocks. */
  async function rowsOf(exchanges: readonly Parameters<typeof line>[0][]): Promise<unknown> {
    await using shop = await workshop({ 'a.ndjson': exchanges.map(line).join('') });
    await shop.run('-f trl');
    return shop.rows();
  }
  const row = {
    messages: [
      { role: 'user', content: 'Color?' },
      { role: 'assistant', content: 'The grass is green' },
      { role: 'user', content: 'Sure?' },
      { role: 'assistant', content: 'Yes' },
    ],
  };
  const color = { role: 'user', content: 'Color?' };
  const sure = { role: 'user', content: 'Sure?' };

  test('in Messages', async () => {
    const said = (...texts: string[]) => ({
      role: 'assistant',
      content: texts.map((text): { type: string; text: string; cache_control?: object } => ({
        type: 'text',
        text,
      })),
    });
    const exchange = (messages: object[], answer: object) => ({
      endpoint: 'messages' as const,
      request: { model: 'm', max_tokens: 9, messages },
      response: { type: 'message', ...answer, stop_reason: 'end_turn' },
    });
    const first = said('The gra', 'ss', ' is green');
    // Clients mark the last block that is to be cached.
    const cached = first.content.with(2, { ...first.content[2]!, cache_control: { type: 'ephemeral' } });
    const log = [
      exchange([color], first),
      exchange([color, { ...first, content: cached }, sure], said('Ye', 's')),
    ];
    expect(await rowsOf(log)).toEqual([row]);
  });

  test('in Responses', async () => {
    const said = (...texts: string[]) => ({
      type: 'message',
      role: 'assistant',
      content: texts.map((text) => ({ type: 'output_text', text, annotations: [] })),
    });
    const exchange = (input: object[], answer: object) => ({
      endpoint: 'responses' as const,
      request: { model: 'm', input },
      response: { status: 'completed', output: [answer] },
    });
    const first = said('The gra', 'ss', ' is green');
    const log = [exchange([color], first), exchange([color, first, sure], said('Ye', 's'))];
    expect(await rowsOf(log)).toEqual([row]);
  });

  test('in Gemini', async () => {
    const said = (...texts: string[]) => ({ role: 'model', parts: texts.map((text) => ({ text })) });
    const asks = (text: string) => ({ role: 'user', parts: [{ text }] });
    const exchange = (contents: object[], content: object) => ({
      endpoint: 'gemini' as const,
      request: { contents },
      response: { candidates: [{ content, finishReason: 'STOP', index: 0 }] },
    });
    const first = said('The gra', 'ss', ' is green');
    const log = [
      exchange([asks('Color?')], first),
      exchange([asks('Color?'), first, asks('Sure?')], said('Ye', 's')),
    ];
    expect(await rowsOf(log)).toEqual([row]);
  });
});

test('a turn that Google’s SDK returns in pieces is one message', () => {
  const cities = ['SF', 'Rome'];
  const call = (city: string) => ({ functionCall: { id: city, name: 'get_weather', args: { city } } });
  const told = (city: string) => ({
    functionResponse: { id: city, name: 'get_weather', response: { result: 'rain' } },
  });
  const request = {
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      { role: 'model', parts: [{ text: 'Let me ' }] },
      { role: 'model', parts: [{ text: 'look.' }] },
      ...cities.map((city) => ({ role: 'model', parts: [call(city)] })),
      { role: 'model', parts: [{ text: '' }] },
      { role: 'user', parts: cities.map(told) },
    ],
    tools: [{ functionDeclarations: [{ name: 'get_weather', parameters: schema }] }],
  };
  const response = {
    candidates: [{ content: { role: 'model', parts: [{ text: 'It rains.' }] }, finishReason: 'STOP' }],
  };
  const { messages } = rowOf({ endpoint: 'gemini', request, response }) as unknown as typeof row;
  expect(messages.map(({ role, tool_calls: calls }) => [role, calls?.length])).toEqual([
    ['user', undefined],
    ['assistant', 2],
    ['tool', undefined],
    ['tool', undefined],
    ['assistant', undefined],
  ]);
  expect(messages[1]!.content).toBe('Let me look.');
});
