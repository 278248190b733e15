import { describe, expect, test } from 'bun:test';
import { chmod, open, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expireFile, isExpired } from '../../src/logs/expire.ts';
import type { RetentionSettings } from '../../src/logs/retention.ts';
import { Retention } from '../../src/logs/retention.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { FakeClock } from '../helpers/clock.ts';
import { logDirectory, logSettings, parseLines } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord, plainRedaction } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const DAY_MS = 86_400_000;
const NAME = 'llmproxy-2026-03-01.ndjson';
const never = () => ({ nowMs: Date.now(), signal: new AbortController().signal });

/** The lines of this many records. */
const linesOf = (count: number, size = 100): string =>
  Array.from({ length: count }, (_, n) =>
    encodeRecord(logRecord({ id: `req-${n}`, request: JSON.stringify({ secret: 'x'.repeat(size) }) })),
  ).join('');

/** Writes a file that was last changed this long before noon of the tenth. */
async function place(directory: string, name: string, content: string | Buffer, ageMs = 9 * DAY_MS) {
  const path = join(directory, name);
  await writeFile(path, content, { mode: 0o600 });
  await utimes(path, (NOW - ageMs) / 1_000, (NOW - ageMs) / 1_000);
  return path;
}

async function recordsIn(path: string) {
  const bytes = await readFile(path);
  return parseLines((path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString());
}

function expectHeads(records: Awaited<ReturnType<typeof recordsIn>>, count: number): void {
  expect(records.map((record) => record?.id)).toEqual(Array.from({ length: count }, (_, n) => `req-${n}`));
  expect(new Set(records.map((record) => record?.content))).toEqual(new Set(['expired']));
  expect(records.some((record) => record && ('request' in record || 'response' in record))).toBe(false);
}

describe('expireFile()', () => {
  test.each([NAME, `${NAME}.zst`])('keeps only the heads in %s, with its time and mode', async (name) => {
    await using dir = await logDirectory();
    const text = Buffer.from(linesOf(3_000, 2_000));
    const path = await place(dir.path, name, name.endsWith('.zst') ? zstdCompressSync(text) : text);
    await chmod(path, 0o640);
    const before = await stat(path);
    expect(await isExpired(path, never().signal)).toBe(false);
    expect(await expireFile(path, never())).toEqual({ lost: 0, damaged: false });
    expectHeads(await recordsIn(path), 3_000);
    const after = await stat(path);
    expect([after.mode & 0o777, Math.round(after.mtimeMs)]).toEqual([0o640, Math.round(before.mtimeMs)]);
    expect([await isExpired(path, never().signal), await dir.names()]).toEqual([true, [name]]);
  });

  test('keeps a record that was cut within its request, and counts lines that are not records', async () => {
    await using dir = await logDirectory();
    const torn = linesOf(1).trimEnd().slice(0, -100);
    const path = await place(dir.path, NAME, `${torn}\nnot ours\n{"a":1}\n\n${linesOf(1).trimEnd()}`);
    expect(await expireFile(path, never())).toEqual({ lost: 2, damaged: false });
    expect((await recordsIn(path)).map((record) => record?.id)).toEqual(['req-0', 'req-0']);
    expect(await dir.text(NAME)).not.toContain('secret');
  });

  test('keeps what comes before the damage in a compressed file', async () => {
    await using dir = await logDirectory();
    // Separate frames, as several writes make them; the last one is truncated.
    const whole = zstdCompressSync(Buffer.from(linesOf(50)));
    const cut = zstdCompressSync(Buffer.from(linesOf(2_000, 3_000))).subarray(0, 200);
    const path = await place(dir.path, `${NAME}.zst`, Buffer.concat([whole, cut]));
    expect((await expireFile(path, never()))?.damaged).toBe(true);
    expectHeads((await recordsIn(path)).slice(0, 50), 50);
  });

  test('leaves an empty file empty, and treats it as expired', async () => {
    await using dir = await logDirectory();
    const path = await place(dir.path, NAME, '');
    expect(await isExpired(path, never().signal)).toBe(true);
  });

  test('abandons a file that grows, disappears or is being replaced by another process', async () => {
    await using dir = await logDirectory();
    const path = await place(dir.path, NAME, linesOf(20_000, 1_000));
    const work = expireFile(path, never());
    const state = { settled: false };
    const watch = work.finally(() => (state.settled = true));
    const other = await open(path, 'a');
    while (!state.settled) await other.write(linesOf(1));
    await other.close();
    expect([await watch, await dir.names()]).toEqual([undefined, [NAME]]);
    expect((await recordsIn(path)).every((record) => record?.content === 'full')).toBe(true);
    const copy = await place(dir.path, `${NAME}.heads.tmp`, 'half', 0);
    await utimes(copy, Date.now() / 1_000, Date.now() / 1_000);
    expect(await expireFile(path, never())).toBeUndefined();
    expect(await dir.names()).toEqual([NAME, `${NAME}.heads.tmp`]);
  });

  test('yields to other work', async () => {
    await using dir = await logDirectory();
    const path = await place(dir.path, NAME, linesOf(60_000, 200));
    const state = { turns: 0, done: false };
    const others = (async () => {
      for (; !state.done; state.turns += 1) await new Promise((resolve) => setImmediate(resolve));
    })();
    await expireFile(path, never());
    state.done = true;
    await others;
    expect(state.turns).toBeGreaterThan(10);
  });
});

function sweeping(directory: string, settings: Partial<RetentionSettings>, settleMs?: number) {
  const clock = new FakeClock(NOW);
  const problems: string[] = [];
  const deps = { clock, worker: 0, onProblem: (message: string) => problems.push(message) };
  const all = {
    directory,
    retention: { content: 0, head: 0 },
    max_total: 0,
    compress: 'none' as const,
    ...settings,
  };
  return { retention: new Retention(all, deps, settleMs), clock, problems };
}

describe('Retention with different ages for content and head', () => {
  test('removes the content first, and deletes the file later', async () => {
    await using dir = await logDirectory();
    const names = ['2026-02-01', '2026-03-02', '2026-03-04', '2026-03-08', '2026-03-10'].map(
      (day) => `llmproxy-${day}.ndjson`,
    );
    for (const name of names) await place(dir.path, name, linesOf(3), NOW - Date.parse(name.slice(9, 19)));
    const { retention, clock, problems } = sweeping(dir.path, {
      retention: { content: 5 * DAY_MS, head: 30 * DAY_MS },
    });
    retention.opened(names[2]!);
    await retention.sweep();
    // The third file is old, but still being written.
    const contents = async () => {
      const records = await Promise.all(names.slice(1).map((name) => recordsIn(join(dir.path, name))));
      return records.map(([first]) => first?.content);
    };
    expect(await dir.names()).toEqual(names.slice(1));
    expect(await contents()).toEqual(['expired', 'full', 'full', 'full']);
    retention.opened('llmproxy-2026-03-10.1.ndjson');
    await retention.sweep();
    expect(await contents()).toEqual(['expired', 'expired', 'full', 'full']);
    clock.advance(4 * DAY_MS);
    await retention.sweep();
    expect(await contents()).toEqual(['expired', 'expired', 'expired', 'full']);
    clock.advance(40 * DAY_MS);
    await retention.sweep();
    expect(await dir.names()).toEqual([]);
    await retention.close();
    expect(problems).toEqual([]);
  });

  test('compresses a file from which it has removed the content, and processes each file once', async () => {
    await using dir = await logDirectory();
    await place(dir.path, NAME, linesOf(10));
    const { retention } = sweeping(dir.path, { retention: { content: DAY_MS, head: 0 }, compress: 'zstd' });
    await retention.sweep();
    const path = join(dir.path, `${NAME}.zst`);
    expect(await dir.names()).toEqual([`${NAME}.zst`]);
    expectHeads(await recordsIn(path), 10);
    const { ino } = await stat(path);
    await retention.sweep();
    expect((await stat(path)).ino).toBe(ino);
    await retention.close();
  });

  test('reports lines that are not records, and removes what a dead process left behind', async () => {
    await using dir = await logDirectory();
    await place(dir.path, NAME, `hello\n${linesOf(1)}`);
    await place(dir.path, `${NAME}.heads.tmp`, 'half', DAY_MS);
    const { retention, problems } = sweeping(dir.path, { retention: { content: DAY_MS, head: 0 } });
    await retention.sweep();
    await retention.close();
    expect(problems).toEqual([
      `Removed the content from the request log ${join(dir.path, NAME)}: lines that were not records are gone (1)`,
    ]);
    expect(await dir.names()).toEqual([NAME]);
    expectHeads(await recordsIn(join(dir.path, NAME)), 1);
  });

  test('close() stops the work and leaves the file unchanged', async () => {
    await using dir = await logDirectory();
    const text = linesOf(50_000, 500);
    await place(dir.path, NAME, text);
    const { retention, problems } = sweeping(dir.path, { retention: { content: DAY_MS, head: 0 } });
    const sweep = retention.sweep();
    await until('the copy to be started', async () => (await dir.names()).length, { atLeast: 2, everyMs: 0 });
    await retention.close();
    await sweep;
    expect([await dir.names(), problems]).toEqual([[NAME], []]);
    expect((await stat(join(dir.path, NAME))).size).toBe(Buffer.byteLength(text));
  });
});

test('retention also applies to the file of a process that writes no more', async () => {
  await using dir = await logDirectory();
  const clock = new FakeClock(NOW);
  const writer = new LogWriter(
    logSettings(dir.path, { retention: { content: DAY_MS, head: 0 }, flush_interval: 1 }),
    {
      clock,
      redaction: () => plainRedaction,
      makeLine: async (record) => Buffer.from(encodeRecord(record)),
      onProblem: (message) => expect.unreachable(message),
    },
  );
  writer.write(logRecord({ id: 'req-0' }));
  await writer.flush();
  const [name] = await dir.names();
  await utimes(join(dir.path, name!), NOW / 1_000, NOW / 1_000);
  for (let hours = 0; hours < 60; hours += 1) {
    clock.advance(3_600_000);
    await Bun.sleep(2);
  }
  await until('the content to be gone', async () => {
    clock.advance(3_600_000);
    const [record] = await recordsIn(join(dir.path, name!));
    return record?.content === 'expired';
  });
  await writer.close();
});

const PROCESS = join(import.meta.dir, '../helpers/retention-process.ts');
const start = (directory: string) =>
  Bun.spawn([process.execPath, PROCESS, directory, String(DAY_MS)], { stdout: 'pipe', stderr: 'pipe' });

test('several processes remove the content from the same files, and lose nothing', async () => {
  await using dir = await logDirectory();
  const days = ['2026-02-01', '2026-02-02', '2026-02-03', '2026-02-04'];
  for (const day of days) await place(dir.path, `llmproxy-${day}.ndjson`, linesOf(2_000, 500), 20 * DAY_MS);
  const processes = [1, 2, 3].map(() => start(dir.path));
  expect(await Promise.all(processes.map((each) => each.exited))).toEqual([0, 0, 0]);
  // A file that one process skipped because another had begun it is found done by the next sweep.
  expect(await start(dir.path).exited).toBe(0);
  for (const each of processes) expect(await each.stderr.text()).toBe('');
  expect(await dir.names()).toEqual(days.map((day) => `llmproxy-${day}.ndjson`));
  for (const day of days) expectHeads(await recordsIn(join(dir.path, `llmproxy-${day}.ndjson`)), 2_000);
});

test('kill -9 at any moment leaves each file in its previous or its final state', async () => {
  await using dir = await logDirectory();
  const count = 8_000;
  const path = await place(dir.path, NAME, linesOf(count, 500));
  for (let round = 0; round < 6; round += 1) {
    const killed = start(dir.path);
    const reader = killed.stdout.getReader();
    await reader.read();
    await Bun.sleep(round * 25);
    killed.kill('SIGKILL');
    await killed.exited;
    const records = await recordsIn(path);
    expect(records.map((record) => record?.id)).toEqual(Array.from({ length: count }, (_, n) => `req-${n}`));
    expect(new Set(records.map((record) => record?.content)).size).toBe(1);
    // Removed so that the next process does not wait until the copy is stale.
    const copy = `${path}.heads.tmp`;
    if (await Bun.file(copy).exists()) await utimes(copy, 1, 1);
  }
  expect(await start(dir.path).exited).toBe(0);
  expectHeads(await recordsIn(path), count);
  expect(await dir.names()).toEqual([NAME]);
});

test('a process with a replaced file still open can see that it is no longer linked', async () => {
  await using dir = await logDirectory();
  const path = await place(dir.path, NAME, linesOf(5));
  const late = await open(path, 'a');
  await expireFile(path, never());
  // The writer checks this after each write, and writes such lines again to a new file.
  expect((await late.stat()).nlink).toBe(0);
  await late.close();
});
