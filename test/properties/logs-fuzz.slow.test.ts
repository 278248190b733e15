/** Compares exports of damaged logs with exports of their complete lines. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { checkFiles } from '../../src/export/check/check.ts';
import type { FormatName } from '../../src/config/export/options.ts';
import { FORMATS } from '../../src/export/render/all.ts';
import type { Report } from '../../src/export/report/report.ts';
import type { Trouble } from '../../src/export/report/counters.ts';
import { workshop } from '../export/workshop.ts';
import type { Log, Piece } from './spoiled.ts';
import { bytesOf, counted, log, longPieces, piece } from './spoiled.ts';

/**
 * More runs find rare cases, as in `FUZZ_RUNS=20000 bun test test/properties/logs-fuzz.slow.test.ts --timeout 3600000`.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 200);

type Shop = Awaited<ReturnType<typeof workshop>>;

interface Exported {
  readonly rows: string;
  readonly report: Report;
  /** Each as "line kind reason". */
  readonly troubles: readonly string[];
}

async function exported(shop: Shop, path: string, { flags = '', threads = 0 } = {}): Promise<Exported> {
  const told: Trouble[] = [];
  const hooks = { onTrouble: (trouble: Trouble) => told.push(trouble) };
  const { report } = await shop.run(`${path} --force --verbose ${flags}`, hooks, threads);
  const troubles = told.map(({ place, kind, reason }) => {
    expect(place.slice(0, path.length + 1)).toBe(`${path}:`);
    return `${place.slice(path.length + 1)} ${kind} ${reason}`;
  });
  return { rows: readFileSync(shop.output, 'utf8'), report, troubles };
}

/** The export of the complete lines among the pieces, in a separate log. */
async function alone(shop: Shop, pieces: readonly Piece[], flags: string) {
  const path = shop.path('logs/alone.ndjson');
  const lines = pieces.flatMap(({ worth }, index) => (worth ? [{ worth, number: index + 1 }] : []));
  writeFileSync(path, Buffer.concat(lines.flatMap(({ worth }) => [worth, Buffer.from('\n')])));
  const { rows, report, troubles } = await exported(shop, path, { flags });
  const moved = troubles.map((trouble) =>
    trouble.replace(/^\d+/, (number) => String(lines[Number(number) - 1]!.number)),
  );
  return { rows, report, troubles: moved };
}

/** Every complete line must produce the rows that it produces alone, and every other must be reported once. */
async function compare(shop: Shop, found: Exported, pieces: readonly Piece[], flags: string): Promise<void> {
  const expected = await alone(shop, pieces, flags);
  expect(found.rows).toBe(expected.rows);
  expect(found.report.filtered).toEqual(expected.report.filtered);
  expect(found.report.tokens).toEqual(expected.report.tokens);
  const left = [...found.troubles];
  for (const trouble of expected.troubles) {
    const at = left.indexOf(trouble);
    expect([trouble, at < 0]).toEqual([trouble, false]);
    left.splice(at, 1);
  }
  const damages = pieces.flatMap(({ said }, index) => (said ? [{ said, number: index + 1 }] : []));
  expect(left.map((trouble) => Number(trouble.split(' ')[0]))).toEqual(damages.map(({ number }) => number));
  left.forEach((trouble, index) => expect(damages[index]!.said).toContain(trouble.split(' ')[2]!));
  const { bad, dropped } = found.report;
  const count = Object.values({ ...bad, ...dropped }).reduce((sum, places) => sum + places.count, 0);
  expect(count).toBe(found.troubles.length);
}

/** The violations of a format's rules for rows; the rules for a file as a whole only concern the number of rows. */
async function violationsOf(path: string, format: FormatName): Promise<string[]> {
  const found: string[] = [];
  const onViolation = ({ place, problem }: { place: string; problem: string }) => {
    if (/:\d+$/.test(place)) found.push(`${place}: ${problem}`);
  };
  await checkFiles({ inputs: [path], format: FORMATS[format], onViolation });
  return found;
}

const format = fc.constantFrom<FormatName>('openai', 'trl', 'sharegpt', 'anthropic', 'text');
const flag = fc.constantFrom(
  '',
  '--dedup none --conversations turns',
  '--model-filter gpt --successful-only --since 2020-01-01',
  '--redact all',
);

