import { describe, expect, test } from 'bun:test';
import { FLAG } from '../../../src/export/convert/batch.ts';
import { ProgressLine, progressText } from '../../../src/export/report/progress.ts';
import { resolveSettings } from '../../../src/export/options/settings.ts';
import { reportOf } from '../../../src/export/report/report.ts';
import { RowStats } from '../../../src/export/report/row-stats.ts';
import { statsText, summaryText, troubleText } from '../../../src/export/report/summary.ts';
import { Counters } from '../../../src/export/report/counters.ts';
import { bytesText, durationText } from '../../../src/export/report/text.ts';

test('summaryText() reports what was read, why rows are missing, and where the rows are', () => {
  const counters = new Counters();
  counters.lines = 12_345;
  counters.filter('model');
  for (let count = 0; count < 4; count++) counters.spoil('not_json', `a.log:${count}`);
  counters.drop('refusal', 'a.log:9');
  counters.drop('no_answer', 'a.log:7');
  counters.drop('no_answer', 'a.log:8');
  const stats = new RowStats();
  const facet = { model: 'm', provider: 'p', finish: 'stop', key: null, balanceBy: '' };
  stats.add(facet, 'train', FLAG.success);
  stats.add(facet, 'train', 0);
  stats.spend(10, 5);
  const settings = resolveSettings({
    flags: { values: {}, inputs: [] },
    env: { values: {}, inputs: [] },
    terminal: false,
    nowMs: 0,
    argv: [],
  });
  const report = reportOf({ counters, stats, outcome: { seen: [] } }, settings, [
    { path: 'out.jsonl', split: 'train', rows: 1, bytes: 1_234 },
  ]);
  const sameFiles = [
    { name: 'a.log', otherNames: ['b.log', 'c/a.log'] },
    { name: 'd.log', otherNames: ['e.log', 'f.log'] },
  ];
  const summary = { report, files: 2, sameFiles, bytesRead: 34_000_000, ended: 'max_records' } as const;
  expect(summaryText(summary, 'out.jsonl')).toBe(
    `Read 12,345 lines (34 MB) from 2 files, kept 2
  read once         4  are other names of the same files (b.log is a.log, c/a.log is a.log, e.log is d.log, ...)
  kept         1  are answers that failed, were cut or filtered (--successful-only leaves them out)
  left out         1  model: the model does not match --model or --model-filter
  dropped         2  no_answer: the answer has neither text nor tool calls (a.log:7, a.log:8)
  dropped         1  refusal: the model refused (a.log:9)
  bad line         4  not_json: is not a JSON object (a.log:0, a.log:1, a.log:2, ...)
Stopped at --max-records; the rest was not read
Wrote 2 rows (1.2 kB) to out.jsonl
`,
  );
  expect(statsText(report)).toContain('Tokens: 15, 5 of them output, in 1 row\n');
});

test('troubleText() reports the place and the reason', () => {
  expect(troubleText({ place: 'a.log:3', kind: 'bad', reason: 'binary' })).toBe(
    'a.log:3: bad line, binary: contains NUL bytes, as after a system crash\n',
  );
  expect(troubleText({ place: 'a.log:4', kind: 'dropped', reason: 'refusal' })).toBe(
    'a.log:4: dropped, refusal: the model refused\n',
  );
});

describe('progressText()', () => {
  test('shows share, speed, rows and the time left', () => {
    const text = progressText({ bytes: 450e6, total: 1e9, rows: 12_345, dropped: 67, memory: 95e6 }, 1_500);
    expect(text).toBe('45% of 1.0 GB, 300 MB/s, 12,345 rows, 67 not, 95 MB memory, 2 s left');
  });

  test('shows no share for pipes, whose size is unknown', () => {
    expect(progressText({ bytes: 5e6, total: undefined, rows: 1, dropped: 0, memory: 2e6 }, 1_000)).toBe(
      '5.0 MB read, 5.0 MB/s, 1 row, 2.0 MB memory',
    );
  });

  test('fits into 80 columns and never exceeds 100%', () => {
    for (const bytes of [0, 1, 1e9, 1e15]) {
      const text = progressText(
        { bytes, total: 1e9, rows: Number.MAX_SAFE_INTEGER, dropped: 1, memory: 1e12 },
        1,
      );
      expect(text.length).toBeLessThan(80);
      expect(text).toMatch(/^(0|100)% /);
    }
  });
});

test('ProgressLine draws at most ten times a second and clears its line', () => {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now, after: () => () => {} };
  const written: string[] = [];
  const line = new ProgressLine({ clock, write: (text) => written.push(text), redraw: true });
  line.clear();
  for (; now < 1_000; now += 10) line.update({ bytes: now, total: 1_000, rows: 0, dropped: 0, memory: 0 });
  expect(written).toHaveLength(9);
  expect(written[0]).toStartWith('\r\x1b[K');
  line.clear();
  line.clear();
  expect(written.slice(9)).toEqual(['\r\x1b[K']);
});

test('bytesText() and durationText() round for people', () => {
  expect([0, 999, 1_000, 9_940, 9_960, 999_600, 1.5e9, 2e15].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '1.0 MB',
    '1.5 GB',
    '2000 TB',
  ]);
  expect([0, 1, 99_000, 101_000, 7_200_000].map(durationText)).toEqual([
    '0 s',
    '1 s',
    '99 s',
    '2 min',
    '2 h',
  ]);
});
