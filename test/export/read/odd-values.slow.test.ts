/** Values that are valid in a log, but could break a dataset, or the export, for all other rows. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { numberProblem } from '../../../src/export/check/numbers.ts';
import { checkFiles } from '../../../src/export/check/check.ts';
import { reasonOf } from '../../../src/export/convert/converter.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { says, workshop } from '../workshop.ts';

/** Special tokens of OpenAI's vocabularies and of open models, and similar text. */
const SPECIAL = `
  <|endoftext|> <|endofprompt|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|im_start|> <|im_end|>
  <|im_sep|> <|start|> <|end|> <|message|> <|channel|> <|return|> <|call|>
  <|constrain|> <|startoftext|> <|reserved_200013|> <|eot_id|> <|start_header_id|> <|begin_of_text|> <s>
  </s> [INST] <unk> <pad> <eos> <|a|>
`
  .trim()
  .split(/\s+/);

/** The formats that include tools. */
const TOOL_FORMATS: readonly FormatName[] = [
  'openai',
  'trl',
  'trl-pc',
  'together',
  'fireworks',
  'mistral',
  'gemini',
  'bedrock',
  'sharegpt',
  'axolotl',
  'text',
];

test.each(['--count-tokens', '--max-tokens 500', '--max-tokens 500 --on-long trim-oldest'])(
  'special tokens of tokenizers are ordinary text with %s',
  async (flags) => {
    const log = SPECIAL.map((text, n) =>
      line({
        id: `r${n}`,
        request: chat([user(`What is ${text}?`)], { tools: [tool(`f${n}`)] }),
        response: answered({ content: `${text} is a token.`, tool_calls: [call('c', `f${n}`, { a: text })] }),
        input_tokens: null,
        output_tokens: null,
      }),
    );
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    const { report } = await shop.run(`-f trl --dedup none ${flags}`);
    expect([report.kept, report.dropped]).toEqual([SPECIAL.length, {}]);
  },
);

test('a record that causes an exception is left out, and the others are not', () => {
  expect(reasonOf(new TypeError('No default value'))).toBe('unreadable');
  expect(reasonOf(new RangeError('Maximum call stack size exceeded'))).toBe('too_deep');
});

describe('any field of any type', () => {
  const ODD: unknown[] = [
    {},
    { toString: 1 },
    [{ type: { toString: 1 } }],
    { toString: null, valueOf: null },
    [[]],
    9e15,
    '',
    true,
    null,
  ];
  const chatLine = JSON.parse(line({ request: chat([user('Hi')], { tools: [tool('f')] }) }));
  const messagesLine = JSON.parse(
    line({
      endpoint: 'messages',
      finish: 'end_turn',
      request: {
        model: 'm',
        max_tokens: 9,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      },
      response: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
      },
    }),
  );
  const responsesLine = JSON.parse(
    line({
      endpoint: 'responses',
      request: { model: 'm', input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] },
      response: {
        id: 'r',
        status: 'completed',
        output: [
          { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'Hello' }] },
        ],
      },
    }),
  );

  const pythonLine = {
    timestamp: '2026-01-01T00:00:00Z',
    level: 'INFO',
    message: 'x',
    extra_data: {
      messages: [{ role: 'user', content: 'Hi' }],
      response: { choices: [{ message: { role: 'assistant', content: 'A' }, finish_reason: 'stop' }] },
      status: 200,
    },
  };

  /** Every place in a value. */
  function* places(value: unknown, way: (string | number)[] = []): Generator<(string | number)[]> {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      yield [...way, key];
      yield* places((value as Record<string | number, unknown>)[key], [...way, key]);
    }
  }

  function put(record: unknown, way: readonly (string | number)[], value: unknown): string {
    const copy = structuredClone(record) as Record<string | number, unknown>;
    const parent = way.slice(0, -1).reduce((at, key) => at[key] as typeof copy, copy);
    parent[way.at(-1)!] = value;
    // With a long number, because of which the line is parsed again, number by number.
    return `${JSON.stringify(copy).slice(0, -1)},"zzz":12345678901234567}\n`;
  }

  test.each([
    ['a chat', chatLine],
    ['Messages', messagesLine],
    ['Responses', responsesLine],
    ['the Python proxy', pythonLine],
    [
      'ShareGPT',
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'gpt', value: 'b' },
        ],
        tools: '',
        system: 's',
      },
    ],
    ['Alpaca', { instruction: 'a', input: 'b', output: 'c', system: 's', history: [['a', 'b']] }],
    [
      'TRL',
      {
        prompt: [{ role: 'user', content: 'a' }],
        completion: [{ role: 'assistant', content: 'b' }],
        label: true,
      },
    ],
  ])('does not end an export of %s', async (_, record) => {
    const log = [...places(record)].flatMap((way) => ODD.map((value) => put(record, way, value)));
    await using shop = await workshop({ 'a.ndjson': log.join('') + says('sound') });
    for (const flags of ['-f trl --metadata full --redact all', '-f openai --count-tokens', '-f bedrock']) {
      const { report } = await shop.run(`${flags} --dedup none --conversations turns --force`);
      expect([report.lines, report.dropped.unreadable]).toEqual([log.length + 1, undefined]);
      expect(report.kept).toBeGreaterThan(0);
    }
  });
});

