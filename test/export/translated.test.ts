/** Exchanges of Messages and Responses become the chats that they would be. */
import { expect, test } from 'bun:test';
import { call, tool } from './records.ts';
import { rowOf } from './workshop.ts';

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

test('a Messages exchange', () => {
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

test('a Responses exchange', () => {
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

test('one that goes on from what the provider stores is left out by reason', () => {
  const request = { model: 'gpt-5', input: 'And then?', previous_response_id: 'resp_1' };
  const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Then.' }] }];
  expect(rowOf({ endpoint: 'responses', request, response: { output } })).toBe('stored_conversation');
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

test('one that cannot be understood is left out by reason', () => {
  const request = { model: 'gpt-5', input: [{ type: 'item_reference', id: 'x' }] };
  const response = { output: [] };
  expect(rowOf({ endpoint: 'responses', request, response })).toBe('unsupported_content');
});
