/** Usage reports from the log of the compiled binary. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UsageReport } from '../../src/usage/report.ts';
import { BINARY, built, cleared, folder, run, runInTerminal, serveConfig } from '../helpers/binary.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const MODELS = [
  'claude-sonnet-4-5-20250929',
  'gpt-5-mini',
  'a-model-with-a-name-that-is-longer-than-forty-columns',
];

/** A log of this many requests, some without a price and some cut. */
function log(requests: number, textBytes = 0): string {
  const text = 'x'.repeat(textBytes);
  const lines = Array.from({ length: requests }, (_, at) => {
    const cut = at % 10 === 9;
    const none = cut
      ? { input_tokens: null, output_tokens: null, cost: null, outcome: 'client_abort' as const }
      : {};
    return encodeRecord(
      logRecord({
        id: `r${at}`,
        ts: new Date(Date.parse('2026-03-04T00:00:00Z') + at * 1_000).toISOString(),
        model: MODELS[at % 3]!,
        provider: 'openai',
        upstream_model: 'gpt-4o',
        key: at % 2 === 0 ? 'ann' : 'ben',
        input_tokens: 1_000,
        output_tokens: 100,
        cost: 0.01,
        ...none,
        request: JSON.stringify({ text }),
      }),
    );
  });
  const path = join(folder(), 'log.ndjson');
  writeFileSync(path, lines.join(''));
  return path;
}

describe('llmproxy usage', () => {
  test.each([80, 40])('keeps within a terminal of %d columns', async (columns) => {
    const shown = Bun.stripANSI(await runInTerminal(columns, 'usage', log(300)));
    const lines = shown.split('\n');
    expect(lines.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
    expect(shown).toMatch(/MODEL +REQUESTS/);
    expect(shown).toMatch(/total +300 /);
    expect(shown).toContain('30 requests cut off');
    if (columns === 80) expect(shown).toMatch(/gpt-5-mini +100 .*\$0\.90 {2}█+/);
  });

  test('draws no bars into a pipe, and ends cleanly when its reader closes it', async () => {
    const path = log(60);
    const { code, out } = run(folder(), 'usage', path, '--by', 'key');
    expect([code, out]).toEqual([0, expect.not.stringContaining('█')]);
    expect(Bun.stripANSI(out)).toBe(out);
    expect(out).toMatch(/ann +30 /);
    const many = log(20_000);
    const script = `"${BINARY}" usage "${many}" --by hour,model,key --csv | head -n 1`;
    const piped = Bun.spawnSync(['sh', '-c', script], { env: process.env });
    expect(piped.stdout.toString()).toStartWith('hour,model,key,requests,');
    expect(piped.stderr.toString()).toBe('');
  });

  test('computes the same sums in several threads as in one', () => {
    const path = log(1_500, 16_000);
    const lines = run(folder(), 'usage', path, '--by', 'model', '--csv').out.trim().split('\n');
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 2))).toEqual(
      MODELS.map((model) => [model, '500']).toSorted(),
    );
    const whole = JSON.parse(run(folder(), 'usage', path, '--json').out) as UsageReport;
    expect(whole.total).toMatchObject({ requests: 1_500, input_tokens: 1_350_000, cost: 13.5 });
  });

  test('reprices, also from standard input', () => {
    const path = log(10);
    const piped = Bun.spawnSync([BINARY, 'usage', '-', '--reprice', '--json', '--by', ''], {
      env: process.env,
      stdin: Bun.file(path),
      cwd: folder(),
    });
    const report = JSON.parse(piped.stdout.toString()) as UsageReport;
    expect(report).toMatchObject({ prices: 'now', total: { requests: 10, cost: 9 * 0.0035 } });
  });

  test.each([
    [['--by', 'colour'], 2, 'Cannot count by colour'],
    [['--since', 'soon'], 2, 'Cannot use --since soon'],
    [['--since', 'today', '--today'], 2, 'give one of them'],
    [['--top', '0'], 2, 'Cannot use --top 0'],
    [['--time-zone', 'Mars'], 2, 'Cannot use --time-zone Mars'],
    [['--provider', 'x'], 2, 'it belongs to --reconcile'],
    [['--json', '--csv'], 2, 'Cannot use --json with --csv'],
    [['no-such-log'], 1, 'Cannot read no-such-log'],
  ])('refuses %j', (args, code, message) => {
    const ended = run(folder(), 'usage', ...(code === 1 ? [] : [log(1)]), ...args);
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(ended.err).toContain(message);
  });
});

