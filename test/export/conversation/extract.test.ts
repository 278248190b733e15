import { describe, expect, test } from 'bun:test';
import type { Exchange } from '../records.ts';
import { answered, call, chat, tool, user } from '../records.ts';
import { rowOf } from '../workshop.ts';

const weather = call('call_1', 'get_weather', '{"city": "SF"}');
const time = call('call_2', 'get_time', '{}');
const tools = [tool('get_weather'), tool('get_time')];
const hello = { role: 'assistant', content: 'Hello' };

describe('conversationOf() and openaiRow() write', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } };
  const goldens: Record<string, [Exchange, unknown]> = {
    'a text answer, without unknown fields': [
      {
        request: chat(
          [
            { role: 'system', content: 'Be brief.' },
            { ...user('Hi'), name: 'ann', cache_control: {} },
          ],
          { temperature: 0 },
        ),
        response: answered({
          content: 'Hello',
          refusal: null,
          annotations: [],
          reasoning_content: 'hm',
          audio: null,
        }),
      },
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi', name: 'ann' },
          hello,
        ],
      },
    ],
    'a tool call, with empty content and arguments as the model wrote them': [
      {
        finish: 'tool_calls',
        request: chat([user('Weather?')], { tools, parallel_tool_calls: false }),
        response: answered({ content: null, tool_calls: [{ ...weather, index: 0 }] }, 'tool_calls'),
      },
      {
        messages: [user('Weather?'), { role: 'assistant', content: '', tool_calls: [weather] }],
        tools,
        parallel_tool_calls: false,
      },
    ],
    'parallel calls with their results in another order': [
      {
        request: chat(
          [
            user('Weather and time?'),
            { role: 'assistant', content: null, tool_calls: [weather, time] },
            { role: 'tool', tool_call_id: 'call_2', content: '' },
            { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'Sunny' }] },
          ],
          { tools },
        ),
      },
      {
        messages: [
          user('Weather and time?'),
          { role: 'assistant', content: '', tool_calls: [weather, time] },
          { role: 'tool', tool_call_id: 'call_2', content: '' },
          { role: 'tool', tool_call_id: 'call_1', content: 'Sunny' },
          hello,
        ],
        tools,
      },
    ],
    'legacy functions as tools': [
      {
        request: chat(
          [
            user('Weather?'),
            { role: 'assistant', content: null, function_call: { name: 'get_weather', arguments: '{}' } },
            { role: 'function', name: 'get_weather', content: 'Sunny' },
          ],
          { functions: [{ name: 'get_weather', parameters: { type: 'object', properties: {} } }] },
        ),
      },
      {
        messages: [
          user('Weather?'),
          { role: 'assistant', content: '', tool_calls: [call('call_1', 'get_weather', '{}')] },
          { role: 'tool', tool_call_id: 'call_1', name: 'get_weather', content: 'Sunny' },
          hello,
        ],
        tools: [
          {
            type: 'function',
            function: { name: 'get_weather', parameters: { type: 'object', properties: {} } },
          },
        ],
      },
    ],
    'no empty system prompt': [
      {
        request: chat([
          { role: 'system', content: '' },
          user('Hi'),
          hello,
          { role: 'developer', content: [{ type: 'text', text: ' \n' }] },
          user('Well?'),
        ]),
      },
      { messages: [user('Hi'), hello, user('Well?'), hello] },
    ],
    'images as parts': [
      { request: chat([user([{ type: 'text', text: 'What?' }, image])]) },
      { messages: [user([{ type: 'text', text: 'What?' }, image]), hello] },
    ],
    'text parts as one string, and developer as system': [
      {
        request: chat([
          {
            role: 'developer',
            content: [
              { type: 'text', text: 'A' },
              { type: 'text', text: 'B' },
            ],
          },
          user('Hi'),
        ]),
      },
      { messages: [{ role: 'system', content: 'A\nB' }, user('Hi'), hello] },
    ],
    'no empty tools': [
      { request: chat([user('Hi')], { tools: [], parallel_tool_calls: true }) },
      { messages: [user('Hi'), hello] },
    ],
    'a truncated answer': [
      { outcome: 'truncated', finish: null, response: answered({ content: 'Hel' }, null) },
      { messages: [user('Hi'), { role: 'assistant', content: 'Hel' }] },
    ],
    'a streamed answer like an unstreamed one': [
      { stream: true, first_content_ms: 40, request: chat([user('Hi')], { stream: true }) },
      { messages: [user('Hi'), hello] },
    ],
    'the choice with index 0': [
      {
        response: {
          choices: [
            { index: 1, message: { role: 'assistant', content: 'Other' } },
            { index: 0, message: { role: 'assistant', content: 'Hello' } },
          ],
        },
      },
      { messages: [user('Hi'), hello] },
    ],
    'reasoning in the text as a separate field': [
      {
        request: chat([
          user('Hi'),
          { role: 'assistant', content: '<think>So.</think>\nYes?' },
          user('Well?'),
        ]),
        response: answered({ content: '\n<think>\nThey ask </\nagain.\n</think>\n\nHello <think>' }),
      },
      {
        messages: [
          user('Hi'),
          { role: 'assistant', content: 'Yes?' },
          user('Well?'),
          { role: 'assistant', content: 'Hello <think>' },
        ],
      },
    ],
    'reasoning that the prompt has opened as a separate field': [
      {
        request: chat([user('Hi'), { role: 'assistant', content: 'Say </think> to end it.' }, user('Well?')]),
        response: answered({ content: 'They ask\r\nagain.\n</think>\r\n\r\nHello\n</think>\nyou' }),
      },
      {
        messages: [
          user('Hi'),
          { role: 'assistant', content: 'Say </think> to end it.' },
          user('Well?'),
          { role: 'assistant', content: 'Hello\n</think>\nyou' },
        ],
      },
    ],
    'an answer that continues the text of the prompt': [
      {
        request: chat([user('Hi'), { role: 'assistant', content: 'Hel', prefix: true }]),
        response: answered({ content: 'lo' }),
      },
      { messages: [user('Hi'), { role: 'assistant', content: 'Hello' }] },
    ],
    'a legacy completion as a chat': [
      {
        endpoint: 'completions',
        request: { model: 'm', prompt: ['Once'], echo: true },
        response: {
          object: 'text_completion',
          choices: [{ index: 0, text: 'Once upon', finish_reason: 'stop' }],
        },
      },
      { messages: [user('Once'), { role: 'assistant', content: ' upon' }] },
    ],
  };
  for (const [name, [exchange, row]] of Object.entries(goldens)) {
    test(name, () => expect(rowOf(exchange)).toEqual(row));
  }

  test('the same key order for every row', () => {
    const row = rowOf({
      finish: 'tool_calls',
      request: chat([user('W?')], { tools }),
      response: answered({ tool_calls: [weather] }),
    });
    expect(JSON.stringify(row)).toStartWith(
      '{"messages":[{"role":"user","content":"W?"},{"role":"assistant","content":"","tool_calls":',
    );
  });
});

test('conversationOf() reads missing arguments as empty, and objects as text', () => {
  const row = (args: unknown) =>
    rowOf({
      request: chat([user('W?')], { tools }),
      response: answered({ tool_calls: [call('a', 'get_time', args)] }),
    });
  const written = (args: string) => ({
    messages: [user('W?'), { role: 'assistant', content: '', tool_calls: [call('a', 'get_time', args)] }],
    tools,
  });
  expect(row('')).toEqual(written('{}'));
  expect(row({ zone: 'UTC' })).toEqual(written('{"zone":"UTC"}'));
  expect(row('{"x":"\\ud83d"}')).toEqual(written('{"x":"\ufffd"}'));
});