describe('numbers that datasets cannot hold', () => {
  const raw = (number: string, schema = '1') =>
    line({
      request: chat([user('Hi')], { tools: [tool('f')] }),
      response: answered({ content: null, tool_calls: [call('c', 'f', '@ARGS')] }, 'tool_calls'),
      finish: 'tool_calls',
    })
      .replace('"@ARGS"', JSON.stringify(`{"n":${number}}`))
      .replace('"properties":{}', `"properties":{"n":{"maximum":${schema}}}`);

  test.each([
    ['18446744073709551615', '18446744073709551615'],
    ['9223372036854775807', '9223372036854775807'],
    ['18446744073709551616', '1.8446744073709552e+19'],
    ['100000000000000000000', '1e+20'],
    ['-9223372036854775809', '-9.223372036854776e+18'],
    ['999999999999999999999999', '1e+24'],
  ])('%s becomes %s as a number in arguments and schemas', async (number, written) => {
    await using shop = await workshop({ 'a.ndjson': raw(number, number) });
    for (const format of ['trl', 'bedrock', 'trl --corrections'] as const) {
      await shop.run(`-f ${format} --force`);
      const text = readFileSync(shop.output, 'utf8');
      expect(text).toContain(`"maximum":${written}`);
      expect(text).toContain(`{"n":${written}}`);
    }
    await shop.run('-f openai --force');
    // If arguments are text, they stay as the model wrote them.
    expect(readFileSync(shop.output, 'utf8')).toContain(`{\\"n\\":${number}}`);
    const problems: string[] = [];
    const checking = {
      format: FORMATS.openai,
      onViolation: ({ problem }: { problem: string }) => problems.push(problem),
    };
    await checkFiles({ inputs: [shop.output], ...checking });
    expect(problems.filter((problem) => problem.includes('64 bits'))).toEqual([]);
  });

  test('are widened in results that are objects, in metadata and in complete records too', async () => {
    const log = line({
      request: chat(
        [
          user('Hi'),
          {
            role: 'assistant',
            content: null,
            tool_calls: [call('c', 'f', '{"a":1e20,"b":100000000000000000000}')],
          },
          { role: 'tool', tool_call_id: 'c', content: '{"n":1e20}' },
        ],
        { tools: [tool('f')] },
      ),
      latency_ms: 1e20,
    });
    await using shop = await workshop({ 'a.ndjson': log });
    for (const flags of [
      '-f gemini',
      '-f trl --metadata full',
      '-f bedrock',
      '--export-all',
      '-f axolotl --metadata full',
    ]) {
      await shop.run(`${flags}${flags === '--export-all' ? '' : ' --unlogged-turns keep'} --force`);
      const text = readFileSync(shop.output, 'utf8');
      expect([flags, numberProblem(text), text.length > 10]).toEqual([flags, undefined, true]);
    }
  });

  test.each(['1e400', '-1e999', `1${'0'.repeat(400)}`])('%s at any place produces no row', async (number) => {
    const messages = line({
      endpoint: 'messages',
      finish: 'tool_use',
      request: {
        model: 'm',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'go' }],
        tools: [{ name: 'f', input_schema: { type: 'object' } }],
      },
      response: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't', name: 'f', input: { n: '@' } }],
        stop_reason: 'tool_use',
      },
    }).replace('"@"', number);
    const before = messages
      .replace(
        '"messages":[{"role":"user","content":"go"}]',
        `"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"n":[${number}]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}]`,
      )
      .replace(`"input":{"n":${number}}`, '"input":{}');
    await using shop = await workshop({ 'a.ndjson': raw(number) + messages + before + raw('1', number) });
    const { report } = await shop.run('-f trl');
    expect([
      report.kept,
      report.dropped.invalid_tool_call?.count,
      report.dropped.invalid_tool?.count,
    ]).toEqual([0, 3, 1]);
  });

  test.each([
    ['{"text":"a","metadata":{"n":18446744073709551616}}', 'of more than 64 bits'],
    ['{"text":"a","metadata":{"n":[-9223372036854775809]}}', 'of more than 64 bits'],
    ['{"text":"a","metadata":{"n":123456789012345678901.5}}', 'of more than 64 bits'],
    ['{"text":"a","metadata":{"n":1e400}}', 'too large, such as 1e400'],
    [
      '{"text":"a","metadata":{"n":18446744073709551615,"m":1e20,"s":"100000000000000000000, 1e400"}}',
      undefined,
    ],
  ])('--check reports for %s: %p', async (row, problem) => {
    await using shop = await workshop({ 'a.jsonl': `${row}\n` });
    const found: string[] = [];
    await checkFiles({
      inputs: [shop.path('logs/a.jsonl')],
      format: FORMATS.text,
      onViolation: (violation) => found.push(violation.problem),
    });
    expect(found).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
  });
});

