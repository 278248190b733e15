import { describe, expect, test } from 'bun:test';
import { conversationOf } from '../../../src/export/conversation/extract.ts';
import { entryOf } from '../../../src/export/read/entry.ts';
import { openaiFormat } from '../../../src/export/render/openai.ts';
import type { Selection } from '../../../src/export/read/selection.ts';
import { compileSelection } from '../../../src/export/read/selection.ts';
import type { Entry } from '../../../src/export/read/facts.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { answered, user } from '../records.ts';

const header = {
  timestamp: '2024-09-11T10:00:00Z',
  level: 'INFO',
  logger: 'proxy_api',
  message: 'Processing chat completion request',
  module: 'api',
  function: 'chat_completion',
  line: 45,
};
const data = {
  messages: [user('Hi')],
  response: 'Hello',
  model: 'gpt-3.5-turbo',
  provider: 'openai',
  tokens: 25,
};
const nested = (more: object = {}) => ({ ...header, extra_data: { ...data, ...more } });
const flat = (more: object = {}) => ({
  ...header,
  timestamp: '2024-09-11T10:00:00.123456+00:00',
  process: 1,
  thread: 2,
  ...data,
  ...more,
});
const wanted = { successfulOnly: true };
const filterOf = (entry: Entry, selection: Selection) =>
  compileSelection(selection).entry(entry, entry.record);
const openaiRow = (entry: Entry) =>
  openaiFormat.render(
    {
      conversation: conversationOf(entry, { refusals: 'exclude', images: 'keep', providerTools: 'exclude' }),
    },
    { reasoning: 'drop', mergeTurns: false },
  );

describe('pythonEntry()', () => {
  for (const [shape, record] of [
    ['nested', nested()],
    ['flat', flat()],
  ] as const) {
    test(`reads the ${shape} shape`, () => {
      const entry = entryOf(record)!;
      expect(entry.model).toBe('gpt-3.5-turbo');
      expect(
        filterOf(entry, { ...wanted, fromMs: Date.UTC(2024, 8, 11), untilMs: Date.UTC(2024, 8, 12) }),
      ).toBeUndefined();
      expect(openaiRow(entry)).toEqual({
        messages: [user('Hi'), { role: 'assistant', content: 'Hello' }],
      });
    });
  }

  test('reads tokens: the sum, or preferably the counts of the response', () => {
    const tokens = (record: JsonObject) => {
      const { inputTokens, outputTokens } = entryOf(record)!;
      return [inputTokens, outputTokens];
    };
    expect(tokens({ ...flat(), tokens: 25 })).toEqual([25, 0]);
    expect(tokens({ ...flat(), tokens: 25, response: answered({ content: 'Hello' }) })).toEqual([9, 3]);
    expect(tokens({ ...flat(), tokens: -1 })).toEqual([null, null]);
  });

  const responses: [string, unknown][] = [
    ['text', 'Hello'],
    ['a completion', answered({ content: 'Hello' })],
    ['a message', { role: 'assistant', content: 'Hello' }],
    ['a wrapped message', { message: { content: 'Hello' } }],
    ['content alone', { content: 'Hello' }],
    ['content parts', { content: [{ type: 'text', text: 'Hello' }] }],
    ['a text field', { text: 'Hello' }],
    ['a legacy choice', { choices: [{ text: 'Hello' }] }],
    ['a list of parts', [{ type: 'text', text: 'Hello' }]],
    ['a list of texts', ['Hello']],
    ['a list of messages', [user('Hi'), { role: 'assistant', content: 'Hello' }]],
    ['a list of choices', [{ index: 0, message: { role: 'assistant', content: 'Hello' } }]],
  ];
  for (const [name, response] of responses) {
    test(`reads a response that is ${name}`, () => {
      expect(
        conversationOf(entryOf(nested({ response }))!, {
          refusals: 'exclude',
          images: 'keep',
          providerTools: 'exclude',
        }).answer,
      ).toEqual({
        role: 'assistant',
        content: 'Hello',
      });
    });
  }

  test('finds no answer in responses without one', () => {
    for (const response of ['', {}, [], 42, null, { choices: [] }, [user('Hi')]]) {
      expect(() =>
        conversationOf(entryOf(flat({ response }))!, {
          refusals: 'exclude',
          images: 'keep',
          providerTools: 'exclude',
        }),
      ).toThrow('the answer has neither text nor tool calls');
    }
  });

  test('treats an ordinary line as no conversation, and other objects as no record', () => {
    expect(entryOf(header)?.reject).toBe('not_a_conversation');
    expect(entryOf({ messages: [] })).toBeUndefined();
    expect(entryOf({ v: 2, ts: 'x', endpoint: 'chat', outcome: 'success' })).toBeUndefined();
  });

  test.each([
    ['unsuccessful', { ...nested(), level: 'ERROR' }],
    ['unsuccessful', nested({ status: 500 })],
    ['unsuccessful', nested({ status: 'failed' })],
    ['unsuccessful', nested({ status_code: '404' })],
    ['unsuccessful', nested({ error: 'boom' })],
    ['unfinished', nested({ finish_reason: 'length' })],
    ['unfinished', nested({ response: answered({ content: 'x' }, 'length') })],
    [undefined, nested({ status: 200 })],
    [undefined, nested({ status: 'ok' })],
    [undefined, nested({ success: true, status_code: '201', finish_reason: 'stop' })],
  ] as const)('filterOf() reports an entry as %p', (failure, record) => {
    expect(filterOf(entryOf(record)!, wanted)).toBe(failure as never);
  });
});
