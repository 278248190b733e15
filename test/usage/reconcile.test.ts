import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../../src/logs/record.ts';
import { readBill } from '../../src/usage/bills.ts';
import { decodeCsv, parseCsv } from '../../src/usage/csv.ts';
import { plainModel, reconcile } from '../../src/usage/reconcile.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const directory = mkdtempSync(join(tmpdir(), 'llmproxy-reconcile-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const bill = (text: string) => readBill('bill.csv', parseCsv(text));

test.each([
  [
    'a,b\r\n1,"x, ""y""\nz"\n\n3,\n',
    [
      ['a', 'b'],
      ['1', 'x, "y"\nz'],
      ['3', ''],
    ],
  ],
  ['\uFEFFa\r1', [['a'], ['1']]],
  [
    'a,b"c,d\n"e" f,g',
    [
      ['a', 'b"c', 'd'],
      ['"e" f', 'g'],
    ],
  ],
  ['a,', [['a', '']]],
  [
    '\uFEFFa;b\r\n"x;y";0,5\r\n',
    [
      ['a', 'b'],
      ['x;y', '0,5'],
    ],
  ],
  [
    'a\tb\n1,5\t;\n',
    [
      ['a', 'b'],
      ['1,5', ';'],
    ],
  ],
  ['', []],
])('parseCsv(%j)', (text, rows) => expect(parseCsv(text)).toEqual(rows));

const OPENAI_COSTS =
  'start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,project_id\n' +
  '1,2,2026-03-03T00:00:00+00:00,2026-03-04T00:00:00+00:00,,,,,,\n' +
  '1,2,2026-03-04T00:00:00,2026-03-05T00:00:00,0.5,usd,1000,tokens,"gpt-4o-2024-08-06, input_tokens",p\n' +
  '1,2,2026-03-04T00:00:00,2026-03-05T00:00:00,0.25,usd,200,tokens,"gpt-4o-2024-08-06, output_tokens",p\n';
const OPENAI_USAGE =
  'start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,input_cached_tokens\n' +
  '1,2,2026-03-04T00:10:00+00:00,x,p,3.0,gpt-4o-2024-08-06,4212,1673,0\n';
const ANTHROPIC_COSTS =
  'usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed\n' +
  '2026-03-04,Claude Sonnet 4.5,Default,k,message,≤ 200k,input_no_cache,1.50,1.60,token,global,\n' +
  '2026-03-04,Claude Sonnet 4.5,Default,k,message,≤ 200k,output,0.50,0.50,token,global,\n';
const ANTHROPIC_USAGE =
  'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count\n' +
  '2026-03-04,claude-sonnet-4-5-20250929,k,Default,standard,≤ 200k,100,20,3,1000,55,0\n';
const OPENROUTER_CALLS =
  'generation_id,created_at,cost_total,cost_cache,tokens_prompt,tokens_completion,tokens_cached,model_permaslug,cancelled\n' +
  'gen-1,2026-03-04 10:00:00.1,0.25,0,100,50,0,deepseek/deepseek-v3,false\n' +
  'gen-2,2026-03-04 23:59:59.9,0.5,0,10,5,0,deepseek/deepseek-v3,true\n';
const OPENROUTER_DAYS =
  'Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n' +
  '"2026-03-04 00:00:00","deepseek/deepseek-v3","$1,430.07","0","4115","70965665","3009973","0"\n';

test.each([
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-8', []],
])('decodeCsv() reads %s after %p', (encoding, mark) => {
  const text = 'a,b\nü,2\n';
  const little = encoding === 'utf-8' ? Buffer.from(text) : Buffer.from(text, 'utf16le');
  const bytes = Buffer.from([...mark, ...(encoding === 'utf-16be' ? little.swap16() : little)]);
  expect(parseCsv(decodeCsv(bytes))).toEqual([
    ['a', 'b'],
    ['ü', '2'],
  ]);
});