test.each(TOOL_FORMATS)('a row of %s passes its own check, whatever a tool returned', async (format) => {
  const deep = `${'{"a":['.repeat(40)}1${']}'.repeat(40)}`;
  const records = [' \n', '\u00a0', deep, '{}', '[]', 'null', '1e400', '{"n":123456789012345678901}'].map(
    (content, index) =>
      line({
        request: chat(
          [
            user(String(index)),
            { role: 'assistant', content: null, tool_calls: [call('c', 'f', '{}'), call('d', 'f', '{}')] },
            { role: 'tool', tool_call_id: 'c', content },
            { role: 'tool', tool_call_id: 'd', content },
          ],
          { tools: [tool('f')] },
        ),
      }),
  );
  await using shop = await workshop({ 'a.ndjson': records.map((record) => `${record}\n`).join('') });
  expect((await shop.run(`-f ${format} --unlogged-turns keep`)).report.kept).toBe(records.length);
  const found: string[] = [];
  await checkFiles({
    inputs: [shop.output],
    format: FORMATS[format],
    onViolation: ({ place, problem }) => /:\d+$/.test(place) && found.push(`${place.slice(-2)} ${problem}`),
  });
  expect(found).toEqual([]);
});

test('an invalid type does not produce an invalid tool for Gemini', async () => {
  const properties = {
    a: { description: 'd', type: 'string' },
    b: { type: 'dict' },
    c: { type: 'array', items: { type: 'Any' } },
  };
  const offered = { ...tool('f'), function: { name: 'f', parameters: { type: 'object', properties } } };
  await using shop = await workshop({
    'a.ndjson': line({ request: chat([user('Hi')], { tools: [offered] }) }),
  });
  await shop.run('-f gemini');
  expect(readFileSync(shop.output, 'utf8')).toContain(
    '{"a":{"description":"d","type":"STRING"},"b":{},"c":{"type":"ARRAY","items":{}}}',
  );
});

test.each(['exclude', 'content', 'keep'])(
  'a refusal without text does not count, with --refusals %s',
  async (refusals) => {
    const log = [
      { content: 'Yes.', refusal: ' ' },
      { content: null, refusal: '\n' },
      { content: null, refusal: 'No.' },
    ]
      .map((message) => line({ response: answered(message) }))
      .join('\n');
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run(`-f openai --refusals ${refusals}`);
    expect(shop.rows()[0]!.messages[1]).toEqual({ role: 'assistant', content: 'Yes.' } as never);
    expect([report.kept, report.dropped.no_answer?.count]).toEqual([refusals === 'exclude' ? 1 : 2, 1]);
  },
);

