import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfTimes } from '../../bench/cpu-profile.ts';
import { blockOf, withBlock } from '../../bench/page.ts';
import { linesOf, tableText } from '../../bench/report.ts';
import type { Sample } from '../../bench/row.ts';
import { rowsNamed } from '../../bench/rows.ts';
import { median, quantile, spread } from '../../bench/statistics.ts';

const ROOT = join(import.meta.dir, '../..');
const page = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('quantile() interpolates between neighbouring values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
  expect(spread([1, 2, 3, 4, 5])).toEqual({ low: 2, median: 3, high: 4 });
  expect(median([])).toBeNaN();
});

test('linesOf() computes ratios within a round, before their median', () => {
  const samples = new Map<string, Sample[]>([
    ['bare', [{ cost: 10 }, { cost: 20 }, { cost: 30 }]],
    ['proxy', [{ cost: 30 }, { cost: 40 }, {}]],
    ['other', [{}]],
  ]);
  const lines = linesOf({ name: 'cost', title: 'Cost', unit: 'µs', base: 'bare' }, samples);
  expect(lines.map(({ subject }) => subject)).toEqual(['bare', 'proxy']);
  expect(lines[1]).toEqual({
    subject: 'proxy',
    value: { low: 32.5, median: 35, high: 37.5 },
    ratio: { low: 2.25, median: 2.5, high: 2.75 },
  });
});

test('tableText() fits 100 columns for every measure', () => {
  const measures = rowsNamed(undefined, false).flatMap((row) => row.measures);
  const large = Object.fromEntries(measures.map(({ name }) => [name, 1_234_567]));
  const small = Object.fromEntries(measures.map(({ name }) => [name, 1.234]));
  const text = tableText(measures, new Map(measures.map(({ base }) => [base, [small]])).set('p', [large]));
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('withBlock() replaces what is between its marks, and requires them', () => {
  const text = 'a\n<!-- make bench: x -->\nold\n<!-- /x -->\nb';
  const changed = withBlock(text, 'x', 'new');
  expect(changed).toBe('a\n<!-- make bench: x -->\n\nnew\n\n<!-- /x -->\nb');
  expect(blockOf(changed, 'x')).toBe('new');
  expect(() => withBlock(text, 'y', 'new')).toThrow('its marks are not there');
});

test('the README quotes the numbers of docs/performance.md', () => {
  const summary = blockOf(page('docs/performance.md'), 'summary');
  expect(summary).toContain('| llmproxy |');
  expect(blockOf(page('README.md'), 'summary')).toBe(summary);
});

test('docs/performance.md names all rows', () => {
  const text = page('docs/performance.md');
  expect(rowsNamed(undefined, false).filter(({ name }) => !text.includes(`\`${name}\``))).toEqual([]);
});

test('selfTimes() counts a sample only for its function, and native ones by their caller', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: url === '' ? -1 : 4 });
  const nodes = [
    { id: 1, callFrame: frame('(root)'), children: [2, 4] },
    { id: 2, callFrame: frame('answer', 'file:///here/src/a.ts'), children: [3] },
    { id: 3, callFrame: frame('parse') },
    { id: 4, callFrame: frame('') },
  ];
  const samples = [2, 3, 3, 4];
  const profile = { nodes, samples, timeDeltas: [10, 11, 45, 8] };
  // A late sample counts for one interval; nothing ran before it.
  expect(selfTimes(profile, 10, '/here')).toEqual([
    { name: '(no JavaScript)', place: 'the event loop, or waiting', us: 35 },
    { name: 'parse', place: 'native, from src/a.ts:5', us: 21 },
    { name: 'answer', place: 'src/a.ts:5', us: 10 },
    { name: '(anonymous)', place: 'native, from the event loop', us: 8 },
  ]);
});
