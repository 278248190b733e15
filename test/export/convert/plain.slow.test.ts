/**
 * Rows of plain chats are made from templates; they must equal the rows that general conversion makes of the same
 * lines.
 */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { FormatName } from '../../../src/config/export/options.ts';
import type { Plan } from '../../../src/export/convert/plan.ts';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { Converter } from '../../../src/export/convert/converter.ts';
import { PlainChats } from '../../../src/export/read/plain-chat.ts';
import { parseFlags } from '../../../src/export/options/flags.ts';
import { resolveSettings } from '../../../src/export/options/settings.ts';
import { HeadScan } from '../../../src/logs/head.ts';
import { answered, chat, line } from '../records.ts';

function planOf(args: string): Plan {
  const flags = parseFlags(['-o', 'out/', 'log.ndjson', ...args.split(' ').filter(Boolean)]);
  const env = { values: {}, inputs: [] };
  return resolveSettings({ flags, env, terminal: false, nowMs: 0, argv: [] }).plan;
}

/** Whether the line is recognized as a plain chat. */
function isPlain(text: string): boolean {
  const block = Buffer.from(text);
  return new PlainChats().over(block, new HeadScan(block)).read(0, block.length - 1) !== undefined;
}

/** The same line with an unknown field, which forces general conversion. */
const usual = (text: string) => `${text.slice(0, text.lastIndexOf('}'))},"other":1}\n`;

/**
 * Texts with everything that affects a decision: edges, escapes, other scripts, reasoning, words of templates, and what
 * is redacted.
 */
const words = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((s) => `w${s}w`) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\u3000',
      ' a ',
      'a\n',
      '\na\n\nb',
      'a\tb\\"',
      '東京',
      '\u3000東京\ufeff',
      '<think>x</think>y',
      'x\n</think>y',
      '<tool_response>x</tool_response>',
      '<|im_end|>',
      '<|endoftext|>',
      'Human: a\nAssistant: b',
      '{"role":"user"}',
      '\ud83d',
      '\u007f\u2028',
      '/\b\f\r\u0001',
      'Mail jane@example.org',
      'My SSN is 536-22-4918',
    ),
  },
);
const message = fc.record(
  {
    role: fc.constantFrom('user', 'user', 'assistant', 'system', 'developer', 'tool', 1),
    content: fc.oneof({ weight: 20, arbitrary: words }, fc.constantFrom(null, [{ type: 'text', text: 'a' }])),
    refusal: fc.constant(null),
    tool_calls: fc.constant([]),
    name: fc.constantFrom(null, 'Ada'),
  },
  { requiredKeys: ['role', 'content'] },
);
const talk = fc.oneof(
  fc.array(message, { maxLength: 5 }),
  fc.tuple(words, fc.array(fc.tuple(words, words), { maxLength: 2 }), words).map(([system, turns, last]) => [
    { role: 'system', content: system },
    ...turns.flatMap(([a, b]) => [
      { role: 'user', content: a },
      { role: 'assistant', content: b },
    ]),
    { role: 'user', content: last },
  ]),
);
const seldom = <T extends object>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: value });
const exchange = fc.record({
  messages: talk,
  answer: fc.record(
    {
      content: words,
      refusal: fc.constantFrom(null, null, null, 'No.'),
      annotations: fc.constant([]),
      audio: fc.constant(null),
    },
    { requiredKeys: ['content'] },
  ),
  asked: seldom(
    fc.record(
      {
        temperature: fc.double({ noNaN: true, noDefaultInfinity: true }),
        stop: fc.constantFrom(null, 'x', ['x', 'y']),
        user: fc.constant('u'),
        tools: fc.constantFrom([], null, [{ type: 'function', function: { name: 'f' } }]),
        parallel_tool_calls: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  ),
  record: seldom(
    fc.record(
      {
        id: fc.constantFrom('req_1', 'req_ü'),
        key: fc.constantFrom(null, 'team-a'),
        conversation: fc.constantFrom(null, 'c1', 'cü'),
        user: fc.constantFrom(null, 'u'),
        input_tokens: fc.constantFrom(null, 0, 12, 2 ** 40),
        finish: fc.constantFrom('stop', 'length', 'refusal', null),
        latency_ms: fc.constantFrom(0, 1.5, 1e21),
      },
      { requiredKeys: [] },
    ),
  ),
  style: fc.constantFrom('tight', 'tight', 'spaced', 'escaped'),
});

/** JSON as other clients write it. */
function styled(text: string, style: string): string {
  if (style === 'escaped')
    return text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return style === 'spaced' ? text.replaceAll('"role":', '"role" : ').replaceAll('},{', '}, {') : text;
}

const logLine = exchange.map(({ messages, answer, asked, record, style }) => {
  const text = line({ request: chat(messages, asked), response: answered(answer, 'stop'), ...record });
  return `${styled(text.trimEnd(), style)}\n`;
});

/** A line in which a byte is changed, or a piece is repeated or missing. */
const damaged = fc
  .tuple(logLine, fc.nat(), fc.nat(40), fc.constantFrom('byte', 'twice', 'gone'), fc.nat(255))
  .map(([text, at, length, how, byte]) => {
    const bytes = Buffer.from(text);
    const from = at % (bytes.length - 1);
    const to = Math.min(bytes.length - 1, from + length);
    const middle =
      how === 'byte' ? Buffer.of(byte) : how === 'twice' ? bytes.subarray(from, to) : Buffer.alloc(0);
    const after = how === 'twice' ? from : how === 'gone' ? to : from + 1;
    return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(after)]).toString('latin1');
  });