describe('readBill()', () => {
  const day = '2026-03-04';
  test.each([
    [
      'openai',
      OPENAI_COSTS,
      [
        {
          day,
          model: 'gpt-4o-2024-08-06',
          requests: null,
          input_tokens: 1_000,
          output_tokens: null,
          cost: 0.5,
        },
        {
          day,
          model: 'gpt-4o-2024-08-06',
          requests: null,
          input_tokens: null,
          output_tokens: 200,
          cost: 0.25,
        },
      ],
    ],
    [
      'openai',
      OPENAI_USAGE,
      [
        {
          day,
          model: 'gpt-4o-2024-08-06',
          requests: 3,
          input_tokens: 4_212,
          output_tokens: 1_673,
          cost: null,
        },
      ],
    ],
    [
      'anthropic',
      ANTHROPIC_COSTS,
      [
        {
          day,
          model: 'Claude Sonnet 4.5',
          requests: null,
          input_tokens: null,
          output_tokens: null,
          cost: 1.5,
        },
        {
          day,
          model: 'Claude Sonnet 4.5',
          requests: null,
          input_tokens: null,
          output_tokens: null,
          cost: 0.5,
        },
      ],
    ],
    [
      'anthropic',
      ANTHROPIC_USAGE,
      [
        {
          day,
          model: 'claude-sonnet-4-5-20250929',
          requests: null,
          input_tokens: 1_123,
          output_tokens: 55,
          cost: null,
        },
      ],
    ],
    [
      'openrouter',
      OPENROUTER_CALLS,
      [
        { day, model: 'deepseek/deepseek-v3', requests: 1, input_tokens: 100, output_tokens: 50, cost: 0.25 },
        { day, model: 'deepseek/deepseek-v3', requests: 1, input_tokens: 10, output_tokens: 5, cost: 0.5 },
      ],
    ],
    [
      'openrouter',
      OPENROUTER_DAYS,
      [
        {
          day,
          model: 'deepseek/deepseek-v3',
          requests: 4_115,
          input_tokens: 70_965_665,
          output_tokens: 3_009_973,
          cost: 1_430.07,
        },
      ],
    ],
  ] as const)('reads a file from %s', (vendor, text, rows) => {
    expect(bill(text)).toMatchObject({ vendor, rows, unreadable: 0 });
  });

  const costs = (cells: string) =>
    bill(`start_time_iso,amount_value,amount_currency,line_item\n2026-03-04,${cells},gpt-4o\n`);
  test.each([
    ['0.5,usd', 0.5],
    ['0.5,', 0.5],
    ['1e-2,USD', 0.01],
    ['$0.50,usd', 0.5],
    ['"$1,234.50",usd', 1_234.5],
    ['"1,234,567",usd', 1_234_567],
    ['"0,5",usd', 0.5],
    ['"1.234,50",usd', 1_234.5],
    ['"1.234.567,5",usd', 1_234_567.5],
    ['-0.25,usd', -0.25],
    ['($0.25),usd', -0.25],
    ['0.5 USD,usd', 0.5],
  ])('reads the amount %s', (cells, cost) => {
    expect(costs(cells)).toMatchObject({ rows: [{ cost }], unreadable: 0 });
  });
  test.each([
    [
      ['1,234', '0.5'],
      [1_234, 0.5],
    ],
    [
      ['1,234', '0,5'],
      [1.234, 0.5],
    ],
    [
      ['1,234', '1.234,5'],
      [1.234, 1_234.5],
    ],
    [
      ['0,125', '2,250'],
      [0.125, 2.25],
    ],
    [['12,000'], [12_000]],
  ])('reads the amounts %j in the notation of the file', (amounts, read) => {
    const lines = amounts.map((amount) => `2026-03-04;${amount};gpt-4o\n`);
    const { rows } = bill(`start_time_iso;amount_value;line_item\n${lines.join('')}`);
    expect(rows.map(({ cost }) => cost)).toEqual(read);
  });
  test.each([
    '€0.5,usd',
    'abc,usd',
    '"1,23,4",usd',
    '1.2.3,usd',
    '"0.5,6",usd',
    '$,usd',
    '(),usd',
    'NaN,usd',
  ])('counts the amount %s as unreadable', (cells) =>
    expect(costs(cells)).toMatchObject({ rows: [], unreadable: 1 }),
  );
  test('rejects currencies other than dollars', () => {
    expect(() => costs('0.5,eur')).toThrow('row 2 is in eur, and costs are counted in USD');
    expect(() => bill('Date,Slug,Usage,Requests,Prompt Tokens,Currency\n2026-03-04,m,1,1,1,CHF\n')).toThrow(
      'CHF',
    );
  });
  test('does not treat white space as part of a name', () => {
    expect(costs('0.5,usd,"gpt-4o\n , input"').rows[0]!.model).toBe('gpt-4o');
  });

  test('accepts columns in any order, and counts rows without a day', () => {
    const text = 'new,cost_usd,model,usage_date_utc\nx,2,m,2026-03-04\nx,2,m,soon\n';
    expect(bill(text)).toMatchObject({ rows: [{ day: '2026-03-04', model: 'm', cost: 2 }], unreadable: 1 });
  });

  test('names the columns of an unknown file', () => {
    expect(() => bill('foo,bar\n1,2\n')).toThrow(
      'Cannot compare with bill.csv: its columns are foo, bar. Known files',
    );
    expect(() => bill('')).toThrow('it is empty');
  });
});

