/**
 * A request log of odd conversations, the same for the same seed: what clients, models and tools send, and
 * more.
 */
import fc from 'fast-check';
import { answered, chat, feedback, line } from '../export/records.ts';

const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** Special tokens of tokenizers, templates and trainers, and characters that JSON readers often get wrong. */
const SIGNS = [
  '<|im_end|>',
  '<|endoftext|>',
  '<s>[INST] x [/INST]</s>',
  '[TOOL_CALLS]',
  '<tool_call>',
  '<think>x</think>',
  '</think>',
  '<image>',
  '<video><audio>',
  '<unk>',
  'User: hi',
  'the robot: it works',
  'system: linux',
  '{{ messages }} {% raw %}',
  '{"a":1}',
  '[1,2]',
  'null',
  'None',
  '\0',
  '\ud83d',
  '\u2028\u2029\u0085',
  '\ufeffx',
  'a\r\nb\n\n\nc',
  '  padded  ',
  '\u202eabc',
  '👩‍👩‍👧',
  '"""\\\'',
];
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }).map((s) => `w${s}`) },
  { weight: 2, arbitrary: fc.constantFrom(...SIGNS) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...SIGNS), fc.constantFrom(...SIGNS)).map((two) => two.join(' ')),
  },
);
const blank = fc.constantFrom('', ' ', '\n', '\t \u00a0', null, undefined);
const maybeBlank = fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: blank });

const NAMES = [
  'get_weather',
  'get-weather',
  'getWeather2',
  'files.read',
  'mcp:server/tool',
  'two words',
  'ünïcode',
  '1st',
  '_x',
  '$f',
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(129),
];
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES.slice(0, 3)) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
);

const nested = (depth: number, list: boolean): unknown => {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = list ? [value] : { a: value };
  return value;
};

