import { describe, expect, test } from 'bun:test';
import type { Example } from '../../../src/export/conversation/conversation.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import type { RenderOptions } from '../../../src/export/render/format.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { call, CONVERSATIONS, result, said, shown, talk, user, WEATHER } from './conversations.ts';
import { row, written } from './render.ts';

const thought = CONVERSATIONS.thoughts!;
const called = CONVERSATIONS['thoughts before calls']!;

describe('reasoning', () => {
  test.each<[FormatName, RenderOptions['reasoning'], object]>([
    ['openai', 'drop', { content: 'Fine.' }],
    ['openai', 'keep', { content: '<think>\nThey ask\nhow I am.\n</think>\n\nFine.' }],
    ['mistral', 'keep', { content: '<think>\nThey ask\nhow I am.\n</think>\n\nFine.' }],
    ['fireworks', 'keep', { content: 'Fine.', reasoning_content: 'They ask\nhow I am.' }],
    ['trl', { field: 'thinking' }, { content: 'Fine.', thinking: 'They ask\nhow I am.' }],
    ['trl', 'inline', { content: '<think>\nThey ask\nhow I am.\n</think>\n\nFine.' }],
  ])('%s writes it with the setting %p', (name, reasoning, answer) => {
    const { messages } = row(FORMATS[name], thought, { reasoning });
    expect((messages as JsonObject[]).at(-1)).toEqual({ role: 'assistant', ...answer });
  });

  test('text writes it before the answer, however it is kept', () => {
    const { text } = row(FORMATS.text, thought, { reasoning: 'keep' });
    expect(text).toEndWith(
      '<|im_start|>assistant\n<think>\nThey ask\nhow I am.\n</think>\n\nFine.<|im_end|>\n',
    );
  });

  test('mistral leaves it out beside calls, which must have no text', () => {
    for (const reasoning of ['inline', 'keep'] as const) {
      const { messages } = row(FORMATS.mistral, called, { reasoning });
      expect(Object.keys((messages as JsonObject[])[1]!)).toEqual(['role', 'tool_calls']);
    }
  });

  test.each(['trl', 'text'] as const)(
    '%s does not write a thought into text whose end tag it contains',
    (name) => {
      const example = talk([user('Hi')], said('Hello', { reasoning: 'Say </think> now.' }));
      expect(written(FORMATS[name], example, { reasoning: 'inline' })).toBe('reserved_words');
      expect(row(FORMATS[name], example, { reasoning: 'drop' })).toEqual(
        row(FORMATS[name], talk([user('Hi')], said('Hello'))),
      );
    },
  );
});

describe('a text that contains the end tag of reasoning', () => {
  const answer = 'Models write </think> first.';
  const example = (more: object = {}) => talk([user('Hi')], said(answer, more));

  test.each<[FormatName, RenderOptions['reasoning'], object]>([
    ['trl', 'keep', { reasoning_content: '' }],
    ['trl', 'drop', { reasoning_content: '' }],
    ['trl', 'inline', { reasoning_content: '' }],
    ['trl', { field: 'thoughts' }, { thoughts: '' }],
    ['axolotl', 'keep', { reasoning_content: '' }],
    ['fireworks', 'keep', {}],
    ['openai', 'drop', {}],
  ])('is not split at it in %s with reasoning %p', (name, reasoning, more) => {
    const { messages } = row(FORMATS[name], example(), { reasoning });
    expect((messages as JsonObject[]).at(-1)).toEqual({ role: 'assistant', content: answer, ...more });
    expect(FORMATS[name].check({ messages })).toEqual([]);
  });

  test('may have reasoning in a separate field, but not before it in the same text', () => {
    const { messages } = row(FORMATS.trl, example({ reasoning: 'Hm.' }), { reasoning: 'keep' });
    expect((messages as JsonObject[]).at(-1)).toMatchObject({ content: answer, reasoning_content: 'Hm.' });
    for (const name of ['trl', 'axolotl', 'sharegpt', 'text'] as const)
      expect(written(FORMATS[name], example({ reasoning: 'Hm.' }), { reasoning: 'inline' })).toBe(
        'reserved_words',
      );
  });
});