async function converted(text: string, plan: Plan, encoding: BufferEncoding = 'utf8') {
  const converter = await Converter.create(plan);
  const { text: rows, ...columns } = converter.convert([new Uint8Array(Buffer.from(text, encoding))]);
  return { ...columns, rows: Buffer.from(rows).toString('utf8') };
}

const FLAGS = [
  '',
  '--successful-only --conversations turns',
  '--merge-turns --refusals content --reasoning drop',
  '--near-dup 0.8 --split train=0.5,test=0.5',
  '--redact all',
  '--redact email --redact-pattern w=w+',
];

/** What stages of an export request in addition. */
const ROOTS = [{}, { roots: 'contents' }, { roots: 'prompts' }] as const;

describe.each(EXPORT_FORMATS)('%s', (format: FormatName) => {
  test('has the same rows from templates as from general conversion', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(logLine, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...FLAGS),
        fc.constantFrom(...ROOTS),
        async (lines, args, roots) => {
          plain += lines.filter(isPlain).length;
          const plan = { ...planOf(`-f ${format} ${args}`), ...roots };
          expect(await converted(lines.join(''), plan)).toEqual(
            await converted(lines.map(usual).join(''), plan),
          );
        },
      ),
      { numRuns: 120 },
    );
    expect(plain).toBeGreaterThan(5);
  });
});

test('a damaged line is not recognized as a plain chat if it is not a record', async () => {
  const plan = planOf('-f trl');
  await fc.assert(
    fc.asyncProperty(damaged, async (text) => {
      if (!text.endsWith('}\n')) return;
      expect(await converted(text, plan, 'latin1')).toEqual(await converted(usual(text), plan, 'latin1'));
    }),
    { numRuns: 1_500 },
  );
});

/** The line with a piece of its text replaced by another. */
const edited = (before: string, after: string) => line().replace(before, after);

test.each([
  ['a duplicate role', edited('"role":"user"', '"role":"assistant","role":"user"')],
  ['a duplicate text', edited('"content":"Hi"', '"content":"Hi","content":"Ho"')],
  ['duplicate messages', edited('"messages":', '"messages":[{"role":"user","content":"Ho"}],"messages":')],
  [
    'a duplicate request',
    edited('"request":', '"request":{"messages":[{"role":"user","content":"Ho"}]},"request":'),
  ],
  [
    'choices twice',
    edited('"choices":', '"choices":[{"message":{"role":"assistant","content":"Ho"}}],"choices":'),
  ],
  [
    'two choices',
    edited('"choices":[', '"choices":[{"index":1,"message":{"role":"assistant","content":"Ho"}},'),
  ],
  ['no answer', edited('"message":', '"delta":')],
  ['parts', edited('"content":"full"', '"parts":[],"content":"full"')],
])('a line goes through general conversion if it has %s', async (_, text) => {
  expect(isPlain(line())).toBe(true);
  expect(isPlain(text)).toBe(false);
  const plan = planOf('-f trl --successful-only');
  expect(await converted(text, plan)).toEqual(await converted(usual(text), plan));
});

test('a line with text after its record counts as bad', async () => {
  const { bad } = await converted(`${line().trimEnd()}x\n`, planOf('-f trl'));
  expect([...bad]).toEqual([['not_json', 1]]);
});