/** Schemas: each with one or two features. */
const SCHEMAS: readonly unknown[] = [
  {},
  { type: 'object' },
  { type: 'object', properties: {} },
  {
    type: 'object',
    properties: { a: { type: 'string', description: 'x', title: 'A', examples: ['x'] } },
    required: ['a'],
  },
  { type: 'object', properties: { a: { type: 'string', required: true } } },
  { type: 'object', properties: { a: { type: 'string' } }, required: 'a' },
  { type: 'object', properties: { a: { type: 'string' } }, required: true },
  { type: 'object', properties: { a: true, b: {}, c: false } },
  {
    type: 'object',
    properties: { a: { type: ['string', 'null'] }, b: { type: ['integer', 'string', 'null'] } },
  },
  {
    type: 'object',
    properties: { a: { type: [] }, b: { type: 'any' }, c: { type: 'str' }, d: { type: 'dict' } },
  },
  {
    type: 'object',
    properties: { a: { $ref: '#/$defs/A' } },
    $defs: { A: { type: 'object', properties: { a: { $ref: '#/$defs/A' } } } },
  },
  {
    type: 'object',
    properties: { a: { $ref: '#/definitions/B' } },
    definitions: { B: { enum: ['x', 1, null, true] } },
  },
  { type: 'object', properties: { a: { $ref: 'https://example.com/a.json' } } },
  { type: 'object', properties: { a: { $ref: '#/properties/a' } } },
  { allOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { required: ['a'] }] },
  { anyOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { type: 'null' }] },
  { oneOf: [{ type: 'object' }, { type: 'string' }], not: { type: 'array' } },
  { type: 'object', properties: { a: { anyOf: [] }, b: { anyOf: {} }, c: { allOf: 'x' } } },
  { type: 'object', properties: { a: { const: 1 }, b: { const: 'x' }, c: { enum: [] }, d: { enum: 'x' } } },
  { type: 'object', properties: { a: { enum: ['x', 'x', ''] } } },
  { type: 'object', properties: { a: { type: 'integer', enum: [1, 2] }, b: { enum: [null], anyOf: [{}] } } },
  {
    type: 'object',
    patternProperties: { '^x': { type: 'string' } },
    additionalProperties: { type: 'string' },
  },
  {
    type: 'object',
    additionalProperties: false,
    unevaluatedProperties: false,
    minProperties: 1,
    maxProperties: 9,
  },
  { type: 'object', properties: { a: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } } },
  { type: 'object', properties: { a: { type: 'array', items: true }, b: { type: 'array' } } },
  {
    type: 'object',
    properties: { a: { type: 'array', prefixItems: [{ type: 'string' }], contains: {}, minItems: 1 } },
  },
  { type: 'object', properties: { a: { type: 'number', minimum: '1', maximum: 'x', multipleOf: 0.1 } } },
  {
    type: 'object',
    properties: { a: { type: 'number', exclusiveMinimum: true, minimum: -1e300, maximum: 2 ** 70 } },
  },
  {
    type: 'object',
    properties: {
      a: { type: 'string', minLength: 1.5, maxLength: -1 },
      b: { type: 'array', minItems: '1', maxItems: 1e30 },
    },
  },
  {
    type: 'object',
    properties: { a: { type: 'string', pattern: '(?<x>', format: 'date' }, b: { pattern: 5, format: 7 } },
  },
  {
    type: 'object',
    properties: { a: { type: 'string', default: null }, b: { default: { c: 1 } }, d: { default: [1] } },
  },
  { type: 'object', properties: { a: { type: 'string', title: 5, description: 7, nullable: 'yes' } } },
  {
    type: 'object',
    title: { x: 1 },
    description: ['x'],
    properties: { a: { type: 'string', description: null } },
  },
  {
    type: 'object',
    properties: {
      type: { type: 'string' },
      properties: { type: 'object' },
      $ref: { type: 'string' },
      required: { type: 'boolean' },
    },
  },
  {
    type: 'object',
    properties: { a: { if: {}, else: {} }, b: { dependentRequired: { a: ['b'] } } },
  },
  {
    type: 'object',
    properties: { a: { type: 'string', nullable: true, deprecated: true, readOnly: true, $comment: 'x' } },
  },
  {
    type: 'object',
    properties: { 'a b': { type: 'string' }, 'ü.x': { type: 'string' }, '': { type: 'string' } },
  },
  { type: 'object', propertyOrdering: 'a', properties: { a: { type: 'string' } } },
  { type: 'object', properties: [] },
  { type: 'object', properties: 'none' },
  { type: 'object', properties: null, required: null },
  { type: 'OBJECT', properties: { a: { type: 'STRING' } } },
  { type: 'string' },
  { type: 'array', items: { type: 'string' } },
  { $schema: 'http://json-schema.org/draft-07/schema#', $id: 'x', type: 'object', properties: {} },
  { type: 'object', properties: { a: nested(20, false) } },
  { type: 'object', properties: { a: nested(49, false) } },
  { type: 'object', properties: { a: nested(70, true) } },
  'none',
  null,
  undefined,
];
const tool = fc
  .record({
    name,
    description: fc.oneof(
      { weight: 4, arbitrary: fc.constant('Does it') },
      { weight: 1, arbitrary: fc.constantFrom('', ' ', undefined, null, 5, 'x'.repeat(2000), 'User: a') },
    ),
    parameters: fc.constantFrom(...SCHEMAS),
    strict: fc.constantFrom(undefined, undefined, true, false, null),
  })
  .map((defined) => ({ type: 'function', function: defined }));

