import { expect, test } from 'bun:test';
import { mkdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { LogRecord } from '../../src/logs/record.ts';
import { ENDPOINT_NAMES } from '../../src/wire/endpoints.ts';
import { Secrets } from '../../src/logs/secrets.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { FakeClock } from '../helpers/clock.ts';
import type { RequestLog } from '../helpers/log-directory.ts';
import { logDirectory, logSettings, parseLines } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord, plainRedaction } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

const TODAY = 'llmproxy-2026-03-04.ndjson';

function setup(directory: string, changes: Partial<RequestLog> = {}, worker?: number) {
  const clock = new FakeClock();
  const problems: string[] = [];
  const writer = new LogWriter(logSettings(directory, changes), {
    clock,
    worker,
    redaction: () => plainRedaction,
    makeLine: async (record) => Buffer.from(encodeRecord(record)),
    onProblem: (message) => problems.push(message),
  });
  return { writer, clock, problems };
}

function ids(text: string): unknown[] {
  return parseLines(text).map((line) => line?.id);
}

test('write() does not touch a file before the flush interval, and writes everything after it', async () => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path);
  writer.write(logRecord({ id: 'a' }));
  clock.advance(199);
  await Bun.sleep(5);
  expect(await dir.names()).toEqual([]);
  expect(writer.stats).toMatchObject({ written: 0, dropped: 0 });
  expect(writer.stats.pending).toBeGreaterThan(0);
  clock.advance(1);
  await writer.flush();
  expect(ids(await dir.text(TODAY))).toEqual(['a']);
  const bytes = (await stat(join(dir.path, TODAY))).size;
  expect(writer.stats).toEqual({ written: 1, bytes, dropped: 0, errors: 0, pending: 0 });
  await writer.close();
});

test('LogWriter sets no timer while nothing is queued', async () => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path);
  expect(clock.timers).toBe(0);
  writer.write(logRecord());
  writer.write(logRecord());
  expect(clock.timers).toBe(1);
  await writer.flush();
  expect(clock.timers).toBe(0);
  await writer.close();
});

test('write() starts to write at 256 KiB without waiting', async () => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path);
  const half = JSON.stringify('x'.repeat(135_000));
  writer.write(logRecord({ id: 'a', request: half }));
  await Bun.sleep(5);
  expect(await dir.names()).toEqual([]);
  writer.write(logRecord({ id: 'b', request: half }));
  await until('both records to be written', () => writer.stats.written, { is: 2 });
  expect(ids(await dir.text(TODAY))).toEqual(['a', 'b']);
  expect(clock.monotonic()).toBe(0);
  await writer.close();
});

test('flush() resolves when every record accepted before is in the file', async () => {
  await using dir = await logDirectory();
  const { writer } = setup(dir.path);
  const big = JSON.stringify('x'.repeat(270_000));
  const flushes: Promise<void>[] = [];
  for (let number = 0; number < 20; number++) {
    writer.write(logRecord({ id: `${number}`, request: big }));
    flushes.push(writer.flush().then(() => expect(writer.stats.written).toBeGreaterThan(number)));
  }
  await Promise.all(flushes);
  expect(ids(await dir.text(TODAY))).toEqual(Array.from({ length: 20 }, (_, number) => `${number}`));
  await writer.close();
});

test('close() writes everything that is queued, and later records are dropped', async () => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path, { fsync: 'interval' });
  for (let number = 0; number < 500; number++) writer.write(logRecord({ id: `${number}` }));
  const closed = writer.close();
  writer.write(logRecord({ id: 'late' }));
  await Promise.all([closed, writer.close()]);
  expect(ids(await dir.text(TODAY))).toHaveLength(500);
  expect(writer.stats).toMatchObject({ written: 500, dropped: 1, pending: 0 });
  expect(clock.timers).toBe(0);
});

test('close() creates no directory if nothing was written', async () => {
  await using dir = await logDirectory();
  const { writer } = setup(join(dir.path, 'logs'));
  await writer.close();
  expect(await dir.names()).toEqual([]);
});