test.each([
  ['Claude Sonnet 4.5', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
  ['gpt-4o-2024-08-06', 'gpt-4o'],
  ['chatgpt-4o-latest', 'chatgpt-4o'],
  ['openai/gpt-oss-120b:free', 'openai/gpt-oss-120b'],
  ['gpt-4o-mini', 'gpt-4o-mini'],
])('plainModel(%j)', (name, plain) => expect(plainModel(name)).toBe(plain));

const setup = { overrides: [], providers: [{ name: 'oa', vendor: 'openai', isRegional: false, models: [] }] };

async function compared(text: string, records: readonly Partial<LogRecord>[], providers?: readonly string[]) {
  const path = join(directory, 'log.ndjson');
  const ours = { provider: 'oa', upstream_model: 'gpt-4o', cached_tokens: 0 };
  writeFileSync(path, records.map((each) => encodeRecord(logRecord({ ...ours, ...each }))).join(''));
  return reconcile({ bill: bill(text), setup, inputs: [path], ...(providers ? { providers } : {}) });
}

describe('reconcile()', () => {
  const none = { input_tokens: null, output_tokens: null, cost: null };

  test('compares by day and model, and names possible reasons for the difference', async () => {
    const { rows, total, providers } = await compared(OPENAI_COSTS, [
      { input_tokens: 600, output_tokens: 100, cost: 0.4 },
      { input_tokens: 300, output_tokens: 100, cost: 0.3, upstream_model: 'gpt-4o-2024-08-06' },
      { id: 'left', ...none, outcome: 'client_abort' },
      { id: 'free', cost: null, input_tokens: 50, output_tokens: 0 },
      { upstream_model: 'o3', input_tokens: 7, output_tokens: 8, cost: 0.01 },
      // Of another vendor, and of another day.
      { provider: 'anthropic', cost: 9 },
      { ts: '2026-03-06T00:00:00.000Z', cost: 9 },
    ]);
    expect(providers).toEqual(['oa']);
    expect(rows).toMatchObject([
      {
        day: '2026-03-04',
        model: 'gpt-4o',
        theirs: { input_tokens: 1_000, output_tokens: 200, cost: 0.75 },
        ours: { requests: 4, input_tokens: 950, output_tokens: 200, cost: 0.7 },
        difference: { requests: null, input_tokens: 50, output_tokens: 0, cost: 0.05 },
        unpriced: 1,
        cut: 1,
        ids: { unpriced: ['free'], cut: ['left'] },
      },
      { model: 'o3', theirs: { input_tokens: 0, output_tokens: 0, cost: 0 }, difference: { cost: -0.01 } },
    ]);
    expect(total).toMatchObject({ difference: { cost: 0.04 }, unpriced: 1, cut: 1 });
  });

  test('compares complete days if the file names no model', async () => {
    const text = 'start_time_iso,amount_value\n2026-03-04T00:00:00,2\n';
    const { rows } = await compared(text, [{ cost: 1 }, { cost: 0.5, upstream_model: 'o3' }]);
    expect(rows).toMatchObject([
      { day: '2026-03-04', model: null, difference: { cost: 0.5, input_tokens: null } },
    ]);
  });

  test('compares with the given providers', async () => {
    const { rows } = await compared(
      OPENAI_USAGE,
      [{ provider: 'azure-eu', input_tokens: 4_000 }],
      ['azure-eu'],
    );
    expect(rows).toMatchObject([{ difference: { input_tokens: 212 } }]);
  });
});