const ARGUMENTS: readonly unknown[] = [
  '{}',
  '',
  ' { "a" : 1 } ',
  '{"a":1,"a":2}',
  '{"a":18446744073709551616,"b":9223372036854775808,"c":-9223372036854775809}',
  '{"a":1e400}',
  '{"a":1.0,"b":1e2,"c":-0,"d":0.1}',
  '{"a":"\\ud83d"}',
  '{"__proto__":{"a":1},"constructor":2,"":3}',
  '{"a":null,"b":[null,{"c":null}],"d":[]}',
  '{"a":[1,"x",{"b":1},[2]]}',
  '{"a":"<|im_end|>"}',
  '{"a":"None"}',
  JSON.stringify(nested(45, false)),
  JSON.stringify({ a: nested(49, true) }),
  JSON.stringify({ a: nested(70, true) }),
  JSON.stringify({ a: 'x'.repeat(50_000) }),
  { a: 1 },
  { a: [] },
  '[]',
  '"x"',
  '{"a":',
  null,
  undefined,
];
const args = fc.oneof(
  { weight: 1, arbitrary: fc.constant('{"city":"Oslo"}') },
  { weight: 1, arbitrary: fc.constantFrom(...ARGUMENTS) },
);

/** Contents of results: mostly text, and values that programs forget to convert to text. */
const RESULTS: readonly unknown[] = [
  'ok',
  '',
  ' ',
  '3',
  '{"a":1}',
  '{"a":1e400}',
  '{"a":18446744073709551616}',
  JSON.stringify(nested(70, false)),
  '[{"a":1},{"b":[]}]',
  '{"output":"x","error":null}',
  'System: x',
  '<image>',
  '\ud83d',
  [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ],
  [{ type: 'text', text: '' }],
  [{ type: 'image_url', image_url: { url: PNG } }],
  [],
  null,
  undefined,
  42,
  { a: 1 },
  true,
];
const result = fc.oneof(
  { weight: 2, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom(...RESULTS) },
);

const image = fc
  .constantFrom(
    PNG,
    PNG.replace('png', 'JPG'),
    'https://example.com/a.png',
    'https://example.com/a',
    's3://b/a.png',
    'gs://b/a.webp',
    'data:image/svg+xml;base64,AAAA',
    'data:image/png,%00',
    '',
  )
  .map((url) => ({ type: 'image_url', image_url: { url } }));
const words = text.map((said) => ({ type: 'text', text: said }));
const asks = fc
  .oneof(
    { weight: 9, arbitrary: maybeBlank },
    { weight: 1, arbitrary: fc.array(words, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.tuple(words, image).map((two): unknown[] => two) },
    { weight: 1, arbitrary: fc.array(image, { maxLength: 12 }) },
    {
      weight: 1,
      arbitrary: fc.constant([{ type: 'input_audio', input_audio: { data: 'A', format: 'wav' } }]),
    },
  )
  .map((content) => ({ role: 'user', content }));
const told = fc
  .tuple(
    fc.constantFrom('system', 'system', 'developer'),
    fc.oneof(
      { weight: 4, arbitrary: maybeBlank },
      { weight: 1, arbitrary: fc.array(words, { maxLength: 3 }) },
    ),
  )
  .map(([role, content]) => ({ role, content }));

const thoughts = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: text.map((thought) => ({ reasoning_content: thought })) },
  { weight: 1, arbitrary: text.map((thought) => ({ reasoning: thought })) },
  { weight: 1, arbitrary: text.map((thought) => ({ content: `<think>${thought}</think>\n\nSo it is.` })) },
  {
    weight: 1,
    arbitrary: text.map((thought) => ({
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: thought }] },
        { type: 'text', text: 'So.' },
      ],
    })),
  },
);
const says = fc
  .tuple(
    maybeBlank,
    thoughts,
    fc.constantFrom({}, {}, {}, { name: 'bot' }, { refusal: 'No' }, { refusal: null }, { annotations: [] }),
  )
  .map(([content, thought, more]) => ({ role: 'assistant', content, ...thought, ...more }));
const ids = fc.uniqueArray(
  fc.constantFrom('call_1', 'call_2', 'toolu_01', 'abcDEF123', '0', 'an id', 'x'.repeat(70), 'ü'),
  {
    minLength: 1,
    maxLength: 4,
  },
);
const calls = ids.chain((given) =>
  fc
    .tuple(fc.oneof(blank, text), thoughts, ...given.map((id) => fc.tuple(fc.constant(id), name, args)))
    .map(([content, thought, ...made]) => ({
      role: 'assistant',
      content,
      ...thought,
      tool_calls: (made as unknown as [string, string, unknown][]).map(([id, called, given]) => ({
        id,
        type: 'function',
        function: { name: called, arguments: given },
      })),
    })),
);
const uses = fc.tuple(calls, fc.array(result, { minLength: 4, maxLength: 4 })).map(([called, results]) => [
  called,
  ...called.tool_calls.map(({ id }, index) => ({
    role: 'tool',
    tool_call_id: id,
    content: results[index],
  })),
]);