test('LogWriter creates its directory with permissions for the owner only', async () => {
  await using dir = await logDirectory();
  const { writer } = setup(join(dir.path, 'a', 'b'));
  writer.write(logRecord());
  await writer.close();
  const mode = async (...path: string[]) => (await stat(join(dir.path, ...path))).mode & 0o777;
  expect([await mode('a'), await mode('a', 'b'), await mode('a', 'b', TODAY)]).toEqual([0o700, 0o700, 0o600]);
});

test.each(['never', 'interval', 'always'] as const)('fsync: %s writes the same lines', async (fsync) => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path, { fsync });
  for (const id of ['a', 'b', 'c']) {
    writer.write(logRecord({ id }));
    await writer.flush();
  }
  clock.advance(1_000);
  await writer.flush();
  expect(clock.timers).toBe(0);
  await writer.close();
  expect(ids(await dir.text(TODAY))).toEqual(['a', 'b', 'c']);
});

test('write() drops records that exceed the queue, counts them and reports it once', async () => {
  await using dir = await logDirectory();
  const { writer, problems } = setup(dir.path, { queue: 10_000 });
  for (let number = 0; number < 100; number++) writer.write(logRecord({ id: `${number}` }));
  expect(writer.stats.pending).toBeLessThanOrEqual(10_000);
  expect(writer.stats.dropped).toBeGreaterThan(80);
  expect(problems).toEqual(['The queue of the request log is full: records are dropped and counted']);
  const { dropped } = writer.stats;
  await writer.flush();
  expect(problems[1]).toBe(`The queue of the request log has room again, ${dropped} records were dropped`);
  writer.write(logRecord({ id: 'after' }));
  await writer.close();
  expect(problems).toHaveLength(2);
  expect(ids(await dir.text(TODAY))).toHaveLength(100 - dropped + 1);
});

test('write() never throws: a record that cannot be encoded is dropped, and its text is not in the message', async () => {
  await using dir = await logDirectory();
  const { writer, problems } = setup(dir.path);
  writer.write(logRecord({ id: 'bad', request: '{"private\n' }));
  writer.write(logRecord({ id: 'bad', request: '{"private\n' }));
  writer.write(logRecord({ id: 'good' }));
  await writer.close();
  expect(problems).toEqual([
    'Cannot encode the log record of request bad: SyntaxError; it is dropped and counted',
  ]);
  expect(writer.stats).toMatchObject({ written: 1, dropped: 2, errors: 2 });
});

test('write() never throws: an exception in onProblem is counted', async () => {
  await using dir = await logDirectory();
  const writer = new LogWriter(logSettings(dir.path, { queue: 1 }), {
    clock: new FakeClock(),
    redaction: () => plainRedaction,
    makeLine: async (record) => Buffer.from(encodeRecord(record)),
    onProblem: () => {
      throw new Error('stderr is closed');
    },
  });
  writer.write(logRecord());
  await writer.close();
  expect(writer.stats).toMatchObject({ dropped: 1, errors: 1 });
});

const FAILS = (path: string, reason: string, advice: string) =>
  `Cannot write the request log ${path}: ${reason}; ${advice}. Records wait in memory meanwhile, up to logging.requests.queue; further ones are lost`;

/** What may prevent writing to `logs`, how it is removed, and how it is reported. */
const obstacles: [string, (path: string) => Promise<() => Promise<unknown>>, string, string][] = [
  [
    'a file in place of the directory',
    async (path) => {
      await writeFile(path, '');
      return () => rm(path);
    },
    'its directory is a file',
    'move what is in the way, or set logging.requests.directory',
  ],
  [
    'a directory in place of the file',
    async (path) => {
      await mkdir(join(path, TODAY), { recursive: true });
      return () => rm(join(path, TODAY), { recursive: true });
    },
    'it is a directory',
    'move what is in the way, or set logging.requests.directory',
  ],
  [
    'a full device',
    async (path) => {
      await mkdir(path);
      await symlink('/dev/full', join(path, TODAY));
      return () => rm(join(path, TODAY));
    },
    'no space left on device',
    'free space on its disk',
  ],
];

