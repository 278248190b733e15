/** Logs as crashes, other programs and unusual clients leave them. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { checkFiles } from '../../../src/export/check/check.ts';
import type { FormatName } from '../../../src/config/export/options.ts';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import type { Report } from '../../../src/export/report/report.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { says, workshop } from '../workshop.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } } };
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };

/** One record of each kind, as it is in the log. */
const RECORDS: readonly object[] = [
  line(),
  line({
    id: 'talk',
    request: chat([user('Hi'), { role: 'assistant', content: 'Hello' }, user('And now?')]),
  }),
  line({
    request: chat([{ role: 'system', content: 'Be brief.' }, user([{ type: 'text', text: 'See' }, image])], {
      tools: [tool('look')],
      metadata: { team: 'a' },
    }),
    response: answered({ content: null, tool_calls: [call('c1', 'look', '{"at":1}')] }, 'tool_calls'),
    user: 'u',
    tags: { team: 'a' },
  }),
  line({
    request: chat(
      [
        user('Weather?'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('c1', 'look', '{}'), call('c2', 'look', '{}')],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'rain' },
        { role: 'tool', tool_call_id: 'c2', content: 'sun' },
      ],
      { tools: [tool('look')] },
    ),
    response: answered({ content: 'Both.', reasoning_content: 'Hm.' }),
  }),
  line({
    endpoint: 'messages',
    finish: 'end_turn',
    request: {
      model: 'claude',
      system: [{ type: 'text', text: 'Be brief.' }],
      max_tokens: 9,
      tools: [{ name: 'look', input_schema: schema }],
      messages: [
        user('Weather?'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'tool_use', id: 't1', name: 'look', input: { city: 'SF' } },
          ],
        },
        user([{ type: 'tool_result', tool_use_id: 't1', content: 'rain' }]),
      ],
    },
    response: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'It rains.' }] },
  }),
  line({
    endpoint: 'responses',
    finish: 'completed',
    request: {
      model: 'gpt-5',
      instructions: 'Be brief.',
      tools: [{ type: 'function', name: 'look', parameters: schema }],
      input: [
        user('Weather?'),
        { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"city":"SF"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
      ],
    },
    response: {
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It rains.' }] }],
    },
  }),
  line({
    endpoint: 'completions',
    request: { model: 'm', prompt: 'Once', echo: true },
    response: { choices: [{ index: 0, text: 'Once upon', finish_reason: 'stop' }] },
  }),
  line({ endpoint: 'embeddings', finish: null, request: { input: 'x' }, response: { data: [] } }),
  line({
    endpoint: 'feedback',
    request: null,
    response: null,
    feedback: { request_id: 'talk', score: 1, correction: 'Better' },
  }),
  JSON.stringify({
    timestamp: '2024-09-11T10:00:00Z',
    level: 'INFO',
    message: 'Processing chat completion request',
    extra_data: { messages: [user('Hi')], response: 'Hello', model: 'gpt-3.5', provider: 'openai' },
  }),
  JSON.stringify({ messages: [user('Hi'), { role: 'assistant', content: 'Hello', weight: 0 }, user('x')] }),
  JSON.stringify({
    conversations: [
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ],
  }),
].map((text) => JSON.parse(text) as object);

/** More runs find rare cases, as in `FUZZ_RUNS=20000 bun test test/export/read/damage.slow.test.ts`. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 400);
const TIMEOUT_MS = 30_000 + RUNS * 150;

type Path = readonly (string | number)[];

/** All places within a value. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** A copy with another value at a place; `undefined` removes it. */
function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...(value as unknown[])]
    : { ...(value as object) };
  const inner = (copy as Record<string, unknown>)[key];
  (copy as Record<string, unknown>)[key] = replaced(inner, rest, by);
  return copy;
}

const nested = (depth: number, innermost: unknown) => {
  let value = innermost;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    '',
    ' ',
    'x',
    0,
    -1,
    1e308,
    [],
    {},
    [[]],
    [null],
    '\ud83d',
    '\0',
  ),
  fc.constantFrom('user', 'assistant', 'system', 'tool', 'function', 'stop', 'length', 'chat', '{"a":', '{}'),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer({ min: 50, max: 400 }).map((depth) => nested(depth, 'deep')),
);

/** Records in which some values are of other types. */
const mutated = fc
  .tuple(
    fc.constantFrom(...RECORDS),
    fc.array(fc.tuple(fc.nat(1_000_003), odd), { minLength: 1, maxLength: 3 }),
  )
  .map(([record, changes]) =>
    changes.reduce<unknown>((value, [place, by]) => {
      const paths = pathsOf(value);
      return replaced(value, paths[place % paths.length]!, by);
    }, record),
  )
  .map((value) => JSON.stringify(value) ?? 'null');