describe('runExport() of a damaged log', () => {
  test('writes the rows that the complete lines produce alone, and reports each damaged line once', async () => {
    await using shop = await workshop();
    const path = shop.path('logs/a.ndjson');
    await fc.assert(
      fc.asyncProperty(log, format, flag, async (damaged, name, more) => {
        writeFileSync(path, bytesOf(damaged));
        const flags = `-f ${name} ${more}`;
        const found = await exported(shop, path, { flags });
        const violations = found.rows === '' ? [] : await violationsOf(shop.output, name);
        await compare(shop, found, counted(damaged), flags);
        expect(found.report.lines).toBe(damaged.pieces.filter(({ bytes }) => bytes.length > 0).length);
        expect(violations).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test('writes the rows before the place where a compressed file is cut', async () => {
    await using shop = await workshop();
    const path = shop.path('logs/a.ndjson.gz');
    const cut = fc.double({ min: 0, max: 1, noNaN: true });
    const pack = fc.constantFrom<(bytes: Uint8Array) => Buffer>(gzipSync, zstdCompressSync);
    await fc.assert(
      fc.asyncProperty(log, pack, cut, async (whole, compress, share) => {
        const packed = compress(bytesOf(whole));
        // The cut is after the file's magic bytes and before its last byte.
        const length = 4 + Math.floor(share * (packed.length - 5));
        writeFileSync(path, packed.subarray(0, length));
        const found = await exported(shop, path);
        expect(found.report.bad.damaged_file?.count).toBe(1);
        const last = found.troubles.at(-1)!;
        expect(last).toMatch(/^\d+ bad damaged_file$/);
        const before = whole.pieces.slice(0, Number(last.split(' ')[0]) - 1);
        await compare(shop, found, [...before, { bytes: Buffer.alloc(0), said: ['damaged_file'] }], '');
      }),
      { numRuns: RUNS / 2 },
    );
  });

  test('survives compressed files with changed bytes', async () => {
    await using shop = await workshop();
    const path = shop.path('logs/a.ndjson.zst');
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(log, fc.boolean(), flips, async (whole, zstd, changes) => {
        const packed = (zstd ? zstdCompressSync : gzipSync)(bytesOf(whole));
        for (const [at, byte] of changes) packed[at % packed.length] = byte;
        writeFileSync(path, packed);
        const { rows } = await exported(shop, path, { flags: '-f trl' });
        expect(rows === '' ? [] : await violationsOf(shop.output, 'trl')).toEqual([]);
      }),
      { numRuns: RUNS / 4 },
    );
  });

  test('gives the same result in any number of threads, with lines longer than a part of a file', async () => {
    await using shop = await workshop();
    const path = shop.path('logs/a.ndjson');
    const long = fc.tuple(
      fc.shuffledSubarray([...longPieces], { minLength: 2 }),
      fc.array(piece, { minLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(long, fc.boolean(), flag, async ([longs, shorts], ended, flags) => {
        const pieces = longs.flatMap((each, index) => [each, ...shorts.slice(index * 3, index * 3 + 3)]);
        const damaged: Log = { pieces, end: '\n', ended };
        writeFileSync(path, bytesOf(damaged));
        const one = await exported(shop, path, { flags });
        for (const threads of [1, 3]) {
          const many = await exported(shop, path, { flags, threads });
          expect(many.rows === one.rows).toBe(true);
          expect(many.troubles).toEqual(one.troubles);
          expect(many.report).toEqual(one.report);
        }
        await compare(shop, one, counted(damaged), flags);
      }),
      { numRuns: Math.ceil(RUNS / 100) },
    );
  });
});

describe('llmproxy export of a damaged log', () => {
  const MAIN = resolve(import.meta.dir, '../../src/main.ts');

  async function run(...args: string[]) {
    const child = Bun.spawn([process.execPath, '--no-env-file', MAIN, 'export', ...args], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(stderr).not.toMatch(/^\s+at .*[:(]\d+/m);
    return { code: await child.exited, stdout, stderr };
  }

  test('reports what is wrong with each line, and writes the others', async () => {
    await using shop = await workshop();
    const path = shop.path('logs/a.ndjson');
    const pieces = fc.sample(piece, { numRuns: 300, seed: 1 });
    const damaged: Log = { pieces, end: '\n', ended: false };
    writeFileSync(path, bytesOf(damaged));
    const { rows, troubles } = await exported(shop, path);
    const { code, stdout, stderr } = await run(path, '-f', 'openai', '--verbose', '--threads', '2');
    expect([code, stdout === rows]).toEqual([0, true]);
    const told = [...stderr.matchAll(/^.*:(\d+): (bad|dropped)(?: line)?, (\w+): /gm)];
    expect(told.map(([, number, kind, reason]) => `${number} ${kind} ${reason}`)).toEqual([...troubles]);
    expect((await run('--check', path, '-f', 'openai')).code).toBe(4);
  });
});
