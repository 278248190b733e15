import { describe, expect, test } from 'bun:test';
import { Ajv } from 'ajv';
import type { Example, Tool } from '../../../src/export/conversation/conversation.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { call, result, said, talk, user, WEATHER } from './conversations.ts';
import { row, written } from './render.ts';

const tool = (name: string, parameters?: unknown): Tool => ({
  type: 'function',
  function: { name, description: 'Does it', ...(parameters === undefined ? {} : { parameters }) },
});
const LONG = `mcp__${'x'.repeat(200)}`;

/** A conversation in which each of the functions is called. */
function calling(names: readonly string[]): Example {
  const asked = names.map((name, index) => ({
    id: `call_${index}`,
    type: 'function' as const,
    function: { name, arguments: '{}' },
  }));
  const results = asked.map(({ id }) => result(id, '1'));
  const example = talk([user('Go'), said('', { tool_calls: asked }), ...results], said('Done'));
  return {
    ...example,
    rejected: said('No'),
    conversation: { ...example.conversation, tools: names.map((name) => tool(name)) },
  };
}

/** All names in a row, and the pattern that a service requires of them. */
const NAMES: Readonly<Record<string, RegExp>> = {
  openai: /^[a-zA-Z0-9_-]{1,64}$/,
  'openai-dpo': /^[a-zA-Z0-9_-]{1,64}$/,
  mistral: /^[a-zA-Z0-9_-]{1,64}$/,
  bedrock: /^[a-zA-Z0-9_-]{1,64}$/,
  gemini: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/,
};

function* namesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  const { name } = value as JsonObject;
  if (typeof name === 'string') yield name;
  for (const inner of Object.values(value)) yield* namesIn(inner);
}

describe.each(Object.entries(NAMES))('%s', (name, pattern) => {
  const format = FORMATS[name as FormatName];

  test('replaces invalid characters in the names of functions, the same way in calls and tools', () => {
    const names = ['get weather', 'größe', '天気', '9lives', LONG, `${LONG}y`, 'a/b', 'a_b', 'fine-name'];
    const made = row(format, calling(names));
    expect(format.check(made)).toEqual([]);
    const found = [...namesIn(made)];
    for (const one of found) expect(one).toMatch(pattern);
    expect(new Set(found).size).toBe(names.length);
    expect(found).toContain('fine-name');
    expect(found).toContain('a_b');
  });

  test('gives a function the same name in every row', () => {
    const spelled = (names: readonly string[]) => [...namesIn(row(format, calling(names)))][0];
    expect(spelled(['get weather'])).toBe('get_weather');
    expect(spelled([LONG])).toBe(spelled([LONG, 'other', 'a b']));
  });

  test('check() reports invalid names', () => {
    const made = JSON.stringify(row(format, calling(['good_name'])));
    for (const bad of ['get weather', LONG, '天気'])
      expect(format.check(JSON.parse(made.replaceAll('good_name', bad)) as JsonObject)).not.toEqual([]);
  });
});

test('gemini accepts the names that Google does', () => {
  const names = ['calendar.create', 'mcp:search', '_x', 'x'.repeat(128)];
  expect(new Set(namesIn(row(FORMATS.gemini, calling(names))))).toEqual(new Set(names));
});

test.each(['gemini', 'bedrock'] as const)('%s defines a function once', (name) => {
  const example = calling(['f']);
  const { tools } = example.conversation;
  const made = row(FORMATS[name], { conversation: { ...example.conversation, tools: [...tools, ...tools] } });
  expect(FORMATS[name].check(made)).toEqual([]);
  expect(JSON.stringify(made).split('Does it')).toHaveLength(2);
});

test.each(['openai', 'rft'] as const)('%s accepts up to 128 functions', (name) => {
  const names = Array.from({ length: 129 }, (_, index) => `f${index}`);
  const ask = (count: number): Example => ({
    conversation: {
      prompt: [user('Go')],
      answer: said('Done'),
      tools: names.slice(0, count).map((each) => tool(each)),
    },
  });
  const made = row(FORMATS[name], ask(128));
  expect(FORMATS[name].check(made)).toEqual([]);
  expect(written(FORMATS[name], ask(129))).toBe('unsupported_tools');
  const more = { ...made, tools: [...(made.tools as Tool[]), tool('f128')] };
  expect(FORMATS[name].check(more)).toContainEqual(expect.stringContaining('128 are the most'));
});

