import { expect, test } from 'bun:test';
import { open, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { compressFile } from '../../src/logs/compress.ts';
import type { RetentionSettings } from '../../src/logs/retention.ts';
import { Retention } from '../../src/logs/retention.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { FakeClock } from '../helpers/clock.ts';
import { logDirectory, logSettings } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord, plainRedaction } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const DAY_MS = 86_400_000;

type Settings = Partial<Omit<RetentionSettings, 'retention'>> & {
  readonly retention?: number | RetentionSettings['retention'];
};

function name(rest: string, ending = ''): string {
  return `llmproxy-${rest}.ndjson${ending}`;
}

/** @param settings with one age for complete files, or one for each part */
function setup(directory: string, settings: Settings, settleMs?: number, worker = 0) {
  const clock = new FakeClock(NOW);
  const problems: string[] = [];
  const deps = { clock, worker, onProblem: (message: string) => problems.push(message) };
  const { retention: age = 0, ...others } = settings;
  const retained = typeof age === 'number' ? { content: 0, head: age } : age;
  const all = { directory, max_total: 0, compress: 'none' as const, ...others, retention: retained };
  return { retention: new Retention(all, deps, settleMs), clock, problems };
}

/** Writes a file that was last changed `ageMs` before noon of the tenth. */
async function place(directory: string, file: string, ageMs: number, text = 'x'.repeat(100)): Promise<void> {
  await writeFile(join(directory, file), text);
  await utimes(join(directory, file), (NOW - ageMs) / 1000, (NOW - ageMs) / 1000);
}

test('sweep() deletes files that exceed the retention, and no files of other programs', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-01'), 9 * DAY_MS);
  await place(dir.path, name('2026-03-02', '.zst'), 8 * DAY_MS);
  // Restored from a backup: its age follows from its name, not from the time of the copy.
  await place(dir.path, name('2026-02-01'), 0);
  await place(dir.path, name('2026-03-08'), 2 * DAY_MS);
  await place(dir.path, 'llmproxy-2026-03-01.ndjson.bak', 9 * DAY_MS);
  await place(dir.path, 'notes.txt', 90 * DAY_MS);
  const { retention, problems } = setup(dir.path, { retention: 3 * DAY_MS });
  await retention.sweep();
  await retention.close();
  expect(await dir.names()).toEqual(['llmproxy-2026-03-01.ndjson.bak', name('2026-03-08'), 'notes.txt']);
  expect(problems).toEqual([]);
});

test('sweep() keeps the file being written and today’s newest file, whatever their age', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-09'), DAY_MS);
  await place(dir.path, name('2026-03-10'), 3_000_000);
  await place(dir.path, name('2026-03-10.1'), 3_000_000);
  const { retention } = setup(dir.path, { retention: 1_000 });
  retention.opened(name('2026-03-09'));
  await retention.sweep();
  await retention.close();
  expect(await dir.names()).toEqual([name('2026-03-09'), name('2026-03-10.1')].sort());
});

test('sweep() deletes the oldest files until the rest is within the total', async () => {
  await using dir = await logDirectory();
  for (const day of ['2026-03-08', '2026-03-09', '2026-03-09.2', '2026-03-09.10', '2026-03-10']) {
    await place(dir.path, name(day), 0);
  }
  const { retention } = setup(dir.path, { max_total: 250 });
  await retention.sweep();
  await retention.close();
  expect(await dir.names()).toEqual([name('2026-03-09.10'), name('2026-03-10')]);
});

test('sweep() repeats every hour if there is a maximum age, and only then', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-09'), 13 * 3_600_000);
  const { retention, clock } = setup(dir.path, { retention: 14 * 3_600_000 });
  await retention.sweep();
  expect(await dir.names()).toHaveLength(1);
  clock.advance(3_600_000);
  await retention.sweep();
  expect(await dir.names()).toEqual([]);
  expect(clock.timers).toBe(1);
  await retention.close();
  expect(clock.timers).toBe(0);
  expect(setup(dir.path, { max_total: 1 }).clock.timers).toBe(0);
});

test('sweep() compresses closed files completely after a delay, and keeps their time', async () => {
  await using dir = await logDirectory();
  const text = '{"a":1}\n'.repeat(50_000);
  await place(dir.path, name('2026-03-09'), DAY_MS, text);
  await place(dir.path, name('2026-03-10'), 120_000, text);
  await place(dir.path, name('2026-03-10.1'), 30_000, text);
  await place(dir.path, name('2026-03-10.2'), 120_000, text);
  const { retention, clock, problems } = setup(dir.path, { compress: 'zstd' });
  await retention.sweep();
  const done = [name('2026-03-09', '.zst'), name('2026-03-10', '.zst')];
  expect(await dir.names()).toEqual([done[0]!, name('2026-03-10.1'), name('2026-03-10.2'), done[1]!].sort());
  for (const file of done) {
    expect(zstdDecompressSync(await Bun.file(join(dir.path, file)).bytes()).toString()).toBe(text);
    expect((await stat(join(dir.path, file))).mode & 0o777).toBe(0o600);
  }
  expect((await stat(join(dir.path, done[0]!))).mtimeMs).toBeCloseTo(NOW - DAY_MS, 0);
  // The file that was too young is compressed as soon as the delay is over.
  clock.advance(30_000);
  await retention.sweep();
  expect(await dir.names()).toContain(name('2026-03-10.1', '.zst'));
  await retention.close();
  expect(problems).toEqual([]);
});

