import { describe, expect, test } from 'bun:test';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogFile } from '../../src/logs/files.ts';
import { fileReason, listLogs, logName, parseLogName } from '../../src/logs/names.ts';
import { FakeClock } from '../helpers/clock.ts';
import { logDirectory, parseLines } from '../helpers/log-directory.ts';

const DAY = '2026-03-04';

function openLog(directory: string, clock = new FakeClock(), rotateSize = 100, worker = 0) {
  const opened: string[] = [];
  const file = new LogFile({
    directory,
    worker,
    rotateSize,
    durable: false,
    clock,
    onOpen: (name) => opened.push(name),
    onProblem: (message) => expect.unreachable(message),
  });
  const append = async (text: string) =>
    expect(await file.append(Buffer.from(text))).toEqual({ bytes: text.length });
  return { file, opened, append };
}

const LINE = `${JSON.stringify({ text: 'x'.repeat(48) })}\n`;

test('fileReason() reports a directory that is a file as such, and not as an existing file', async () => {
  await using dir = await logDirectory();
  const path = join(dir.path, 'file');
  await writeFile(path, '');
  const { error } = await openLog(path).file.append(Buffer.from('x\n'));
  expect(fileReason(error)).toBe('its directory is a file');
});

describe('log names', () => {
  test.each([
    ['llmproxy-2026-03-04.ndjson', { day: DAY, worker: 0, sequence: 0, kind: 'plain' as const }],
    ['llmproxy-2026-03-04.12.ndjson', { day: DAY, worker: 0, sequence: 12, kind: 'plain' as const }],
    ['llmproxy-2026-03-04.12.ndjson.zst', { day: DAY, worker: 0, sequence: 12, kind: 'zst' as const }],
    ['llmproxy-2026-03-04.ndjson.zst.tmp', { day: DAY, worker: 0, sequence: 0, kind: 'tmp' as const }],
    ['llmproxy-2026-03-04.w2.ndjson', { day: DAY, worker: 2, sequence: 0, kind: 'plain' as const }],
    ['llmproxy-2026-03-04.w256.3.ndjson', { day: DAY, worker: 256, sequence: 3, kind: 'plain' as const }],
    ['llmproxy-2026-03-04.w2.1.ndjson.zst', { day: DAY, worker: 2, sequence: 1, kind: 'zst' as const }],
  ])('parseLogName() reads %s', (name, meaning) => {
    expect(parseLogName(name)).toEqual({ name, ...meaning });
    if (meaning.kind === 'plain') expect(logName(meaning.day, meaning.sequence, meaning.worker)).toBe(name);
  });

  test.each([
    'llmproxy-2026-03-04.0.ndjson',
    'llmproxy-2026-03-04.w0.ndjson',
    'llmproxy-2026-03-04.1.w2.ndjson',
    'llmproxy-2026-03-04.ndjson.gz',
    'llmproxy-2026-03-04.ndjson.bak',
    'my-llmproxy-2026-03-04.ndjson',
    'llmproxy.ndjson',
    'notes.txt',
  ])('parseLogName() returns undefined for %s', (name) => {
    expect(parseLogName(name)).toBeUndefined();
  });

  test('listLogs() sorts by day, then by number', async () => {
    await using dir = await logDirectory();
    const names = ['2026-03-05', '2026-03-04.10', '2026-03-04', '2026-03-04.9'];
    for (const name of names) await writeFile(join(dir.path, `llmproxy-${name}.ndjson`), '');
    await writeFile(join(dir.path, 'other.ndjson'), '');
    expect((await listLogs(dir.path)).map((log) => log.name.slice(9, -7))).toEqual([
      '2026-03-04',
      '2026-03-04.9',
      '2026-03-04.10',
      '2026-03-05',
    ]);
    expect(await listLogs(join(dir.path, 'missing'))).toEqual([]);
  });

  test('fileReason() returns the text of a system error', () => {
    expect(fileReason(new Error('ENOSPC: no space left on device, write'))).toBe('no space left on device');
    expect(fileReason(new Error('nothing was written'))).toBe('nothing was written');
  });
});

test('append() starts a new file when the current one has reached its size', async () => {
  await using dir = await logDirectory();
  const { file, opened, append } = openLog(dir.path);
  for (let count = 0; count < 5; count++) await append(LINE);
  await file.close();
  expect(opened).toEqual([0, 1, 2].map((sequence) => logName(DAY, sequence)));
  expect(await Promise.all(opened.map(dir.text))).toEqual([LINE + LINE, LINE + LINE, LINE]);
});

test('append() starts a new file on a new day', async () => {
  await using dir = await logDirectory();
  const clock = new FakeClock(Date.parse('2026-03-04T23:59:59.900Z'));
  const { file, append } = openLog(dir.path, clock);
  await append(LINE);
  clock.advance(200);
  await append(LINE);
  await file.close();
  expect(await dir.names()).toEqual([logName(DAY, 0), logName('2026-03-05', 0)]);
});

test('append() never rotates by size if the size is 0', async () => {
  await using dir = await logDirectory();
  const { file, append } = openLog(dir.path, undefined, 0);
  for (let count = 0; count < 5; count++) await append(LINE);
  await file.close();
  expect(await dir.names()).toEqual([logName(DAY, 0)]);
});