describe('schemas of parameters', () => {
  const SCHEMAS: readonly JsonObject[] = [
    { type: 'dict', properties: { a: { type: 'str', required: true }, b: { type: 'any' } } },
    { type: 'object', properties: { a: { type: 'array' }, b: { type: ['array', 'null'] } } },
    { type: 'object' },
    {},
    { type: 'object', properties: [], required: null },
    { type: 'object', properties: { a: { enum: 'x', minimum: '3', exclusiveMinimum: true } } },
    {
      type: 'object',
      properties: { a: { anyOf: [], oneOf: [{ type: 'float' }, 'x'] } },
      required: ['a', 'a'],
    },
    {
      type: 'object',
      properties: { a: 'string', b: { items: [], type: 'array' } },
      additionalProperties: 'no',
    },
    {
      type: 'object',
      properties: { type: { type: 'string', description: 5, maxLength: -1, multipleOf: 0 } },
    },
  ];
  const of = (made: JsonObject) => (made.tools as Tool[])[0]!.function.parameters as JsonObject;
  const example = (parameters: JsonObject): Example => ({
    conversation: { prompt: [user('Go')], answer: said('Done'), tools: [tool('f', parameters)] },
  });

  test.each(['openai', 'rft', 'mistral'] as const)('%s writes only valid JSON schemas', (name) => {
    const validator = new Ajv({ strict: false });
    for (const schema of SCHEMAS) {
      const made = row(FORMATS[name], example(schema));
      expect(FORMATS[name].check(made)).toEqual([]);
      expect([of(made), validator.validateSchema(of(made))]).toEqual([of(made), true]);
      const bad = { ...made, tools: [tool('f', schema)] };
      // Mistral's validator requires nothing but a valid schema.
      const isValid = validator.validateSchema(schema) as boolean;
      if (!isValid || name !== 'mistral') expect(FORMATS[name].check(bad)).not.toEqual([]);
      else expect(FORMATS[name].check(bad)).toEqual([]);
    }
  });

  test.each(['trl', 'trl-pc', 'trl-dpo', 'kto', 'axolotl', 'sharegpt'] as const)(
    '%s writes schemas that chat templates can render, with a description',
    (name) => {
      const written = (parameters: unknown) => {
        const plain = { type: 'function', function: { name: 'f', parameters } } as Tool;
        const { conversation } = example({});
        const rejected = said('No');
        const made = row(FORMATS[name], {
          conversation: { ...conversation, tools: [plain] },
          rejected,
          label: true,
        });
        expect(FORMATS[name].check(made)).toEqual([]);
        const [defined] = (name === 'sharegpt' ? JSON.parse(made.tools as string) : made.tools) as Tool[];
        return { made, defined: (defined!.function ?? defined) as Tool['function'] };
      };
      for (const schema of [...SCHEMAS, { properties: { a: true } }, { properties: {}, items: [{}] }]) {
        const { made, defined } = written(schema);
        expect(defined.description).toBe('');
        expect([defined.parameters, new Ajv({ strict: false }).validateSchema(defined.parameters!)]).toEqual([
          defined.parameters,
          true,
        ]);
        const bad = [{ type: 'function', function: { ...defined, parameters: { properties: { a: true } } } }];
        const tools = name === 'sharegpt' ? JSON.stringify(bad) : bad;
        expect(FORMATS[name].check({ ...made, tools })).toEqual([
          expect.stringContaining('properties.a: expected an object'),
        ]);
      }
      expect(written(undefined).defined.parameters).toEqual({ type: 'object', properties: {} });
    },
  );

  test('gemini reads no value of a wrong type', () => {
    const odd = {
      title: 5,
      description: {},
      pattern: 5,
      nullable: 'yes',
      minItems: '1',
      maxItems: 1.5,
      minLength: -1,
      minimum: '1',
      maximum: null,
      required: true,
      propertyOrdering: 'a',
    };
    const made = row(FORMATS.gemini, example({ type: 'object', properties: { a: odd }, required: 'a' }));
    expect(FORMATS.gemini.check(made)).toEqual([]);
    const [
      {
        functionDeclarations: [declared],
      },
    ] = made.tools as [{ functionDeclarations: [JsonObject] }];
    expect(declared.parameters).toEqual({ type: 'OBJECT', properties: { a: { minItems: '1' } } });
    const { minItems: _, ...wrong } = odd;
    for (const [word, value] of Object.entries({
      ...wrong,
      enum: [1],
      format: 7,
      items: [],
      anyOf: {},
      defs: [],
      ref: {},
    })) {
      const bad = {
        ...made,
        tools: [{ functionDeclarations: [{ name: 'f', parameters: { [word]: value } }] }],
      };
      expect([word, FORMATS.gemini.check(bad).length]).toEqual([word, 1]);
    }
  });

  test('stay unchanged if they are valid', () => {
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: ['string', 'null'], pattern: '^a' }, uniqueItems: true },
        code: { type: 'string', pattern: '(?i)^[^\\s@]+\\.(?:a|b)\\u00e9?$' },
        either: { anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { $ref: '#/$defs/x' }], default: null },
      },
      required: ['list'],
      additionalProperties: false,
      $defs: { x: { type: 'object', properties: {} } },
      'x-own': ['anything'],
    };
    for (const name of ['openai', 'mistral'] as const)
      expect(of(row(FORMATS[name], example(schema)))).toEqual(schema);
  });

  test('have patterns that Python can compile, as the services require', () => {
    const pattern = (text: string) =>
      of(row(FORMATS.mistral, example({ type: 'object', pattern: text }))).pattern;
    for (const sound of ['^a\\\\p$', '(?<!a)b', '(?P<n>a)', '[\\w.-]{1,3}'])
      expect(pattern(sound)).toBe(sound);
    for (const bad of ['[', '\\p{L}', '(?<n>a)', '\\u{1f600}', 'a{2,1}', '\\cJ'])
      expect(pattern(bad)).toBeUndefined();
  });

  test('lose nothing but their invalid parts', () => {
    const { properties } = of(row(FORMATS.openai, example(SCHEMAS[0]!)));
    expect(properties).toEqual({ a: {}, b: {} });
    expect(of(row(FORMATS.openai, example(SCHEMAS[1]!))).properties).toEqual({
      a: { type: 'array', items: {} },
      b: { type: ['array', 'null'], items: {} },
    });
    expect(of(row(FORMATS.openai, example({})))).toEqual({ type: 'object', properties: {} });
  });
});