test('sweep() leaves a copy that another process is making until it is stale', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-09'), DAY_MS, 'line\n');
  await place(dir.path, name('2026-03-09', '.zst.tmp'), 60_000, 'half');
  const { retention, clock } = setup(dir.path, { compress: 'zstd' });
  await retention.sweep();
  expect(await dir.names()).toEqual([name('2026-03-09'), name('2026-03-09', '.zst.tmp')]);
  clock.advance(600_000);
  await retention.sweep();
  expect(await dir.names()).toEqual([name('2026-03-09', '.zst')]);
  await retention.close();
});

test('sweep() keeps one of copy and original if a process left both', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-08'), DAY_MS);
  await place(dir.path, name('2026-03-08', '.zst'), DAY_MS);
  await place(dir.path, name('2026-03-09'), 1_000);
  await place(dir.path, name('2026-03-09', '.zst'), DAY_MS);
  const { retention } = setup(dir.path, { max_total: 1_000_000 });
  await retention.sweep();
  await retention.close();
  // The copy of the first original is complete; the second original grew after its copy was made.
  expect(await dir.names()).toEqual([name('2026-03-08', '.zst'), name('2026-03-09')]);
});

test('compressFile() keeps the original if it grew in the meantime', async () => {
  await using dir = await logDirectory();
  const path = join(dir.path, name('2026-03-09'));
  await writeFile(path, Buffer.alloc(20_000_000, 'abcdefgh\n'));
  const work = compressFile(path, { nowMs: Date.now(), signal: new AbortController().signal });
  const other = await open(path, 'a');
  const state = { settled: false };
  const watch = work.finally(() => (state.settled = true));
  while (!state.settled) await other.write('late\n');
  await other.close();
  expect(await watch).toBe(false);
  expect(await dir.names()).toEqual([name('2026-03-09')]);
});

test('close() stops a compression in progress and leaves no copy', async () => {
  await using dir = await logDirectory();
  await writeFile(join(dir.path, name('2026-03-09')), Buffer.alloc(50_000_000, 'abcdefgh\n'));
  const { retention, problems } = setup(dir.path, { compress: 'zstd' }, -Infinity);
  const sweep = retention.sweep();
  await until('the copy to be started', async () => (await dir.names()).length, { atLeast: 2, everyMs: 0 });
  await retention.close();
  await sweep;
  expect(await dir.names()).toEqual([name('2026-03-09')]);
  expect(problems).toEqual([]);
});

test('LogWriter applies retention when it opens a file', async () => {
  await using dir = await logDirectory();
  await place(dir.path, name('2026-03-01'), 9 * DAY_MS);
  const writer = new LogWriter(logSettings(dir.path, { retention: { content: 0, head: DAY_MS } }), {
    clock: new FakeClock(NOW),
    redaction: () => plainRedaction,
    makeLine: async (record) => Buffer.from(encodeRecord(record)),
    onProblem: (message) => expect.unreachable(message),
  });
  writer.write(logRecord());
  await writer.flush();
  await until('the old file to be gone', async () => (await dir.names()).length, { is: 1 });
  await writer.close();
  expect(await dir.names()).toEqual([name('2026-03-10')]);
});

test('sweep() does not touch a file that another worker may have open', async () => {
  await using dir = await logDirectory();
  const names = ['2026-03-08.w9', '2026-03-09.w2', '2026-03-10.w1', '2026-03-10.w2', '2026-03-10.w2.1'];
  for (const each of names) await place(dir.path, name(each), 120_000);
  const { retention, clock } = setup(dir.path, { max_total: 1 }, undefined, 1);
  retention.opened(name('2026-03-10.w1'));
  await retention.sweep();
  // Nothing is written to a file of a past day, or to one that its worker has replaced with a newer one, even if the
  // worker no longer exists.
  expect(await dir.names()).toEqual([name('2026-03-10.w1'), name('2026-03-10.w2.1')]);
  // Midnight: the other workers have not rotated yet.
  clock.advance(12 * 3_600_000);
  retention.opened(name('2026-03-11.w1'));
  await retention.sweep();
  expect(await dir.names()).toEqual([name('2026-03-10.w2.1')]);
  clock.advance(60_000);
  await retention.sweep();
  expect(await dir.names()).toEqual([]);
  await retention.close();
});