/** Mostly in order; sometimes with an unknown role, or the same role twice in a row. */
const before = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.tuple(asks, says).map((two): object[] => two) },
      {
        weight: 8,
        arbitrary: fc.tuple(asks, uses, says).map(([first, used, last]): object[] => [first, ...used, last]),
      },
      { weight: 1, arbitrary: asks.map((one): object[] => [one]) },
      { weight: 1, arbitrary: told.map((one): object[] => [one]) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<object[]>(
          [{ role: 'critic', content: 'x' }],
          [{ role: 'User', content: 'x' }],
          [{ content: 'x' }],
        ),
      },
    ),
    { maxLength: 3 },
  )
  .map((turns) => turns.flat());
const messages = fc
  .tuple(
    fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: told.map((one) => [one]) }),
    before,
    asks,
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: uses }),
  )
  .map(([system, turns, asked, used]): object[] => [...system, ...turns, asked, ...used]);
const answer = fc.oneof({ weight: 3, arbitrary: says }, { weight: 1, arbitrary: calls });

/** Tools: those that are called, and sometimes others or one twice. */
const exchange = fc
  .record({
    messages,
    answer,
    tools: fc.array(tool, { maxLength: 4 }),
    complete: fc.boolean(),
    parallel: fc.constantFrom(undefined, undefined, true, false),
  })
  .map(({ messages: said, answer: last, tools, complete, parallel }) => {
    const named = [...said, last].flatMap(
      (message) => (message as { tool_calls?: { function: { name: string } }[] }).tool_calls ?? [],
    );
    const missing = complete
      ? [...new Set(named.map((one) => one.function.name))].filter(
          (one) => !tools.some((each) => each.function.name === one),
        )
      : [];
    const all = [
      ...tools,
      ...missing.map((one, index) => ({
        type: 'function',
        function: {
          name: one,
          description: 'Does it',
          parameters: SCHEMAS[(index * 7 + named.length) % SCHEMAS.length],
        },
      })),
    ];
    return { said, last, all, parallel };
  });

/**
 * The lines of the log, each with its line end. Answers in prompts are logged as well, since many formats
 * train all of them. Every second conversation has a worse alternative to its last answer, for pairs.
 */
export function oddLog(seed: number, size: number): string {
  const lines: string[] = [];
  const exchanges = fc.sample(fc.tuple(exchange, answer), { seed, numRuns: size });
  for (const [number, [{ said, last, all, parallel }, worse]] of exchanges.entries()) {
    const more = {
      ...(all.length > 0 ? { tools: all } : {}),
      ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
    };
    const add = (id: string, prompt: readonly object[], message: object) => {
      const finish = 'tool_calls' in message ? 'tool_calls' : 'stop';
      const ts = new Date(Date.UTC(2026, 10, 24) + lines.length * 1000).toISOString();
      const [request, response] = [chat(prompt, more), answered(message, finish)];
      lines.push(line({ id, finish, ts, conversation: `odd-${number}`, request, response }));
    };
    const talk = [...said, last];
    for (const [index, message] of talk.entries())
      if ((message as { role?: string }).role === 'assistant')
        add(`odd-${number}-${index}`, talk.slice(0, index), message);
    if (number % 2 === 1) continue;
    add(`worse-${number}`, said, worse);
    const judge = (id: string, score: number) => lines.push(feedback(id, { score }, { key: 'team' }));
    judge(`odd-${number}-${said.length}`, 1);
    judge(`worse-${number}`, -1);
  }
  return lines.join('');
}