/** Each line that is not blank is counted once; two joined lines may be counted twice. */
function fates({ kept, filtered, dropped, bad, feedback }: Report): number {
  const sum = (counts: object) =>
    Object.values(counts).reduce<number>(
      (all, each: number | { count: number }) => all + (typeof each === 'number' ? each : each.count),
      0,
    );
  return kept + sum(filtered) + sum(dropped) + sum(bad) + feedback.lines;
}

async function violationsOf(path: string, name: FormatName): Promise<string[]> {
  const found: string[] = [];
  await checkFiles({
    inputs: [path],
    format: FORMATS[name],
    // Problems of the file as a whole, such as the number of rows, have no line.
    onViolation: ({ place, problem }) => {
      if (/:\d+$/.test(place)) found.push(`${place.split(':').at(-1)}: ${problem}`);
    },
  });
  return found;
}

describe('runExport()', () => {
  test(
    'produces valid rows from records with any value at any place, in every format',
    async () => {
      await using shop = await workshop();
      const extra = fc.constantFrom(
        '',
        '--redact all',
        '--metadata full',
        '--reasoning inline',
        '--max-tokens 9 --on-long trim-oldest',
        '--conversations turns --dedup none',
        '--near-dup 0.8',
        '--where status==200',
      );
      let kept = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(mutated, { minLength: 1, maxLength: 6 }),
          fc.constantFrom(...EXPORT_FORMATS),
          extra,
          async (records, format, more) => {
            writeFileSync(shop.path('logs/a.ndjson'), records.map((record) => `${record}\n`).join(''));
            const flags = more === '--metadata full' && !FORMATS[format].extras ? '' : more;
            const reasoning =
              flags === '--reasoning inline' && FORMATS[format].sampleKind !== 'sft' ? '' : flags;
            const { report } = await shop.run(`--force -f ${format} ${reasoning}`);
            // Ratings can produce several rows from a record.
            if (['sft', 'prompt'].includes(FORMATS[format].sampleKind))
              expect(fates(report)).toBe(report.lines + report.further_answers);
            kept += report.kept;
            if (report.kept > 0) expect(await violationsOf(shop.output, format)).toEqual([]);
          },
        ),
        { numRuns: RUNS },
      );
      expect(kept).toBeGreaterThan(20);
    },
    TIMEOUT_MS,
  );

  test('keeps every complete line beside damaged ones, and reports the position of these', async () => {
    const sound = fc
      .nat(1_000)
      .map((number) => ({ text: says(`answer ${number}`).trimEnd(), answer: `answer ${number}` }));
    const whole = says('never').trimEnd();
    const damaged = fc.oneof(
      fc.nat(whole.length - 2).map((length) => Buffer.from(whole.slice(0, length + 1))),
      fc.nat(whole.length - 2).map((length) => Buffer.from(whole.slice(length + 1))),
      fc.nat(9_000).map((length) => Buffer.alloc(length + 1)),
      fc
        .uint8Array({ minLength: 1, maxLength: 60 })
        .map((bytes) =>
          Buffer.from(
            bytes.map((byte) => (byte === 10 || byte === 13 || byte === 32 || byte === 9 ? 255 : byte)),
          ),
        ),
      fc
        .nat(whole.length - 3)
        .map((at) =>
          Buffer.concat([
            Buffer.from(whole.slice(0, at + 1)),
            Buffer.from([0xc3, 0x28]),
            Buffer.from(whole.slice(at + 1)),
          ]),
        ),
      fc
        .constantFrom(20_000, 200_000)
        .map((depth) => Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
      fc
        .constantFrom('null', '1e999', '"text"', '[]', '{}', '{"v":1}', '\u{feff}{}', 'not json')
        .map((text) => Buffer.from(text)),
    );
    await using shop = await workshop();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 2, arbitrary: sound }, { weight: 3, arbitrary: damaged }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('', '--model-filter gpt --successful-only --since 2020-01-01'),
        async (lines, end, flags) => {
          const bytes = lines.flatMap((each) => [
            Buffer.isBuffer(each) ? each : Buffer.from(each.text),
            Buffer.from(end),
          ]);
          writeFileSync(shop.path('logs/a.ndjson'), Buffer.concat(bytes));
          const { report } = await shop.run(`--force --dedup none ${flags}`);
          const expected = lines.flatMap((each) => (Buffer.isBuffer(each) ? [] : [each.answer]));
          expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(expected);
          expect(report.lines).toBe(lines.length);
          expect(fates(report)).toBe(lines.length + report.further_answers);
          const places = Object.values({ ...report.bad, ...report.dropped }).flatMap(
            ({ places: told }) => told,
          );
          for (const place of places) {
            const number = Number(/:(\d+)$/.exec(place)![1]);
            expect(Buffer.isBuffer(lines[number - 1])).toBe(true);
          }
        },
      ),
      { numRuns: RUNS / 2 },
    );
  });
});