test.each(obstacles)(
  'records are queued while there is %s, and written when it is gone',
  async (_, put, reason, advice) => {
    await using dir = await logDirectory();
    const directory = join(dir.path, 'logs');
    const remove = await put(directory);
    const { writer, clock, problems } = setup(directory);
    for (const id of ['a', 'b']) {
      writer.write(logRecord({ id }));
      await writer.flush();
    }
    expect(problems).toEqual([FAILS(join(directory, TODAY), reason, advice)]);
    expect(writer.stats).toMatchObject({ written: 0, dropped: 0, errors: 2 });
    expect(writer.state).toMatchObject({
      state: 'failing',
      since: '2026-03-04T05:06:07.000Z',
      reason,
      lost: 0,
    });
    expect(writer.state.pending).toBeGreaterThan(2_000);
    await remove();
    writer.write(logRecord({ id: 'c' }));
    clock.advance(10_000);
    await until('all to be written', () => writer.stats.written, { is: 3 });
    expect(problems.slice(1)).toEqual([
      `Request log ${join(directory, TODAY)} is written again, 0 records were lost`,
    ]);
    expect(ids(await dir.text(join('logs', TODAY)))).toEqual(['a', 'b', 'c']);
    expect(writer.state).toEqual({ state: 'ok', since: null, reason: null, pending: 0, lost: 0 });
    await writer.close();
    expect(clock.timers).toBe(0);
  },
);

test('a failed write is retried after 250 ms, then after twice as long each time, at most 10 s', async () => {
  await using dir = await logDirectory();
  await symlink('/dev/full', join(dir.path, TODAY));
  const { writer, clock } = setup(dir.path);
  writer.write(logRecord());
  await writer.flush();
  for (const [attempt, waitMs] of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
    writer.write(logRecord());
    await until('the attempt to end', () => clock.timers, { is: 1 });
    clock.advance(waitMs - 1);
    await Bun.sleep(2);
    expect(writer.stats.errors).toBe(attempt + 1);
    clock.advance(1);
    await until('the next attempt', () => writer.stats.errors, { is: attempt + 2 });
  }
  await writer.close();
});

test('while writing fails, only records that exceed the queue are lost, and their number is reported at the end', async () => {
  await using dir = await logDirectory();
  await symlink('/dev/full', join(dir.path, TODAY));
  const { writer, clock, problems } = setup(dir.path, { queue: 10_000 });
  for (let number = 0; number < 20; number++) {
    writer.write(logRecord({ id: `${number}` }));
    await writer.flush();
  }
  const { dropped } = writer.stats;
  expect(dropped).toBeGreaterThan(5);
  expect(writer.state.lost).toBe(dropped);
  expect(writer.state.pending).toBeLessThanOrEqual(10_000);
  await rm(join(dir.path, TODAY));
  clock.advance(10_000);
  await until('the rest to be written', () => writer.stats.pending, { is: 0 });
  expect(problems.slice(1)).toEqual([
    `Request log ${join(dir.path, TODAY)} is written again, ${dropped} records were lost`,
  ]);
  expect(ids(await dir.text(TODAY))).toEqual(
    Array.from({ length: 20 - dropped }, (_, number) => `${number}`),
  );
  await writer.close();
});

test('close() retries once, and reports how many records are lost if that fails too', async () => {
  await using dir = await logDirectory();
  await symlink('/dev/full', join(dir.path, TODAY));
  const { writer, clock, problems } = setup(dir.path);
  for (let number = 0; number < 500; number++) {
    writer.write(logRecord({ id: `${number}`, request: `"${'x'.repeat(3_000)}"` }));
  }
  await writer.flush();
  await writer.close();
  expect(problems[1]).toBe(
    `Cannot write the request log ${join(dir.path, TODAY)} before the end: no space left on device; 500 records were lost`,
  );
  expect(writer.stats).toMatchObject({ written: 0, dropped: 500, pending: 0 });
  expect(clock.timers).toBe(0);
});

