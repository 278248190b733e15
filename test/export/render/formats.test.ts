import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Conversation, Example, Message } from '../../../src/export/conversation/conversation.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import type { RenderOptions } from '../../../src/export/render/format.ts';
import { RejectError } from '../../../src/export/errors.ts';
import type { JsonObject } from '../../../src/wire/json.ts';

const words = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).map((text) => `w${text}`);
const args = fc
  .dictionary(fc.constantFrom('a', 'b', 'city'), fc.oneof(words, fc.integer(), fc.boolean()))
  .map((value) => JSON.stringify(value));
const tool = (name: string) => ({
  type: 'function' as const,
  function: {
    name,
    description: `Calls ${name}`,
    parameters: { type: 'object', properties: { a: { type: 'string' } } },
  },
});

/** A turn of the assistant with calls and their results, or with text. */
const exchange = fc.oneof(
  words.map((content): Message[] => [{ role: 'assistant', content }]),
  fc
    .tuple(words, words)
    .map(([content, reasoning]): Message[] => [{ role: 'assistant', content, reasoning }]),
  words.map((content): Message[] => [{ role: 'assistant', content, untrained: true }]),
  fc
    .tuple(fc.array(args, { minLength: 1, maxLength: 3 }), fc.boolean(), words)
    .map(([all, speaks, content]): Message[] => {
      const calls = all.map((text, index) => ({
        id: `call_${text.length}_${index}`,
        type: 'function' as const,
        function: { name: 'f', arguments: text },
      }));
      return [
        { role: 'assistant', content: speaks ? content : '', tool_calls: calls },
        ...calls.map(({ id }): Message => ({ role: 'tool', tool_call_id: id, content: `result ${id}` })),
        { role: 'assistant', content },
      ];
    }),
);

const asked = fc.oneof(
  words.map((content): Message[] => [{ role: 'user', content }]),
  fc.tuple(words, words).map(([a, b]): Message[] => [
    { role: 'user', content: a },
    { role: 'user', content: b },
  ]),
  fc.tuple(words, words).map(([a, b]): Message[] => [
    { role: 'system', content: a },
    { role: 'user', content: b },
  ]),
);

const conversation: fc.Arbitrary<Conversation> = fc
  .record({
    before: fc.array(fc.tuple(asked, exchange), { maxLength: 2 }),
    last: asked,
    answer: fc.oneof(
      words.map((content) => ({ role: 'assistant' as const, content })),
      fc
        .tuple(words, words)
        .map(([content, reasoning]) => ({ role: 'assistant' as const, content, reasoning })),
      args.map((text) => ({
        role: 'assistant' as const,
        content: '',
        tool_calls: [{ id: 'last', type: 'function' as const, function: { name: 'f', arguments: text } }],
      })),
    ),
  })
  .map(({ before, last, answer }) => {
    const prompt = [...before.flat(2), ...last];
    const calls = [...prompt, answer].some((message) => 'tool_calls' in message);
    return { prompt, answer, tools: calls ? [tool('f')] : [] };
  });

const example: fc.Arbitrary<Example> = conversation.map((made) => ({
  conversation: made,
  rejected: { role: 'assistant', content: 'a worse answer' },
  label: false,
}));

const options: fc.Arbitrary<RenderOptions> = fc.record({
  reasoning: fc.constantFrom('drop' as const, 'keep' as const, 'inline' as const),
  mergeTurns: fc.boolean(),
});

function rendered(name: FormatName, made: Example, how: RenderOptions): JsonObject[] | undefined {
  try {
    const row = FORMATS[name].render(made, how);
    // Parsed as a reader of the file would.
    return JSON.parse(JSON.stringify(Array.isArray(row) ? row : [row])) as JsonObject[];
  } catch (error) {
    if (error instanceof RejectError) return undefined;
    throw error;
  }
}

