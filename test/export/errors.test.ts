import { describe, expect, test } from 'bun:test';
import type { Exchange } from './records.ts';
import { answered, call, chat, tool, user } from './records.ts';
import { rowOf } from './workshop.ts';

const weather = call('call_1', 'get_weather', '{"city": "SF"}');
const tools = [tool('get_weather'), tool('get_time')];

function deepTool(levels: number): object {
  const parameters: unknown = JSON.parse(`{"properties":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`);
  return { type: 'function', function: { name: 'deep', parameters } };
}

describe('conversationOf() drops', () => {
  const asked = (messages: unknown[], more: object = {}): Exchange => ({ request: chat(messages, more) });
  const calls = (list: unknown[], more: object = { tools }): Exchange => ({
    request: chat([user('W?')], more),
    response: answered({ content: null, tool_calls: list }, 'tool_calls'),
  });
  const cases: [string, string, Exchange][] = [
    [
      'an embedding',
      'not_a_conversation',
      { endpoint: 'embeddings', request: { input: 'x' }, response: { data: [] } },
    ],
    ['a line without content', 'not_logged', { content: 'metadata', request: null, response: null }],
    ['a line whose content has expired', 'expired', { content: 'expired', request: null, response: null }],
    ['a response too long for the log', 'not_logged', { omitted: ['response'], response: null }],
    ['an error without a body', 'no_answer', { outcome: 'error', status: 502, response: null }],
    [
      'an error body',
      'no_answer',
      { outcome: 'error', status: 429, response: { error: { message: 'slow down' } } },
    ],
    ['an empty answer', 'no_answer', { response: answered({ content: ' \n' }) }],
    ['a null answer', 'no_answer', { response: answered({ content: null }) }],
    ['no choices', 'no_answer', { response: { choices: [] } }],
    ['a refusal', 'refusal', { response: answered({ content: null, refusal: 'I cannot' }) }],
    ['a refusal part', 'refusal', { response: answered({ content: [{ type: 'refusal', refusal: 'No' }] }) }],
    [
      'a refusal that Claude writes as text',
      'refusal',
      { finish: 'refusal', response: answered({ content: 'I cannot' }, 'refusal') },
    ],
    ['reasoning that was cut', 'no_answer', { response: answered({ content: '<think>\nThey ask' }) }],
    [
      'an answer after an assistant message, which OpenAI’s models do not continue',
      'wrong_order',
      asked([user('Hi'), { role: 'assistant', content: 'Hel' }]),
    ],
    ['tools nested too deep', 'too_deep', asked([user('Hi')], { tools: [deepTool(60)] })],
    [
      'arguments nested too deep',
      'too_deep',
      calls([call('c', 'get_time', `{"a":${'['.repeat(60)}${']'.repeat(60)}}`)]),
    ],
    ['no messages', 'no_messages', asked([])],
    ['messages that are a string', 'no_messages', { request: { messages: 'Hi' } }],
    ['a message that is a string', 'no_messages', asked(['Hi'])],
    ['an unknown role', 'unknown_role', asked([{ role: 'robot', content: 'Hi' }])],
    ['an empty user message', 'empty_message', asked([user('')])],
    [
      'an empty assistant message',
      'empty_message',
      asked([user('Hi'), { role: 'assistant', content: null }, user('Well?')]),
    ],
    ['audio', 'unsupported_content', asked([user([{ type: 'input_audio', input_audio: {} }])])],
    [
      'an image of the assistant',
      'unsupported_content',
      { response: answered({ content: [{ type: 'image_url', image_url: 'x' }] }) },
    ],
    [
      'several prompts',
      'unsupported_content',
      { endpoint: 'completions', request: { prompt: ['a', 'b'] }, response: { choices: [{ text: 'x' }] } },
    ],
    ['a call without an id', 'invalid_tool_call', calls([{ ...weather, id: '' }])],
    [
      'arguments with a number that is too large',
      'invalid_tool_call',
      calls([call('a', 'get_weather', '{"x":[1e400]}')]),
    ],
    ['a blank id', 'invalid_tool_call', calls([{ ...weather, id: ' ' }])],
    ['a blank name', 'invalid_tool_call', calls([call('a', '\t', '{}')])],
    ['a duplicate id', 'invalid_tool_call', calls([weather, weather])],
    ['cut arguments', 'invalid_tool_call', calls([call('a', 'get_weather', '{"city": "S')])],
    ['arguments that are a list', 'invalid_tool_call', calls([call('a', 'get_weather', '[]')])],
    [
      'a custom tool call',
      'invalid_tool_call',
      calls([{ id: 'a', type: 'custom', custom: { name: 'x', input: 'y' } }]),
    ],
    ['a call of an unknown tool', 'unknown_tool', calls([call('a', 'get_news', '{}')])],
    ['a call without any tools', 'unknown_tool', calls([weather], {})],
    [
      'an unanswered call',
      'unanswered_tool_call',
      asked([user('W?'), { role: 'assistant', tool_calls: [weather] }, user('Well?')]),
    ],
    [
      'an unanswered call at the end',
      'unanswered_tool_call',
      asked([user('W?'), { role: 'assistant', tool_calls: [weather] }]),
    ],
    [
      'an orphan result',
      'orphan_tool_result',
      asked([user('W?'), { role: 'tool', tool_call_id: 'x', content: 'y' }]),
    ],
    [
      'a duplicate result',
      'orphan_tool_result',
      asked([
        user('W?'),
        { role: 'assistant', tool_calls: [weather] },
        { role: 'tool', tool_call_id: 'call_1', content: 'a' },
        { role: 'tool', tool_call_id: 'call_1', content: 'b' },
      ]),
    ],
    [
      'a legacy result of another function than was called',
      'orphan_tool_result',
      asked([
        user('W?'),
        { role: 'assistant', function_call: { name: 'get_weather', arguments: '{}' } },
        { role: 'function', name: 'get_time', content: 'y' },
      ]),
    ],
    ['nothing but an empty system prompt', 'empty_message', asked([{ role: 'system', content: '' }])],
    [
      'a legacy result without a call',
      'orphan_tool_result',
      asked([user('W?'), { role: 'function', name: 'f', content: 'y' }]),
    ],
  ];
  for (const [name, reject, exchange] of cases) {
    test(`${name} as ${reject}`, () => expect(rowOf(exchange)).toBe(reject));
  }
});