test('close() writes what is queued as soon as writing is possible again', async () => {
  await using dir = await logDirectory();
  await symlink('/dev/full', join(dir.path, TODAY));
  const { writer } = setup(dir.path);
  writer.write(logRecord({ id: 'a' }));
  await writer.flush();
  await rm(join(dir.path, TODAY));
  await writer.close();
  expect(ids(await dir.text(TODAY))).toEqual(['a']);
  expect(writer.stats).toMatchObject({ written: 1, dropped: 0, pending: 0 });
});

test('lines that were queued while the secrets changed contain neither the earlier nor the new ones', async () => {
  await using dir = await logDirectory();
  await symlink('/dev/full', join(dir.path, TODAY));
  const secrets = new Secrets(['former-secret'], []);
  const writer = new LogWriter(logSettings(dir.path), {
    clock: new FakeClock(),
    redaction: () => secrets.redaction,
    makeLine: () => expect.unreachable('there is no large record'),
    onProblem: () => {},
  });
  writer.write(logRecord({ id: 'a', request: '"former-secret, fresh-secret"' }));
  await writer.flush();
  const request = '"former-secret, fresh-secret, minted-secret"';
  for (let number = 0; number < 200; number++) writer.write(logRecord({ id: `${number}`, request }));
  secrets.replace(['fresh-secret']);
  secrets.replace(['third-secret']);
  secrets.add('minted-secret');
  await rm(join(dir.path, TODAY));
  await writer.close();
  const lines = parseLines(await dir.text(TODAY));
  expect(lines[0]!.request).toBe('[redacted], fresh-secret');
  const later = lines.slice(1).map((line) => line!.request);
  expect(later).toEqual(Array(200).fill('[redacted], [redacted], [redacted]'));
});

test('no record is lost on a full disk, and no line is truncated once there is space again', async () => {
  await using dir = await logDirectory();
  const mount = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir.path]);
  // Only root may mount; the test of the file size limit covers the rest.
  if (mount.exitCode !== 0) return;
  try {
    await writeFile(join(dir.path, 'ballast'), Buffer.alloc(20_000));
    const { writer, problems } = setup(dir.path);
    for (let number = 0; number < 60; number++) writer.write(logRecord({ id: `${number}` }));
    await writer.flush();
    const { written } = writer.stats;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(60);
    await rm(join(dir.path, 'ballast'));
    writer.write(logRecord({ id: 'after' }));
    await writer.close();
    expect(problems[1]).toContain('is written again, 0 records were lost');
    const expected = [...Array.from({ length: 60 }, (_, number) => `${number}`), 'after'];
    expect(ids(await dir.text(TODAY))).toEqual(expected);
    expect(writer.stats).toMatchObject({ written: 61, dropped: 0 });
  } finally {
    Bun.spawnSync(['umount', dir.path]);
  }
});

/** The text of a stream so far. */
function textOf(stream: ReadableStream<Uint8Array>) {
  const said = { text: '', ended: Promise.resolve() };
  said.ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) said.text += decoder.decode(chunk, { stream: true });
  })();
  return said;
}

