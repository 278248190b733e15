import { describe, expect, test } from 'bun:test';
import { conversationOf } from '../../../src/export/conversation/extract.ts';
import { entryOf } from '../../../src/export/read/entry.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { workshop } from '../workshop.ts';

const KEEP = { refusals: 'exclude', images: 'keep', providerTools: 'exclude' } as const;

/** The texts of a conversation, with its calls. */
function said(record: JsonObject): string[] | string {
  const entry = entryOf(record);
  if (!entry) return 'not a record';
  if (entry.reject) return entry.reject;
  const { prompt, answer } = conversationOf(entry, KEEP);
  return [...prompt, answer].map((message) => {
    const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
    const all = calls.map(({ function: { name, arguments: args } }) => `${name}(${args})`).join('');
    return `${message.role}: ${typeof message.content === 'string' ? message.content : '[parts]'}${all}`;
  });
}

const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }];

describe('an external dataset is read in the format of', () => {
  test.each<[string, JsonObject, string[] | string]>([
    [
      'OpenAI',
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'u' },
          { role: 'assistant', content: 'a' },
        ],
      },
      ['system: s', 'user: u', 'assistant: a'],
    ],
    [
      'TRL with arguments as objects',
      {
        messages: [
          { role: 'user', content: 'u' },
          {
            role: 'assistant',
            tool_calls: [{ type: 'function', function: { name: 'f', arguments: { a: 1 } } }],
          },
          { role: 'tool', name: 'f', content: 'r', tool_call_id: 'call_0' },
          { role: 'assistant', content: 'a' },
        ],
        tools,
      },
      ['user: u', 'assistant: f({"a":1})', 'tool: r', 'assistant: a'],
    ],
    ['prompt and completion', { prompt: 'p', completion: 'c' }, ['user: p', 'assistant: c']],
    [
      'prompt and completion as lists',
      { prompt: [{ role: 'user', content: 'p' }], completion: [{ role: 'assistant', content: 'c' }] },
      ['user: p', 'assistant: c'],
    ],
    [
      'ShareGPT',
      {
        system: 's',
        conversations: [
          { from: 'human', value: 'u' },
          { from: 'function_call', value: '{"name":"f","arguments":{"a":1}}' },
          { from: 'observation', value: 'r' },
          { from: 'gpt', value: 'a' },
        ],
        tools: JSON.stringify([{ name: 'f', parameters: {} }]),
      },
      ['system: s', 'user: u', 'assistant: f({"a":1})', 'tool: r', 'assistant: a'],
    ],
    [
      'Alpaca',
      { instruction: 'i', input: 'x', output: 'o', history: [['q', 'b']] },
      ['user: q', 'assistant: b', 'user: i\nx', 'assistant: o'],
    ],
    [
      'Anthropic',
      {
        system: 's',
        messages: [
          { role: 'user', content: 'u' },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 't', signature: 'x' },
              { type: 'text', text: 'a' },
            ],
          },
        ],
      },
      ['system: s', 'user: u', 'assistant: a'],
    ],
    ['a prompt without an answer', { messages: [{ role: 'user', content: 'u' }] }, 'no_answer'],
    [
      'an answer marked as untrained',
      {
        messages: [
          { role: 'user', content: 'u' },
          { role: 'assistant', content: 'a', weight: 0 },
        ],
      },
      'untrained',
    ],
    [
      'an answer that axolotl does not train',
      {
        messages: [
          { role: 'user', content: 'u' },
          { role: 'assistant', content: 'a', train: false },
        ],
      },
      'untrained',
    ],
    [
      'a badly rated answer for KTO',
      {
        prompt: [{ role: 'user', content: 'u' }],
        completion: [{ role: 'assistant', content: 'a' }],
        label: false,
      },
      'untrained',
    ],
    [
      'a label of 0',
      {
        prompt: [{ role: 'user', content: 'u' }],
        completion: [{ role: 'assistant', content: 'a' }],
        label: 0,
      },
      'untrained',
    ],
    [
      'an answer in ShareGPT marked as untrained',
      {
        conversations: [
          { from: 'human', value: 'u' },
          { from: 'gpt', value: 'a', weight: 0 },
        ],
      },
      'untrained',
    ],
    ['text', { text: 'all of it' }, 'not_a_conversation'],
    ['pairs', { chosen: [{ role: 'user', content: 'u' }], rejected: [] }, 'not_a_conversation'],
    ['anything else', { some: 'object' }, 'not a record'],
    ['messages without a role', { messages: [{ content: 'x' }] }, 'not a record'],
  ])('%s', (_, record, expected) => {
    expect(said(record)).toEqual(expected);
  });

  test.each<FormatName>(['openai', 'trl', 'trl-pc', 'sharegpt', 'together', 'axolotl'])(
    'llmproxy’s own %s rows',
    (name) => {
      const conversation = {
        prompt: [
          { role: 'system' as const, content: 's' },
          { role: 'user' as const, content: 'u' },
          {
            role: 'assistant' as const,
            content: '',
            tool_calls: [
              { id: 'c1', type: 'function' as const, function: { name: 'f', arguments: '{"a":1}' } },
            ],
          },
          { role: 'tool' as const, tool_call_id: 'c1', content: 'r' },
        ],
        answer: { role: 'assistant' as const, content: 'a' },
        tools: [
          {
            type: 'function' as const,
            function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} } },
          },
        ],
      };
      const row = FORMATS[name].render(
        { conversation },
        { reasoning: 'drop', mergeTurns: false },
      ) as JsonObject;
      expect(said(JSON.parse(JSON.stringify(row)))).toEqual([
        'system: s',
        'user: u',
        'assistant: f({"a":1})',
        'tool: r',
        'assistant: a',
      ]);
    },
  );
});

test.each([
  {
    prompt: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ],
    completion: [{ role: 'assistant', content: 'd' }],
  },
  {
    conversations: [
      { from: 'human', value: 'a' },
      { from: 'gpt', value: 'b', weight: 0 },
      { from: 'human', value: 'c' },
      { from: 'gpt', value: 'd', weight: 1 },
    ],
  },
])('turns that an external dataset does not train stay untrained: %j', async (row) => {
  await using shop = await workshop({ 'a.jsonl': `${JSON.stringify(row)}\n` });
  await shop.run();
  const [{ messages }] = shop.rows() as unknown as [{ messages: { weight?: number }[] }];
  expect(messages.map(({ weight }) => weight ?? 1)).toEqual([1, 0, 1, 1]);
  expect((await shop.run('-f trl --force')).report.quoted_rows).toBe(1);
});

test('weights of an external dataset are kept', async () => {
  const row = {
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b', weight: 0 },
      { role: 'user', content: 'c' },
      { role: 'assistant', content: 'd' },
    ],
  };
  await using shop = await workshop({ 'a.jsonl': `${JSON.stringify(row)}\n` });
  await shop.run('--successful-only');
  expect(shop.rows()).toEqual([row]);
  expect((await shop.run('-f trl --force')).report.quoted_rows).toBe(1);
});
