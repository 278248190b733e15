import { describe, expect, test } from 'bun:test';
import { amount, dollars } from '../../src/cli/amounts.ts';
import { usageCsv } from '../../src/cli/usage-csv.ts';
import { usageText } from '../../src/cli/usage-text.ts';
import { noSums } from '../../src/usage/report.ts';
import type { Sums, UsageReport } from '../../src/usage/report.ts';

test.each([
  [0, '0'],
  [99_999, '99,999'],
  [100_000, '100k'],
  [999_499, '999k'],
  [999_999, '1.00M'],
  [1_234_567, '1.23M'],
  [99_960_000, '100M'],
  [12_345_678_901, '12.3G'],
])('amount(%d) is %s', (value, text) => expect(amount(value)).toBe(text));

test.each([
  [0, '$0'],
  [0.000012, '$0.000012'],
  [0.0345, '$0.035'],
  [0.5, '$0.50'],
  [0.996, '$1.00'],
  [1_234.567, '$1,234.57'],
  [123_456.7, '$123,457'],
  [-2.5, '-$2.50'],
])('dollars(%d) is %s', (usd, text) => expect(dollars(usd)).toBe(text));

const sums = (more: Partial<Sums>): Sums => ({ ...noSums(), ...more });

function report(more: Partial<UsageReport> = {}): UsageReport {
  const [dear, cheap] = [
    sums({
      requests: 1_200,
      errors: 3,
      input_tokens: 2_500_000,
      cached_tokens: 900_000,
      output_tokens: 80_000,
      cost: 12.5,
    }),
    sums({
      requests: 90,
      input_tokens: 9_000,
      output_tokens: 700,
      cost: 3.1,
      unpriced: 2,
      cut: 1,
      aborted: 4,
    }),
  ];
  const total = sums({});
  for (const name of Object.keys(total) as (keyof Sums)[]) total[name] = dear[name] + cheap[name];
  return {
    object: 'usage',
    by: ['model'],
    since: '2026-03-01T00:00:00.000Z',
    until: null,
    time_zone: 'UTC',
    prices: 'recorded',
    first: '2026-03-01T10:00:00.000Z',
    last: '2026-03-04T10:00:00.000Z',
    total,
    rows: [
      { group: { model: 'claude-sonnet-4-5-20250929' }, ...dear },
      { group: { model: 'evil\x1b[2J\nname' }, ...cheap },
    ],
    others: null,
    unpriced_models: ['local/llama'],
    files: 1,
    unreadable: 0,
    ...more,
  };
}

describe('usageText()', () => {
  test('has bars in 80 columns', () => {
    expect(usageText(report(), { width: 80, color: false })).toBe(
      [
        '2026-03-01 00:00 to 2026-03-04 10:00 UTC',
        '',
        'MODEL                       REQUESTS  ERRORS     IN     OUT    COST',
        'claude-sonnet-4-5-20250929     1,200       3  2.50M  80,000  $12.50  ███████████',
        'evil name                         90       0  9,000     700   $3.10  ██▊',
        'total                          1,290       3  2.51M  80,700  $15.60',
        '',
        '4 requests aborted by the client.',
        '2 requests without a known price, not included in the cost: local/llama. Set',
        'their price in `prices` of the configuration.',
        '1 request cut off or aborted before all usage was reported: these may have cost',
        'more.',
      ].join('\n'),
    );
  });

  test.each([30, 40, 60, 80, 100, 200])('keeps within %d columns, with names in full', (width) => {
    const lines = usageText(report(), { width, color: false }).split('\n');
    expect(lines.filter((line) => Bun.stringWidth(line) > width)).toEqual([]);
    const names = lines.map((line) => line.slice(0, 26).split('  ')[0]).join('');
    expect(names).toContain('claude-sonnet-4-5-20250929');
  });

  test('has all values and no bars if the output is not a terminal', () => {
    const text = usageText(report(), { width: Infinity, color: false });
    expect(text).toContain('MODEL                       REQUESTS  ERRORS     IN  CACHED     OUT    COST\n');
    expect(text).not.toMatch(/[█▉▊▋▌▍▎▏]/);
  });

  test('colours nothing but bars, and only if asked', () => {
    const options = { width: 120 };
    const coloured = usageText(report(), { ...options, color: true });
    expect(coloured).toContain('\x1b[36m█');
    expect(Bun.stripANSI(coloured)).toBe(usageText(report(), { ...options, color: false }));
  });

  test('shows only the total, rows that are left out, and an empty log', () => {
    const total = usageText(report({ by: [], rows: [] }), { width: 80, color: false });
    expect(total).toContain('\n\nrequests   1,290\nerrors         3\n');
    const others = { rows: 7, ...sums({ requests: 8, cost: 0.5 }) };
    expect(usageText(report({ others }), { width: Infinity, color: false })).toMatch(/\n7 more +8 /);
    const empty = report({ total: noSums(), rows: [], first: null, last: null, since: null });
    expect(usageText(empty, { width: 80, color: false })).toStartWith('No request yet: no request\n');
  });
});

test('usageCsv() has exact numbers, and texts that no spreadsheet treats as formulas', () => {
  const { rows, ...rest } = report();
  const odd = { ...rows[0]!, group: { model: '=1+"1"' } };
  const [header, first, ...more] = usageCsv({ ...rest, rows: [odd] }).split('\n');
  expect(header).toStartWith('model,requests,errors,aborted,input_tokens,');
  expect(first).toBe(`"'=1+""1""",1200,3,0,2500000,900000,0,80000,0,12.5,0,0,0,0`);
  expect(more).toEqual(['']);
});