describe.each(EXPORT_FORMATS)('format %s', (name) => {
  const format = FORMATS[name];

  test('renders any conversation without a violation of its own check', () => {
    let rows = 0;
    fc.assert(
      fc.property(example, options, (made, how) => {
        for (const row of rendered(name, made, how) ?? []) {
          rows += 1;
          expect([format.check(row), row]).toEqual([[], row]);
        }
      }),
      { numRuns: 200 },
    );
    expect(rows).toBeGreaterThan(20);
  });

  test('contains no null, no empty list of tools, and no key without a column', () => {
    fc.assert(
      fc.property(example, options, (made, how) => {
        const columns = format.columns?.map((column) => column.name);
        for (const row of rendered(name, made, how) ?? []) {
          expect(JSON.stringify(row)).not.toContain(':null');
          expect(row.tools).not.toEqual([]);
          if (columns) expect(Object.keys(row).filter((key) => !columns.includes(key))).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('rejects rows of other shapes', () => {
    for (const row of [
      {},
      { messages: [] },
      { text: 5 },
      { unknown: 'x' },
      { conversations: [{ from: 'x', value: 1 }] },
    ])
      expect(format.check(row as JsonObject)).not.toEqual([]);
  });
});

const PLAIN: Example = {
  conversation: {
    prompt: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { id: 'call_abc', type: 'function', function: { name: 'f', arguments: '{"city":"Oslo"}' } },
        ],
        untrained: true,
      },
      { role: 'tool', tool_call_id: 'call_abc', content: '{"celsius":3}' },
    ],
    answer: { role: 'assistant', content: 'Cold.', reasoning: 'Three is cold.' },
    tools: [tool('f')],
  },
  rejected: { role: 'assistant', content: 'Hot.' },
  label: true,
};

describe('a conversation with tools, reasoning and a turn that is not trained', () => {
  test.each(EXPORT_FORMATS.map((name) => [name]))('is %s', (name) => {
    const rows = rendered(name, PLAIN, { reasoning: FORMATS[name].reasoning, mergeTurns: false });
    expect(rows?.map((row) => JSON.stringify(row)).join('\n') ?? 'no row').toMatchSnapshot();
  });
});

describe('Format.check() reports', () => {
  const sound = () =>
    rendered('openai', PLAIN, { reasoning: 'drop', mergeTurns: false })![0]! as {
      messages: JsonObject[];
      tools: JsonObject[];
    };
  const called = (row: ReturnType<typeof sound>) => (row.messages[2]!.tool_calls as JsonObject[])[0]!;
  test.each([
    ['an unknown key', (row) => Object.assign(row, { extra: 1 }), 'extra: unknown key'],
    ['an unknown role', (row) => (row.messages[1]!.role = 'robot'), 'messages[1].role: expected'],
    ['null as content', (row) => (row.messages[1]!.content = null), 'messages[1].content: expected a text'],
    ['a blank user message', (row) => (row.messages[1]!.content = ' '), 'messages[1].content: is blank'],
    ['an invalid weight', (row) => (row.messages[4]!.weight = 0.5), 'messages[4].weight'],
    ['no trained turn', (row) => (row.messages[4]!.weight = 0), 'messages: no message is trained'],
    [
      'a user at the end',
      (row) => row.messages.push({ role: 'user', content: 'x' }),
      'the last message must be',
    ],
    [
      'arguments as an object',
      (row) => ((called(row).function as JsonObject).arguments = {}),
      'function.arguments',
    ],
    [
      'arguments that are not JSON',
      (row) => ((called(row).function as JsonObject).arguments = '{'),
      'function.arguments',
    ],
    ['a call without an id', (row) => delete called(row).id, 'tool_calls[0].id'],
    ['a result without a call', (row) => (row.messages[3]!.tool_call_id = 'x'), 'answers no open call'],
    ['a call without a result', (row) => row.messages.splice(3, 1), 'have no result'],
    ['an empty list of tools', (row) => (row.tools = []), 'tools: is empty'],
    [
      'a tool without a name',
      (row) => delete (row.tools[0]!.function as JsonObject).name,
      'tools[0].function.name',
    ],
    ['an image of the assistant', (row) => (row.messages[4]!.content = []), 'messages[4].content'],
  ] as [string, (row: ReturnType<typeof sound>) => unknown, string][])('%s', (_, spoil, words) => {
    const row = sound();
    expect(FORMATS.openai.check(row)).toEqual([]);
    spoil(row);
    expect(FORMATS.openai.check(row).join('\n')).toContain(words);
  });

  test.each([
    ['mistral', { tool_call_id: 'call_abc' }, 'answers no open call'],
    ['together', { role: 'user' }, 'tool_call_id: unknown key'],
  ] as const)('what only %s rejects', (name, change, words) => {
    const row = rendered(name, PLAIN, { reasoning: 'drop', mergeTurns: false })![0]! as {
      messages: JsonObject[];
    };
    Object.assign(row.messages[3]!, change);
    expect(FORMATS[name].check(row).join('\n')).toContain(words);
  });

  test('files with too few rows', () => {
    expect(FORMATS.openai.checkFile!({ rows: 9, bytes: 1 })).toEqual([
      'the file has 9 rows: 10 are the least',
    ]);
    expect(FORMATS.openai.checkFile!({ rows: 10, bytes: 1 })).toEqual([]);
    expect(FORMATS.openai.checkFile!({ rows: 10, bytes: 6e8 })).toHaveLength(1);
  });
});