test.each([
  ['continues the newest file if it is below the size', { '': 200, '.1': 50 }, 1],
  ['does not continue a newest file that is full', { '': 200, '.1': 150 }, 2],
  ['does not continue an older file below the size', { '': 50, '.2': 50 }, 2],
  ['never appends to a file that was compressed', { '.1.zst': 10, '.1': 50 }, 2],
  ['counts a compressed file as the newest', { '.3.zst': 10 }, 4],
])('append() %s', async (_, existing, expected) => {
  await using dir = await logDirectory();
  for (const [suffix, size] of Object.entries(existing)) {
    const [, number = '', ending = ''] = /^(\.\d+)?(\.zst)?$/.exec(suffix)!;
    await writeFile(join(dir.path, `llmproxy-${DAY}${number}.ndjson${ending}`), `${'x'.repeat(size - 1)}\n`);
  }
  const { file, opened, append } = openLog(dir.path);
  await append(LINE);
  await file.close();
  expect(opened).toEqual([logName(DAY, expected)]);
});

test('append() starts on a new line after a truncated one of another process', async () => {
  await using dir = await logDirectory();
  const path = join(dir.path, logName(DAY, 0));
  await writeFile(path, '{"id":"whole"}\n{"id":"to');
  const clock = new FakeClock();
  const { file, append } = openLog(dir.path, clock, 10_000);
  await append('{"id":"a"}\n');
  await appendFile(path, '{"id":"tor');
  clock.advance(1_000);
  await append('{"id":"b"}\n');
  await append('{"id":"c"}\n');
  await file.close();
  const ids = parseLines(await dir.text(logName(DAY, 0))).map((line) => line?.id);
  expect(ids).toEqual(['whole', undefined, 'a', undefined, 'b', 'c']);
});

test.each([
  ['completes it', '{"id":"a"}\n{"id"', '{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n'],
  [
    'writes it again if another process has written in the meantime',
    '{"id":"a"}\n{"id"\n{"id":"x"}\n',
    '{"id":"a"}\n{"id"\n{"id":"x"}\n{"id":"b"}\n{"id":"c"}\n',
  ],
  [
    'writes it again after a truncated line of another process',
    '{"id":"a"}\n{"id"\n{"i',
    '{"id":"a"}\n{"id"\n{"i\n{"id":"b"}\n{"id":"c"}\n',
  ],
  ['writes it again in another file', '', '{"id":"b"}\n{"id":"c"}\n'],
])('append() of the rest of a line %s', async (_, before, after) => {
  await using dir = await logDirectory();
  await writeFile(join(dir.path, logName(DAY, 0)), before);
  const { file } = openLog(dir.path);
  const lines = Buffer.from('{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n');
  expect(await file.append(lines, '{"id":"a"}\n{"id"'.length)).toEqual({ bytes: lines.length });
  await file.close();
  expect(await dir.text(logName(DAY, 0))).toBe(after);
});

test.each([
  ['ends the line', '{"id":"a"}', '{"id":"a"}\n{"id":"b"}\n'],
  ['does not write it again in another file', '', '{"id":"b"}\n'],
])('append() of the end of a line %s', async (_, before, after) => {
  await using dir = await logDirectory();
  await writeFile(join(dir.path, logName(DAY, 0)), before);
  const { file } = openLog(dir.path);
  await file.append(Buffer.from('{"id":"a"}\n{"id":"b"}\n'), '{"id":"a"}'.length);
  await file.close();
  expect(await dir.text(logName(DAY, 0))).toBe(after);
});

test('append() of two writers fills the same files, and both rotate together', async () => {
  await using dir = await logDirectory();
  const clock = new FakeClock();
  const [first, second] = [openLog(dir.path, clock, 500), openLog(dir.path, clock, 500)];
  for (let number = 0; number < 20; number++) {
    await first.append(`{"id":"a${number}","pad":"${'x'.repeat(40)}"}\n`);
    await second.append(`{"id":"b${number}","pad":"${'x'.repeat(40)}"}\n`);
    clock.advance(300);
  }
  await Promise.all([first.file.close(), second.file.close()]);
  const names = await dir.names();
  expect(first.opened.toSorted()).toEqual(names);
  expect(second.opened.toSorted()).toEqual(names);
  const lines = (await Promise.all(names.map(async (name) => parseLines(await dir.text(name))))).flat();
  expect(new Set(lines.map((line) => line?.id)).size).toBe(40);
  expect(lines).toHaveLength(40);
});

test('each worker appends to its own files, and rotates them independently', async () => {
  await using dir = await logDirectory();
  const one = openLog(dir.path, undefined, 100, 1);
  const two = openLog(dir.path, undefined, 100, 2);
  await one.append(LINE);
  await one.append(LINE);
  await one.append(LINE);
  await two.append(LINE);
  await one.file.close();
  await two.file.close();
  expect(await dir.names()).toEqual([logName(DAY, 1, 1), logName(DAY, 0, 1), logName(DAY, 0, 2)]);
  expect(await dir.text(logName(DAY, 0, 2))).toBe(LINE);
});

test('a truncated line of one worker does not affect lines of another', async () => {
  await using dir = await logDirectory();
  const one = openLog(dir.path, undefined, 0, 1);
  const two = openLog(dir.path, undefined, 0, 2);
  await one.append(LINE);
  await two.append(LINE);
  // As kill -9 within a write leaves it.
  await appendFile(join(dir.path, logName(DAY, 0, 1)), '{"torn":');
  await two.append(LINE);
  const again = openLog(dir.path, undefined, 0, 1);
  await again.append(LINE);
  for (const { file } of [one, two, again]) await file.close();
  expect(await dir.text(logName(DAY, 0, 1))).toBe(`${LINE}{"torn":\n${LINE}`);
  expect(await dir.text(logName(DAY, 0, 2))).toBe(LINE + LINE);
});