test('trl names the function of a result, even if its id is reused for another call', () => {
  const once = (name: string, id: string) => {
    const called = { id, type: 'function', function: { name, arguments: '{}' } } as const;
    return [said('', { tool_calls: [called] }), result(id, '1')];
  };
  const example = talk([user('Go'), ...once('a', 'x'), ...once('b', 'y'), ...once('c', 'x')], said('Done'));
  const { messages } = row(FORMATS.trl, example);
  const results = (messages as JsonObject[]).filter(({ role }) => role === 'tool');
  expect(results.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test.each<[FormatName, RenderOptions['toolArguments'], unknown]>([
  ['openai', undefined, '{"city":"Oslo"}'],
  ['openai', 'object', { city: 'Oslo' }],
  ['axolotl', undefined, '{"city":"Oslo"}'],
  ['trl', undefined, { city: 'Oslo' }],
  ['trl', 'string', '{"city":"Oslo"}'],
])('%s writes arguments, requested as %p', (name, toolArguments, expected) => {
  const { messages } = row(FORMATS[name], called, { toolArguments });
  const [first] = (messages as JsonObject[])[1]!.tool_calls as { function: JsonObject }[];
  expect(first!.function.arguments).toEqual(expected);
});

describe('mergeTurns', () => {
  test.each(['openai', 'trl', 'fireworks', 'axolotl'] as const)(
    'joins consecutive messages of one role in %s',
    (name) => {
      const example = CONVERSATIONS['answers in a row, one of them not trained']!;
      const { messages } = row(FORMATS[name], example, { mergeTurns: true });
      expect((messages as JsonObject[]).map(({ content }) => content)).toEqual([
        'Hi.',
        'Hello.\n\nOh.',
        'How are you?',
        'Fine.',
      ]);
    },
  );

  test('joins texts and images as parts', () => {
    const example = talk([user('Look.'), shown('https://example.com/a.png')]);
    const { messages } = row(FORMATS.openai, example, { mergeTurns: true });
    expect((messages as JsonObject[])[0]!.content).toEqual([
      { type: 'text', text: 'Look.' },
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ]);
  });

  test('joins consecutive user messages in text', () => {
    const { text } = row(FORMATS.text, CONVERSATIONS['users in a row']!, { mergeTurns: true });
    expect(text).toStartWith('<|im_start|>user\nHi.\n\nHow are you?<|im_end|>\n');
  });
});

describe('mistral', () => {
  const ids = (example: Example) =>
    (row(FORMATS.mistral, example).messages as JsonObject[]).flatMap(({ tool_calls: calls }) =>
      ((calls ?? []) as { id: string }[]).map(({ id }) => id),
    );
  const calling = (...all: string[]) =>
    talk(
      [
        user('Oslo?'),
        said('', { tool_calls: all.map((id) => call(id, 'Oslo')) }),
        ...all.map((id) => result(id, '3 C')),
      ],
      said('3 C.'),
      { tools: [WEATHER] },
    );

  test('keeps ids that fit, and derives the others from the originals', () => {
    const [kept, made] = ids(calling('abcDEF123', 'call_1'));
    expect(kept).toBe('abcDEF123');
    expect(ids(calling('call_2', 'call_1'))[1]).toBe(made!);
  });

  test('never gives the same short id to two calls', () => {
    const [short] = ids(calling('call_1'));
    const both = ids(calling('call_1', short!));
    expect(both[0]).toBe(short!);
    expect(both[1]).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(both[1]).not.toBe(short!);
  });

  test('adds a description to functions without one', () => {
    const bare = { type: 'function' as const, function: { name: 'clock' } };
    const { tools } = row(FORMATS.mistral, talk([user('Hi')], said('Hello'), { tools: [bare] }));
    expect(tools).toEqual([
      {
        type: 'function',
        function: { name: 'clock', description: '', parameters: { type: 'object', properties: {} } },
      },
    ]);
  });
});

test.each(['trl-dpo', 'openai-dpo'] as const)(
  '%s requires two answers that are written differently',
  (name) => {
    expect(written(FORMATS[name], CONVERSATIONS.text!)).toBe('no_pair');
    const example = CONVERSATIONS['a pair that differs in its thoughts']!;
    expect(written(FORMATS[name], example, { reasoning: 'drop' })).toBe('no_pair');
    expect(written(FORMATS[name], example, { reasoning: 'keep' })).toHaveLength(1);
  },
);

test('kto requires a rating', () => {
  expect(written(FORMATS.kto, CONVERSATIONS.text!)).toBe('no_judgement');
  expect(row(FORMATS.kto, CONVERSATIONS['a bad answer']!).label).toBe(false);
});

test('rft passes calls to the grader separately from the text', () => {
  const { reference_answer: text, reference_tool_calls: calls } = row(FORMATS.rft, called);
  expect([text, calls]).toEqual(['', [{ name: 'weather', arguments: { city: 'Oslo' } }]]);
});

test.each<[FormatName, string, boolean]>([
  ['openai', 'data:image/webp;base64,AAAA', true],
  ['openai', 'ftp://example.com/a.png', false],
  ['openai', 'HTTPS://example.com/a.png', true],
  ['together', 'data:image/webp;base64,AAAA', true],
  ['fireworks', 'data:image/webp;base64,AAAA', false],
  ['fireworks', 'data:image/JPG;base64,AAAA', true],
  ['openai', `data:image/png;base64,${'A'.repeat(13_981_013)}`, true],
  ['openai', `data:image/png;base64,${'A'.repeat(13_981_018)}`, false],
])('%s accepts only images of its types and sizes, %#', (name, url, taken) => {
  expect(Array.isArray(written(FORMATS[name], talk([shown(url)])))).toBe(taken);
});
