/** The filter of the page: the requests shown are those that the displayed command exports. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compileWhere } from '../../src/export/read/where.ts';
import { parseFlags } from '../../src/export/options/flags.ts';
import { resolveSettings } from '../../src/export/options/settings.ts';
import { factsOf } from '../../src/export/read/entry.ts';
import { compileSelection } from '../../src/export/read/selection.ts';
import { FORMATS } from '../../src/export/render/all.ts';
import { FORMAT_GROUPS } from '../../src/web/dataset/formats.ts';
import { exportArguments, shellCommand } from '../../src/web/filter/command.ts';
import { expressionOf } from '../../src/web/filter/expression.ts';
import { matcher } from '../../src/web/filter/matches.ts';
import { parseFilter } from '../../src/web/filter/parse.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const RECORDS = [
  logRecord({ id: 'r1', model: 'GPT-4o', provider: 'azure', key: null, tags: { team: 'Search' }, cost: 0.5 }),
  logRecord({
    id: 'r2',
    model: 'gpt-4o-mini',
    upstream_model: null,
    provider: null,
    outcome: 'error',
    status: 503,
    fault: 'overloaded',
    finish: null,
    cost: null,
    input_tokens: null,
    output_tokens: null,
    attempts: 3,
  }),
  logRecord({
    id: 'r3',
    model: 'claude "x"',
    key: 'web-app',
    stream: true,
    latency_ms: 4_000,
    first_content_ms: 700,
    labels: { env: 'prod' },
    user: "o'neill",
  }),
  logRecord({
    id: 'r4',
    outcome: 'client_abort',
    status: 499,
    tags: {},
    group: 'g-1',
    conversation: 'c 1',
    input_tokens: 20_000,
  }),
  logRecord({ id: 'r5', outcome: 'truncated', fault: 'timeout_idle', status: 200, cost: 0 }),
];

/** The records as read from a log. */
const HEADS = RECORDS.map((record) => JSON.parse(encodeRecord(record)) as JsonObject);

const found = (text: string) => HEADS.filter(matcher(parseFilter(text))).map(({ id }) => id as string);

test.each([
  ['gpt', ['r1', 'r2']],
  ['model:GPT-4o-m', ['r2']],
  ['model=GPT-4o', ['r1']],
  ['failed', ['r2', 'r4', 'r5']],
  ['-failed stream', ['r3']],
  ['-provider:azure -stream', ['r2', 'r4', 'r5']],
  ['status:5xx', ['r2']],
  ['status:499', ['r4']],
  ['status:>=499', ['r2', 'r4']],
  ['latency:>2s', ['r3']],
  ['first:<1s', ['r3']],
  ['in:>10k', ['r4']],
  ['cost:>$0.01', ['r1']],
  ['cost:0', ['r5']],
  ['-cost:>=0', ['r2']],
  ['attempts:>1', ['r2']],
  ['tag.team:sea', ['r1']],
  ['tag.team=search', []],
  ['label.env=prod', ['r3']],
  ['fault:timeout', ['r5']],
  ['"c 1"', ['r4']],
  ['group=g-1 outcome:abort', ['r4']],
  ['upstream:small-1 key=team', ['r4', 'r5']],
  ['', ['r1', 'r2', 'r3', 'r4', 'r5']],
])('matcher() finds %p', (text, ids) => expect(found(text)).toEqual(ids));

test.each([
  ['wat:x', 'wat is not a field'],
  ['status:x', 'status: expected a number, such as status:429, status:5xx'],
  ['cost:5xx', 'cost: expected a number'],
  ['model:', 'model: needs a value'],
  ['x'.repeat(501), 'longer than 500 characters'],
  [Array.from({ length: 21 }, () => 'x').join(' '), 'more than 20 words'],
])('parseFilter(%p) says what it cannot read', (text, problem) => {
  expect(parseFilter(text).problems).toEqual([problem]);
});

const WORDS = [
  'gpt',
  'failed',
  'stream',
  'model:g',
  'model=GPT-4o',
  'model="claude x"',
  'upstream:small',
  'provider:azure',
  'provider=azure',
  'key=web-app',
  'key:e',
  'group:g',
  'user:neill',
  `user="o'neill"`,
  'id=r3',
  'conversation:1',
  'endpoint=chat',
  'outcome:err',
  'fault:over',
  'finish=stop',
  'status:5xx',
  'status:200',
  'status:>=400',
  'cost:>0.01',
  'cost:<=0',
  'latency:>2s',
  'first:<=700',
  'in:<10',
  'out:5',
  'attempts:>1',
  'tag.team:sea',
  'tag.team=Search',
  'label.env=prod',
  'tag."a b":x',
  "it's",
  '\\"',
  'a*',
];
const filters = fc
  .array(fc.tuple(fc.boolean(), fc.constantFrom(...WORDS)), { maxLength: 5 })
  .map((words) => words.map(([negated, word]) => (negated ? `-${word}` : word)).join(' '));

describe('what a filter shows', () => {
  test('equals the result of its CEL expression', () => {
    fc.assert(
      fc.property(filters, (text) => {
        const filter = parseFilter(text);
        const expression = expressionOf(filter);
        const where = expression === '' ? { matches: () => true } : compileWhere(expression);
        expect(HEADS.filter((head) => where.matches(head)).map(({ id }) => id as string)).toEqual(
          found(text),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('equals what its command exports', () => {
    fc.assert(
      fc.property(filters, (text) => {
        const args = exportArguments(parseFilter(text), {
          format: 'openai',
          successfulOnly: false,
          redact: false,
        });
        const sources = { env: { values: {}, inputs: [] }, terminal: false, nowMs: 0, argv: args };
        const { selection } = resolveSettings({ ...sources, flags: parseFlags(args) }).plan;
        const { where } = selection;
        const wanted = compileSelection(selection, where === undefined ? undefined : compileWhere(where));
        const kept = HEADS.filter((head) => wanted.entry(factsOf(head)!, head) === undefined);
        expect(kept.map(({ id }) => id as string)).toEqual(found(text));
      }),
      { numRuns: 300 },
    );
  });
});

test('the formats of the page are those of the export', () => {
  const shown = Object.values(FORMAT_GROUPS).flatMap((formats) => Object.keys(formats));
  expect(shown.toSorted()).toEqual([...Object.keys(FORMATS), 'raw'].toSorted());
});

test('shellCommand() quotes what a shell would interpret', async () => {
  const args = ['a', "it's", '$HOME `x` "y"', '--where', 'a && !b', ''];
  const { stdout } = Bun.spawnSync(['sh', '-c', `printf '%s\\n' ${shellCommand(args)}`]);
  expect(stdout.toString().split('\n').slice(0, -1)).toEqual(args);
});
