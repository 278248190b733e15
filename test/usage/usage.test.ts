import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { LogRecord } from '../../src/logs/record.ts';
import type { UsageOptions } from '../../src/usage/options.ts';
import type { UsageReport } from '../../src/usage/report.ts';
import { schema } from '../../src/config/schema.ts';
import { facetsOf } from '../../src/usage/options.ts';
import { priceSetup } from '../../src/usage/pricing.ts';
import { usageOf } from '../../src/usage/usage.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const directory = mkdtempSync(join(tmpdir(), 'llmproxy-usage-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

let files = 0;

async function counted(
  records: readonly Partial<LogRecord>[] | string,
  options: Partial<UsageOptions> = {},
): Promise<UsageReport> {
  const lines =
    typeof records === 'string' ? records : records.map((each) => encodeRecord(logRecord(each))).join('');
  return usageOf({ inputs: [file(`${++files}.ndjson`, lines)], by: [], timeZone: 'UTC', ...options });
}

const groups = ({ rows }: UsageReport) =>
  rows.map(({ group, requests }) => [...Object.values(group), requests]);

describe('usageOf()', () => {
  test('sums requests, failures, tokens and cost', async () => {
    const { total } = await counted([
      {
        input_tokens: 100,
        cached_tokens: 40,
        cache_write_tokens: 5,
        output_tokens: 10,
        reasoning_tokens: 3,
        cost: 0.1,
      },
      { input_tokens: 1, cached_tokens: 0, output_tokens: 2, cost: 0.2, outcome: 'truncated' },
      { input_tokens: null, output_tokens: null, cost: null, outcome: 'error', status: 502 },
    ]);
    expect(total).toEqual({
      requests: 3,
      errors: 2,
      aborted: 0,
      input_tokens: 101,
      cached_tokens: 40,
      cache_write_tokens: 5,
      output_tokens: 12,
      reasoning_tokens: 3,
      // Not 0.30000000000000004.
      cost: 0.3,
      unpriced: 0,
      cut: 0,
      untold: 0,
      estimated_cost: 0,
    });
  });

  test('reports which requests the cost does not include', async () => {
    const nothing = { input_tokens: null, output_tokens: null, cost: null };
    const {
      total,
      unpriced_models: models,
      rows,
    } = await counted(
      [
        { id: 'a', cost: null },
        {
          id: 'b',
          ...nothing,
          outcome: 'client_abort',
          estimate: { input_tokens: 9, output_tokens: 1, cost: 0.25 },
        },
        { id: 'c', ...nothing, outcome: 'truncated' },
        { id: 'd', ...nothing, outcome: 'client_abort', attempts: 0 },
        { id: 'e', ...nothing },
        { id: 'f', ...nothing, cost: 0.5 },
        { id: 'g', ...nothing, units: { images: 2 } },
        { id: 'h', endpoint: 'feedback' },
        // Some providers report the input at the beginning: an estimate covers the complete answer.
        {
          id: 'i',
          outcome: 'client_abort',
          finish: null,
          cost: 0.25,
          estimate: { input_tokens: 3, output_tokens: 90, cost: 0.75 },
        },
        { id: 'j', outcome: 'client_abort', cost: 0.25 },
        { id: 'k', outcome: 'truncated', finish: null, fault: 'unknown_ending', cost: 0.25 },
      ],
      { by: ['key'], ids: true },
    );
    expect(total).toMatchObject({
      requests: 10,
      aborted: 4,
      unpriced: 2,
      cut: 3,
      untold: 1,
      estimated_cost: 0.75,
      cost: 1.25,
    });
    expect(models).toEqual(['local/small-1']);
    expect(rows[0]!.ids).toEqual({ unpriced: ['a', 'g'], cut: ['b', 'c', 'i'] });
  });

  test('groups by any of the facets, highest cost first', async () => {
    const records: Partial<LogRecord>[] = [
      { model: 'a', tags: { team: 'x' }, cost: 1 },
      { model: 'b', tags: { team: 'y', lane: 'fast' }, cost: 3 },
      { model: 'b', key: null, tags: null, cost: 1 },
    ];
    expect(groups(await counted(records, { by: ['model'] }))).toEqual([
      ['b', 2],
      ['a', 1],
    ]);
    expect(groups(await counted(records, { by: ['tag.team', 'key'] }))).toEqual([
      ['y', 'team', 1],
      ['x', 'team', 1],
      [null, null, 1],
    ]);
    const labelled = [{ group: 'acme', labels: { team: 'search' } }, {}];
    expect(groups(await counted(labelled, { by: ['group', 'label.team'] }))).toEqual([
      ['acme', 'search', 1],
      [null, null, 1],
    ]);
    expect(groups(await counted(records, { by: ['tag.toString'] }))).toEqual([[null, 3]]);
    const top = await counted(records, { by: ['model'], top: 1 });
    expect([groups(top), top.others]).toMatchObject([[['b', 2]], { rows: 1, requests: 1, cost: 1 }]);
  });

  test('sorts days, hours and months by time, in a time zone', async () => {
    const records = ['2026-03-29T00:30:00.000Z', '2026-03-28T23:30:00.000Z', '2026-03-28T22:30:00.000Z'].map(
      (ts, at) => ({ ts, cost: at }),
    );
    expect(groups(await counted(records, { by: ['day'] }))).toEqual([
      ['2026-03-28', 2],
      ['2026-03-29', 1],
    ]);
    const zone = { timeZone: 'Europe/Berlin' };
    expect(groups(await counted(records, { by: ['day'], ...zone }))).toEqual([
      ['2026-03-28', 1],
      ['2026-03-29', 2],
    ]);
    expect(groups(await counted(records, { by: ['hour'], ...zone }))).toEqual([
      ['2026-03-28T23', 1],
      ['2026-03-29T00', 1],
      ['2026-03-29T01', 1],
    ]);
    expect(groups(await counted(records, { by: ['month'], ...zone }))).toEqual([['2026-03', 3]]);
  });

  test('counts requests of a time range and of a key only', async () => {
    const records: Partial<LogRecord>[] = [
      { ts: '2026-03-01T00:00:00.000Z', key: 'a' },
      { ts: '2026-03-01T00:00:00.001Z', key: 'b' },
      { ts: '2026-03-02T00:00:00.000Z', key: 'a' },
    ];
    const fromMs = Date.parse('2026-03-01T00:00:00.001Z');
    const untilMs = Date.parse('2026-03-01T23:59:59.999Z');
    expect((await counted(records, { fromMs })).total.requests).toBe(2);
    expect((await counted(records, { fromMs, untilMs })).total.requests).toBe(1);
    const own = await counted(records, { key: 'a' });
    expect([own.total.requests, own.first, own.last]).toEqual([2, records[0]!.ts!, records[2]!.ts!]);
  });

  test('reads unusual heads, and counts lines that are not records', async () => {
    const odd = encodeRecord(logRecord({ model: 'größe "x"', tags: { lane: ',"lane":', a: 'b' }, cost: 1 }));
    const torn = encodeRecord(logRecord()).slice(0, 300);
    const text = `${odd}${torn}${odd}{"v":2}\nnot json\n\n${odd.trimEnd()}\r\n${torn}`;
    const report = await counted(text, { by: ['model', 'tag.lane'] });
    expect(groups(report)).toEqual([['größe "x"', ',"lane":', 3]]);
    // A truncated line before a complete one, another version, invalid JSON. The last line may still be being written.
    expect(report.unreadable).toBe(3);
  });

  test('reads only the head of a line', async () => {
    const line = encodeRecord(logRecord({ cost: 1 }));
    const broken = `${line.slice(0, line.indexOf(',"lane":') + 8)}no JSON at all\n`;
    const report = await counted(broken + line);
    expect([report.total.requests, report.total.cost, report.unreadable]).toEqual([2, 2, 0]);
  });

  test('returns the same sums in threads, from compressed files and however the lines are distributed', async () => {
    const random = seeded(3);
    const lines = Array.from({ length: 3_000 }, (_, at) =>
      encodeRecord(
        logRecord({
          id: `r${at}`,
          model: `m${random(5)}`,
          cost: random(1_000) / 1e7,
          input_tokens: random(9_999),
          request: JSON.stringify({ text: 'x'.repeat(random(6_000)) }),
        }),
      ),
    ).join('');
    const plain = file('many.ndjson', lines);
    const packed = file('many-packed.ndjson.zst', zstdCompressSync(lines));
    const ask = (path: string, threads: number) =>
      usageOf({ inputs: [path], by: ['model'], timeZone: 'UTC', threads });
    const alone = await ask(plain, 0);
    expect(alone.total.requests).toBe(3_000);
    expect(await ask(plain, 2)).toEqual(alone);
    expect(await ask(packed, 0)).toEqual(alone);
    expect(await ask(packed, 1)).toEqual(alone);
  });

  test('skips our own files of other days', async () => {
    const line = encodeRecord(logRecord({ ts: '2026-03-04T00:00:00.000Z' }));
    const inputs = [
      'llmproxy-2026-03-01.ndjson',
      'llmproxy-2026-03-04.ndjson',
      'llmproxy-2026-03-05.w2.1.ndjson',
      'llmproxy-2026-03-09.ndjson',
    ].map((name) => file(name, line));
    const fromMs = Date.parse('2026-03-04T00:00:00Z');
    const report = await usageOf({ inputs, by: [], timeZone: 'UTC', fromMs, untilMs: fromMs + 86_399_999 });
    expect([report.files, report.total.requests]).toEqual([2, 2]);
  });

  test('recomputes costs from the price table and the configuration, for the time of the request', async () => {
    const config = schema.parse({
      providers: [
        { name: 'oa', type: 'openai', api_key: 'k' },
        {
          name: 'own',
          type: 'openai-compatible',
          base_url: 'http://127.0.0.1:1',
          models: [
            { name: 'm-*', price: { input: 9, output: 9 } },
            { name: 'm-1', upstream: 'u-1', price: { input: 2, output: 2 } },
          ],
        },
      ],
      prices: [{ model: 'u-2', until: '2026-03-04', input: 4, output: 4 }],
    });
    const used = { input_tokens: 1_000_000, output_tokens: 0, cached_tokens: 0, cost: 7 };
    const record = (
      provider: string,
      model: string,
      upstream_model: string,
      ts = '2026-03-04T23:59:59.999Z',
    ) => ({ ...used, provider, model, upstream_model, ts });
    const report = await counted(
      [
        record('oa', 'smart', 'gpt-4o'),
        record('own', 'm-1', 'u-1'),
        record('own', 'm-3', 'm-3'),
        record('own', 'x', 'u-2'),
        record('own', 'x', 'u-2', '2026-03-05T00:00:00.000Z'),
        // Named like a provider type, and no longer in the configuration.
        record('anthropic', 'c', 'claude-sonnet-4-0'),
        {
          ...record('oa', 'w', 'whisper-1'),
          input_tokens: null,
          output_tokens: null,
          units: { seconds: 3_600 },
        },
      ],
      { by: ['provider', 'upstream_model', 'day'], prices: priceSetup(config) },
    );
    const costs = report.rows.map(({ group, cost, unpriced }) => [
      `${group.provider}/${group.upstream_model}`,
      unpriced ? null : cost,
    ]);
    expect(Object.fromEntries(costs.filter(([, cost]) => cost !== null))).toEqual({
      'oa/gpt-4o': 2.5,
      'own/u-1': 2,
      'own/m-3': 9,
      'own/u-2': 4,
      'anthropic/claude-sonnet-4-0': 3,
      'oa/whisper-1': 0.36,
    });
    expect([report.prices, report.total.unpriced]).toEqual(['now', 1]);
  });
});

test('facetsOf() accepts only known names', () => {
  expect(facetsOf(' model, day,model,tag.a.b ')).toEqual(['model', 'day', 'tag.a.b']);
  for (const wrong of ['modle', 'tag.', 'tag', 'constructor'])
    expect(() => facetsOf(wrong)).toThrow(`Cannot count by ${wrong}: expected key, model,`);
});

/** Numbers below a bound, the same in each run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % bound;
  };
}
