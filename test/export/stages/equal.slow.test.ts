/** An export in stages writes the same bytes as one in one process, and counts the same. */
import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { logDirectory } from '../../helpers/log-directory.ts';
import { asked } from '../records.ts';
import { comparable, inExchange, inOneProcess, inStages } from './engine.ts';
import { random } from './logs.ts';
import { flagsOf, writeLogs } from './random-export.ts';

const SEEDS = Number(process.env.LLMPROXY_TEST_SEEDS ?? 30);
const FIRST = Number(process.env.LLMPROXY_TEST_SEED ?? 1);

test('ranges, windows and chunks may end anywhere in long lines', async () => {
  await using dir = await logDirectory();
  const logs = `${dir.path}/logs`;
  mkdirSync(logs);
  const chances = random(5);
  const words = 'lorem ipsum dolor sit amet '.repeat(100_000);
  // Lines of some kilobytes, and a few of more than a megabyte; more text than is read or converted at once.
  const text = Array.from({ length: 1_500 }, (_, at) => {
    const long = at % 200 === 77 ? 1_500_000 + chances.below(900_000) : 1_000 + chances.below(9_000);
    return asked(`r${at}`, `${at} ${words.slice(0, long)}`, `Answer ${at}`);
  }).join('');
  writeFileSync(`${logs}/a.ndjson`, text);
  writeFileSync(`${logs}/b.ndjson.zst`, zstdCompressSync(text.replaceAll('Answer', 'Reply')));
  const argv = [logs, '-f', 'trl-pc'];
  const one = await inOneProcess(argv, `${dir.path}/one`);
  const many = await inStages(argv, `${dir.path}/many`, { rangeSize: '5MB', partitions: 3, random: chances });
  expect(one.report.kept).toBe(3_000);
  expect(comparable(many.report)).toEqual(comparable(one.report));
  expect(many.rows.train === one.rows.train).toBe(true);
}, 120_000);

/** Lines in sorted order: workers wrote them concurrently. */
const sorted = (text: string) => text.split('\n').toSorted().join('\n');

test('stages write what one process writes, and count the same', async () => {
  let compared = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const chances = random(seed);
    await using dir = await logDirectory();
    const logs = `${dir.path}/logs`;
    writeLogs(logs, seed, chances);
    const flags = flagsOf(chances);
    const argv = [logs, ...flags];
    const one = await inOneProcess(argv, `${dir.path}/one`).catch((error: Error) => error);
    if (one instanceof Error) {
      // The flags exclude each other.
      expect(one.name).toBe('ExportError');
      continue;
    }
    const division = {
      rangeSize: chances.pick(['3KB', '10KB', '50KB', '1MB']),
      partitions: 1 + chances.below(6),
      random: chances,
    };
    const run = chances.chance(0.3) ? inExchange : inStages;
    const many = await run(argv, `${dir.path}/many`, division).catch((error: Error) => error);
    if (many instanceof Error) {
      expect(`${seed} ${flags.join(' ')}: ${many.message}`).toContain('with --stage');
      continue;
    }
    compared += 1;
    const name = `seed ${seed}: ${flags.join(' ')} ${division.rangeSize} ${division.partitions}`;
    const sideBySide = one.report.inputs.some((input) => input.name.includes('.w2.'));
    const seen = ({ report, rows }: typeof one) => ({
      name,
      report: { ...comparable(report), ...(sideBySide ? { dropped: undefined } : {}) },
      rows: sideBySide ? Object.values(rows).map(sorted) : rows,
    });
    expect(seen(many)).toEqual(seen(one));
  }
  expect(compared).toBeGreaterThan(SEEDS / 2);
}, 600_000);
