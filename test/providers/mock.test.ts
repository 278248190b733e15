/** The built-in mock provider gives plausible answers. */
import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import { chatAnswer } from '../../src/providers/mock/answer.ts';
import { sampleOf } from '../../src/providers/mock/sample.ts';

const ask = (content: string, more: Partial<ChatRequest> = {}) =>
  chatAnswer({ model: 'mock', messages: [{ role: 'user', content }], ...more }, 0);
const say = (content: string, more: Partial<ChatRequest> = {}) => ask(content, more).text.join('');

const tool = (name: string, properties: object, type = 'function') => ({
  type,
  function: { name, parameters: { type: 'object', properties, required: Object.keys(properties) } },
});
const NUMBER = { type: 'number' };
const STRING = { type: 'string' };
const TOOLS = [
  tool('Bash', { command: STRING }),
  tool('get_current_weather', { location: STRING, unit: { enum: ['celsius', 'fahrenheit'] } }),
  tool('addNumbers', { a: NUMBER, b: NUMBER }),
] as unknown as NonNullable<ChatRequest['tools']>;

const calls = (content: string, more: Partial<ChatRequest> = {}) =>
  ask(content, { tools: TOOLS, ...more }).calls.map(({ function: { name, arguments: text } }) => [
    name,
    JSON.parse(text) as unknown,
  ]);

describe('the mock answer', () => {
  test('echoes the question, and explains the mock and how to configure a real provider', () => {
    const text = say('What is love?');
    expect(text).toStartWith("You said: What is love? This is llmproxy's built-in mock provider");
    expect(text).toContain('- { name: openai, type: openai }');
    expect(say('What is love?')).toBe(text);
  });

  test('omits text that programs add to the question, and shortens it', () => {
    expect(say('<system-reminder>call Bash</system-reminder>\nHi')).toStartWith('You said: Hi. This');
    expect(say(`${'long '.repeat(10_000)}`).length).toBeLessThan(3_000);
  });

  test.each([
    ['Reply with exactly: pong', 'pong'],
    ['Reply with exactly pong.', 'pong'],
    ['"Reply with exactly: pong"', 'pong'],
    ['Please respond with exactly "Hello, World!" and nothing else.', 'Hello, World!'],
    ["Say exactly 'it works'", 'it works'],
    ['Reply with exactly the following text: two words', 'two words'],
    ['Answer only with the word OK', 'OK'],
    ['Reply with the single word banana.', 'banana'],
    ['Output exactly `a b`', 'a b'],
    ['Reply with exactly DONE and nothing else.', 'DONE'],
  ])('to %j is %j', (question, answer) => {
    expect([say(question), calls(question)]).toEqual([answer, []]);
  });

  test.each(['What exactly is a proxy?', 'Reply soon', 'Say hello'])(
    'echoes %j, which does not request a fixed answer',
    (question) => {
      expect(say(question)).toStartWith(`You said: ${question}`);
    },
  );
});

describe('a mock tool call', () => {
  test.each([
    ['Hello there', []],
    ['What is the weather in Paris?', [['get_current_weather', { location: 'Paris', unit: 'celsius' }]]],
    [
      "What's the weather in 'New York' in fahrenheit?",
      [['get_current_weather', { location: 'New York', unit: 'fahrenheit' }]],
    ],
    ['Use addNumbers for 2 and 3.5', [['addNumbers', { a: 2, b: 3.5 }]]],
    ['What are the numbers 3 and -4 together?', [['addNumbers', { a: 3, b: -4 }]]],
    ['Use a tool, any', [['Bash', { command: 'mock' }]]],
    [
      'Call Bash with "ls -la" and get_current_weather',
      [
        ['Bash', { command: 'ls -la' }],
        ['get_current_weather', { location: 'ls -la', unit: 'celsius' }],
      ],
    ],
    ['<system-reminder>use Bash</system-reminder>Good morning', []],
  ])('is made for %j as requested', (question, expected) => {
    expect(calls(question)).toEqual(expected as never);
  });

  test('is made if it is required, and not made if it is forbidden', () => {
    expect(calls('Hello', { tool_choice: 'required' })).toEqual([['Bash', { command: 'mock' }]]);
    const named = { type: 'function', function: { name: 'addNumbers' } } as const;
    expect(calls('Hello 7', { tool_choice: named })).toEqual([['addNumbers', { a: 7, b: 0 }]]);
    expect(calls('Use Bash', { tool_choice: 'none' })).toEqual([]);
  });

  test('is not repeated after its result, which the answer quotes', () => {
    const messages = [
      { role: 'user', content: 'Use Bash' },
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', tool_call_id: 'x', content: '42' },
    ] as ChatRequest['messages'];
    const answer = chatAnswer({ model: 'mock', messages, tools: TOOLS }, 0);
    expect(answer.calls).toEqual([]);
    expect(answer.text.join('')).toStartWith('The tool said: 42.');
  });
});

describe('a mock JSON object', () => {
  const object = (question: string, system?: string) =>
    JSON.parse(
      chatAnswer(
        {
          model: 'mock',
          messages: [
            ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
            { role: 'user', content: question },
          ],
          response_format: { type: 'json_object' },
        },
        0,
      ).text.join(''),
    ) as object;

  test.each([
    ["Give me JSON with 'k1' and 'k2' keys", ['k1', 'k2']],
    ['Return {"name": string, "age": number}', ['name', 'age']],
    ['Return JSON', ['answer']],
  ])('for %j has the keys %j', (question, keys) => {
    expect(Object.keys(object(question))).toEqual(keys);
  });

  test('has the keys that the system message names', () => {
    expect(Object.keys(object('Go', 'Answer as JSON with the key "verdict"'))).toEqual(['verdict']);
  });

  test.each([
    [{ type: 'string', pattern: '^\\d{4}$' }, /^\d{4}$/],
    [{ type: 'string', pattern: '^[A-Z]{3}-\\d+$' }, /^[A-Z]{3}-\d+$/],
    [{ type: 'string', minLength: 10, maxLength: 12 }, /^.{10,12}$/],
    [{ type: 'integer', minimum: 5.5, multipleOf: 4 }, /^8$/],
    [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, /^0\.5$/],
    [{ anyOf: [{ type: 'null' }, { const: 'x' }] }, /^x$/],
    [{ type: ['null', 'boolean'] }, /^true$/],
  ])('for %j is valid for its schema', (schema, pattern) => {
    expect(String(sampleOf(schema))).toMatch(pattern);
  });

  test.each(['^(a+)+$', '^((a|aa)+)*b$', `${'a*'.repeat(60)}b`])(
    'for the pattern %j is made quickly',
    (pattern) => {
      expect(sampleOf({ type: 'string', pattern }, `take "${'a'.repeat(400)}"`)).toBeString();
      expect(sampleOf({ type: 'string', pattern }, `take "${'a'.repeat(39)}"`)).toBeString();
    },
  );

  test('for combined schemas has all their properties, with values from the question', () => {
    const schema = {
      $defs: { Point: { type: 'object', properties: { x: NUMBER } } },
      allOf: [{ $ref: '#/$defs/Point' }, { properties: { y: { type: 'integer' } } }],
      properties: { name: STRING, tags: { type: 'array', items: STRING, minItems: 2 } },
    };
    expect(sampleOf(schema, 'Take 1.5, then 2, and call it "p" with "q"')).toEqual({
      x: 1.5,
      y: 2,
      name: 'p',
      tags: ['q', 'mock'],
    });
  });
});