describe('llmproxy usage --reconcile', () => {
  test.each([80, 40])('compares in %d columns', async (columns) => {
    const bill = join(folder(), 'bill.csv');
    writeFileSync(
      bill,
      'start_time_iso,amount_value,line_item\n2026-03-04T00:00:00,3.00,"gpt-4o-2024-08-06, input_tokens"\n',
    );
    const shown = await runInTerminal(columns, 'usage', log(300), '--reconcile', bill);
    expect(shown.split('\n').filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
    expect(shown).toMatch(/total .*\+\$0\.30/);
    expect(shown.replaceAll(/\s+/g, ' ')).toContain('2026-03-04 gpt-4o: 30 cut off or abandoned');
  });

  test.each([
    [['--by', 'key'], 'Cannot use --by with --reconcile'],
    [['--since', '2026-03-04'], 'Cannot use --since with --reconcile'],
    [['--until', '2026-03-04'], 'Cannot use --until with --reconcile'],
    [['--today'], 'Cannot use --today with --reconcile'],
    [['--time-zone', 'Europe/Berlin'], 'Cannot use --time-zone with --reconcile'],
    [['--key', 'ann'], 'Cannot use --key with --reconcile'],
    [['--top', '3'], 'Cannot use --top with --reconcile'],
    [['--csv'], 'Cannot use --csv with --reconcile'],
    [['--provider', 'opnai'], 'Cannot use --provider opnai: neither'],
  ])('refuses %j, which it would not follow', (args, message) => {
    const bill = join(folder(), 'bill.csv');
    writeFileSync(bill, 'start_time_iso,amount_value\n2026-03-04T00:00:00,3.00\n');
    const { code, out, err } = run(folder(), 'usage', log(1), '--reconcile', bill, ...args);
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(message)]);
  });

  test('names the columns of a file in an unknown format', () => {
    const bill = join(folder(), 'bill.csv');
    writeFileSync(bill, 'foo,bar\n1,2\n');
    const { code, err } = run(folder(), 'usage', log(1), '--reconcile', bill);
    expect([code, err]).toEqual([2, expect.stringContaining('its columns are foo, bar')]);
  });
});

test('GET /usage and llmproxy usage agree, during and after requests', async () => {
  const serving = await serveConfig({
    providers: [{ name: 'mock', type: 'mock', models: [{ name: 'm', price: { input: 1, output: 2 } }] }],
    auth: {
      keys: [
        { name: 'boss', key: 'k-boss', ops: true },
        { name: 'ann', key: 'k-ann' },
      ],
    },
    logging: { level: 'error', requests: { flush_interval: '10ms' } },
  });
  const chat = (key: string) =>
    fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    }).then((reply) => reply.text());
  await Promise.all([...Array.from({ length: 20 }, () => chat('k-ann')), chat('k-boss')]);
  const ask = async (key: string, query: string) => {
    const reply = await fetch(`${serving.url}/v1/usage?${query}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return (await reply.json()) as UsageReport;
  };
  let asked = 100;
  const all = await until('the log to be written', async () => {
    const report = await ask('k-boss', `by=key&top=${++asked}`);
    return report.total.requests === 21 && report;
  });
  expect((await ask('k-ann', 'by=key')).rows).toMatchObject([{ group: { key: 'ann' }, requests: 20 }]);
  const told = JSON.parse(run(serving.cwd, 'usage', '--by', 'key', '--json').out) as UsageReport;
  expect(told.total).toEqual(all.total);
  expect(all.total.cost).toBeGreaterThan(0);
});