/** A process whose files are limited to this many kilobytes. */
function limitedTo(kilobytes: number, ...parameters: string[]) {
  const script = join(import.meta.dir, '..', 'helpers', 'log-process.ts');
  const shell = ['bash', '-c', `ulimit -S -f ${kilobytes}; exec "$@"`, 'bash'];
  const started = Bun.spawn([...shell, process.execPath, script, ...parameters], {
    env: process.env,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  return { process: started, said: textOf(started.stderr) };
}

test('no record is lost at the file size limit, and no line is truncated', async () => {
  await using dir = await logDirectory();
  // Not a whole number of lines.
  const { process: limited, said } = limitedTo(20, dir.path, 'a', '100', '0', 'hold');
  await until('the limit to be met', () => said.text.includes('file too large'));
  expect((await stat(join(dir.path, (await dir.names())[0]!))).size).toBe(20 * 1024);
  expect(Bun.spawnSync(['prlimit', '--pid', `${limited.pid}`, '--fsize=unlimited']).exitCode).toBe(0);
  limited.stdin.end();
  expect(await limited.exited).toBe(0);
  await said.ended;
  const [begins, ends] = said.text.trim().split('\n');
  expect(begins).toContain('file too large; raise the limit of the size of a file (ulimit -f)');
  expect(ends).toContain('is written again, 0 records were lost');
  expect(ids(await dir.text((await dir.names())[0]!))).toEqual(
    Array.from({ length: 100 }, (_, number) => `a-${number}`),
  );
});

test('a record whose line lacks only its line end does not count as lost', async () => {
  await using dir = await logDirectory();
  // Three lines less the last byte.
  const { process: limited, said } = limitedTo(
    20,
    dir.path,
    'a',
    '10',
    '0',
    'hold',
    `${(20 * 1024 + 1) / 3}`,
  );
  await until('the limit to be met', () => said.text.includes('file too large'));
  limited.stdin.end();
  expect(await limited.exited).toBe(0);
  await said.ended;
  expect(said.text).toContain('before the end: file too large; 7 records were lost');
  expect(ids(await dir.text((await dir.names())[0]!))).toEqual(['a-0', 'a-1', 'a-2']);
});

test.each([
  ['the file is deleted', (path: string) => rm(join(path, TODAY))],
  ['the directory is deleted', (path: string) => rm(path, { recursive: true })],
])('no record is lost when %s', async (_, remove) => {
  await using dir = await logDirectory();
  const { writer, problems } = setup(join(dir.path, 'logs'));
  writer.write(logRecord({ id: 'a' }));
  await writer.flush();
  await remove(join(dir.path, 'logs'));
  writer.write(logRecord({ id: 'b' }));
  await writer.flush();
  writer.write(logRecord({ id: 'c' }));
  await writer.close();
  expect(ids(await dir.text(join('logs', TODAY)))).toEqual(['b', 'c']);
  expect(writer.stats).toMatchObject({ written: 3, dropped: 0 });
  expect(problems).toEqual([]);
});

test('a file that was moved away is released after a moment', async () => {
  await using dir = await logDirectory();
  const { writer, clock } = setup(dir.path);
  writer.write(logRecord({ id: 'a' }));
  await writer.flush();
  await mkdir(join(dir.path, 'old'));
  await rename(join(dir.path, TODAY), join(dir.path, 'old', TODAY));
  clock.advance(1_000);
  writer.write(logRecord({ id: 'b' }));
  await writer.close();
  expect(ids(await dir.text(join('old', TODAY)))).toEqual(['a']);
  expect(ids(await dir.text(TODAY))).toEqual(['b']);
});

/** Bodies as clients send them: compact or on several lines. */
const body = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const record: fc.Arbitrary<LogRecord> = fc
  .record({
    id: fc.string({ unit: 'binary' }),
    model: fc.string({ unit: 'grapheme' }),
    endpoint: fc.constantFrom(...ENDPOINT_NAMES),
    error: fc.option(fc.string({ unit: 'grapheme' })),
    request: fc.option(body, { nil: undefined }),
    response: fc.option(body, { nil: undefined }),
  })
  .map(logRecord);

test('every line parses and equals its record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 20 }),
      fc.integer({ min: 0, max: 3_000 }),
      async (records, size) => {
        await using dir = await logDirectory();
        const { writer } = setup(dir.path, { rotate_size: size });
        for (const [at, each] of records.entries()) {
          writer.write(each);
          if (at % 3 === 0) await writer.flush();
        }
        await writer.close();
        const names = (await dir.names()).toSorted((a, b) => sequence(a) - sequence(b));
        const lines = (await Promise.all(names.map(async (name) => parseLines(await dir.text(name))))).flat();
        expect(lines).toEqual(records.map(asRead));
      },
    ),
    { numRuns: 40 },
  );
});

function sequence(name: string): number {
  return Number(/\.(\d+)\.ndjson$/.exec(name)?.[1] ?? 0);
}

function asRead(record: LogRecord): Record<string, unknown> {
  const read: Record<string, unknown> = { ...record };
  for (const name of ['request', 'response'] as const) {
    if (record[name] === undefined) delete read[name];
    else read[name] = JSON.parse(record[name]) as unknown;
  }
  return read;
}