test('openai replaces invalid characters in the names of speakers too', () => {
  const example = talk([{ ...user('Hi'), name: 'Jane Doe' }], said('Hello'));
  const { messages } = row(FORMATS.openai, example);
  expect((messages as JsonObject[])[0]).toEqual({ role: 'user', content: 'Hi', name: 'Jane_Doe' });
  const bad = {
    messages: [
      { role: 'user', content: 'Hi', name: 'Jane Doe' },
      { role: 'assistant', content: 'Hi' },
    ],
  };
  expect(FORMATS.openai.check(bad)).toContainEqual(expect.stringContaining('messages[0].name: "Jane Doe"'));
});

test.each(['user: hi', 'a <IMAGE>', 'BOT: x'])('bedrock rejects the reserved text %p', (text) => {
  expect(written(FORMATS.bedrock, talk([user(text)], said('Fine')))).toBe('reserved_words');
});

test('bedrock takes reserved words in the result of a tool, as the validator of AWS does', () => {
  const asked = [user('Who?'), said('', { tool_calls: [call('c', 'Rome')] }), result('c', 'user: root')];
  const taken = row(FORMATS.bedrock, talk(asked, said('Root'), { tools: [WEATHER] }));
  expect(FORMATS.bedrock.check(taken)).toEqual([]);
});