describe('an unpaired surrogate', () => {
  const HALF = '\ud83d';
  /** JSON in JSON in JSON. */
  const NESTED = JSON.stringify({
    a: JSON.stringify([HALF, '\\ud83d is no escape']).replace('ud83d"', 'uD83D"'),
  });
  const record = line({
    request: chat(
      [
        user(`a${HALF}`),
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('c', 'f', { [`k${HALF}`]: HALF }), call('d', 'f', JSON.stringify({ x: NESTED }))],
        },
        { role: 'tool', tool_call_id: 'c', content: JSON.stringify({ r: HALF, n: NESTED }) },
        { role: 'tool', tool_call_id: 'd', content: `b${HALF}` },
      ],
      {
        tools: [
          { type: 'function', function: { name: 'f', description: HALF, parameters: { [HALF]: HALF } } },
        ],
      },
    ),
    response: answered(
      { content: null, tool_calls: [call('e', 'f', JSON.stringify({ x: HALF }))] },
      'tool_calls',
    ),
    finish: 'tool_calls',
  });

  test.each<[FormatName, (row: string) => string[]]>([
    ['openai', (row) => argumentsIn(row)],
    ['axolotl', (row) => argumentsIn(row)],
    ['mistral', (row) => argumentsIn(row)],
    ['trl', () => []],
    ['gemini', () => []],
    ['bedrock', () => []],
    [
      'sharegpt',
      (row) => {
        const { conversations, tools } = JSON.parse(row) as {
          conversations: { from: string; value: string }[];
          tools: string;
        };
        return [tools, ...conversations.flatMap(({ from, value }) => (from === 'human' ? [] : [value]))];
      },
    ],
    [
      'text',
      (row) =>
        [...(JSON.parse(row) as { text: string }).text.matchAll(/<(?:tools|tool_call)>\n(.*)\n<\//g)].map(
          ([, json]) => json!,
        ),
    ],
  ])('is well-formed at every level of a row in the format %s', async (format, parsedIn) => {
    await using shop = await workshop({ 'a.ndjson': record });
    expect((await shop.run(`-f ${format} --unlogged-turns keep`)).report.kept).toBe(1);
    const row = readFileSync(shop.output, 'utf8');
    const texts = [row, ...parsedIn(row)];
    expect(texts.length).toBeGreaterThan(['trl', 'gemini', 'bedrock'].includes(format) ? 0 : 2);
    for (const text of texts) expect(isWellFormed(JSON.parse(text))).toBe(true);
    const found: string[] = [];
    await checkFiles({
      inputs: [shop.output],
      format: FORMATS[format],
      onViolation: ({ problem }) => found.push(problem),
    });
    expect(found.filter((problem) => problem.includes('surrogate'))).toEqual([]);
  });

  function argumentsIn(row: string): string[] {
    return [...row.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(
      ([, text]) => JSON.parse(text!) as string,
    );
  }

  function isWellFormed(value: unknown): boolean {
    if (typeof value === 'string')
      return value.isWellFormed() && (!/^[[{]"/.test(value) || isWellFormed(JSON.parse(value)));
    if (typeof value !== 'object' || value === null) return true;
    return Object.entries(value).every(([key, each]) => key.isWellFormed() && isWellFormed(each));
  }

  test('is found by --check within JSON text that trainers parse', async () => {
    const rows = [
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'gpt', value: 'b' },
        ],
        tools: '[{"name":"f","description":"\\ud83d","parameters":{"properties":{}}}]',
      },
      {
        conversations: [
          { from: 'human', value: 'a' },
          { from: 'function_call', value: '{"name":"f","arguments":{"\\udc00":1}}' },
        ],
        tools: '',
      },
      {
        conversations: [
          { from: 'human', value: '["\\ud83d is read by nobody"]' },
          { from: 'gpt', value: 'b' },
        ],
        tools: '',
      },
    ];
    await using shop = await workshop({ 'a.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join('') });
    const found: string[] = [];
    await checkFiles({
      inputs: [shop.path('logs/a.jsonl')],
      format: FORMATS.sharegpt,
      onViolation: ({ place, problem }) => found.push(`${place.slice(-1)} ${problem.slice(0, 30)}`),
    });
    expect(found).toEqual(
      ['1 holds half of a surrogate pair', '2 holds half of a surrogate pair'].map((text) =>
        text.slice(0, 32),
      ),
    );
  });
});