test('large records are encoded outside the writer, and count towards the queue in the meantime', async () => {
  await using dir = await logDirectory();
  const clock = new FakeClock();
  const problems: string[] = [];
  const making: PromiseWithResolvers<Uint8Array>[] = [];
  const writer = new LogWriter(logSettings(dir.path, { queue: 4_540_000 }), {
    clock,
    redaction: () => expect.unreachable('a large record was encoded here'),
    makeLine: () => {
      const line = Promise.withResolvers<Uint8Array>();
      making.push(line);
      return line.promise;
    },
    onProblem: (message) => problems.push(message),
  });
  const large = (id: string, size: number) => logRecord({ id, request: `"${'x'.repeat(size)}"` });
  expect(writer.write(large('a', 2_400_000))).toBe(true);
  expect(writer.write(large('b', 2_400_000))).toBe(false);
  expect(writer.write(large('c', 2_120_000))).toBe(true);
  expect(writer.stats.pending).toBeGreaterThan(4_520_000);
  expect(writer.stats.dropped).toBe(1);
  making[1]!.reject(new RangeError('secret words'));
  const closed = writer.close();
  making[0]!.resolve(Buffer.from('{"id":"a"}\n'));
  await closed;
  expect(await dir.text(TODAY)).toBe('{"id":"a"}\n');
  expect(writer.stats).toEqual({ written: 1, bytes: 11, dropped: 2, errors: 1, pending: 0 });
  expect(problems.join()).toContain('request c: RangeError');
  expect(problems.join()).not.toContain('secret words');
  expect(writer.write(large('d', 2_400_000))).toBe(false);
});

test('a worker closes its file when the day is over, even if nothing more is written', async () => {
  await using dir = await logDirectory();
  const { writer, clock, problems } = setup(dir.path, { max_total: 1 }, 2);
  writer.write(logRecord({ id: 'a' }));
  await writer.flush();
  expect(await dir.names()).toEqual(['llmproxy-2026-03-04.w2.ndjson']);
  clock.advance(86_400_000);
  // It is the oldest file that is not open.
  await until('the file of yesterday to be deleted', async () => (await dir.names()).length, { is: 0 });
  writer.write(logRecord({ id: 'b' }));
  await writer.flush();
  expect(await dir.names()).toEqual(['llmproxy-2026-03-05.w2.ndjson']);
  await writer.close();
  expect(clock.timers).toBe(0);
  expect(problems).toEqual([]);
});

test('with redact_content, every record is encoded outside the writer, and has no content if that fails', async () => {
  await using dir = await logDirectory();
  const clock = new FakeClock();
  const problems: string[] = [];
  const made: string[] = [];
  const writer = new LogWriter(logSettings(dir.path, { redact_content: ['email'] }), {
    clock,
    redaction: () => plainRedaction,
    makeLine: async (record) => {
      made.push(record.id);
      if (record.id !== 'a') throw new RangeError('too deep: jane@corp.com');
      return Buffer.from(encodeRecord(record));
    },
    onProblem: (message) => problems.push(message),
  });
  const feedback = { request_id: 'x', score: 1, comment: 'ask jane@corp.com', correction: 'jane@corp.com' };
  writer.write(logRecord({ id: 'a' }));
  writer.write(logRecord({ id: 'b', error: 'no jane@corp.com', request: '{"a":"jane@corp.com"}' }));
  writer.write(logRecord({ id: 'c', request: undefined, response: undefined, feedback }));
  await writer.flush();
  const text = await dir.text(TODAY);
  const lines = parseLines(text).toSorted((one, other) => String(one?.id).localeCompare(String(other?.id)));
  expect(made).toEqual(['a', 'b', 'c']);
  expect(text).not.toContain('jane@corp.com');
  expect(lines.map((line) => line?.omitted)).toEqual([undefined, ['request', 'response'], undefined]);
  expect(lines[0]).toHaveProperty('request');
  expect(lines[1]).toMatchObject({ error: 'left out, because it could not be redacted', input_tokens: 3 });
  expect(lines[2]!.feedback).toEqual({ request_id: 'x', score: 1 });
  expect(writer.stats).toMatchObject({ written: 3, dropped: 0, pending: 0 });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('Cannot redact the content of a record (RangeError)');
  await writer.close();
});
