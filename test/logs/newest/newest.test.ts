import { describe, expect, test } from 'bun:test';
import { appendFileSync, existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { findInputs } from '../../../src/logs/input.ts';
import { blocksBackwards } from '../../../src/logs/newest/lines.ts';
import { recordById, wholeRecord } from '../../../src/logs/newest/by-id.ts';
import { newestRecords } from '../../../src/logs/newest/newest.ts';
import type { LogRecord } from '../../../src/logs/record.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { encodeRecord, logRecord } from '../../helpers/log-record.ts';
import { openSync, closeSync } from 'node:fs';

const MIB = 1024 ** 2;
const BEGIN_MS = Date.parse('2026-03-04T05:00:00.000Z');

/** The line of a request that arrived this many seconds after five o'clock. */
function line(second: number, changes: Partial<LogRecord> = {}): string {
  const ts = new Date(BEGIN_MS + second * 1_000).toISOString();
  return encodeRecord(logRecord({ ts, id: `req-${second}`, ...changes }));
}

const DAY = 'llmproxy-2026-03-04';

async function idsIn(directory: string, options: Partial<Parameters<typeof newestRecords>[1]> = {}) {
  const found = await newestRecords(await findInputs([directory]), { test: {}, most: 1_000, ...options });
  return found.map(({ head }) => head.id);
}

describe('blocksBackwards()', () => {
  test('returns each line once, from the last block to the first, whatever their lengths', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'log');
    const lengths = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 30 }) },
      { weight: 1, arbitrary: fc.integer({ min: MIB - 20_000, max: MIB + 20_000 }) },
      { weight: 1, arbitrary: fc.constantFrom(MIB - 1, MIB, MIB + 1, 2 * MIB) },
    );
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 9 }), fc.boolean(), (all, ended) => {
        const lines = all.map((length, index) => String(index % 10).repeat(length));
        const text = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '');
        writeFileSync(path, text);
        const fd = openSync(path, 'r');
        const blocks = Array.from(blocksBackwards(fd, text.length), ({ bytes, lines: own }) =>
          own.map((each) => {
            // The beginning of each line is in memory.
            expect(text.startsWith(bytes.toString('latin1', each.from, each.to), each.at)).toBe(true);
            expect(each.to - each.from).toBeGreaterThan(0);
            expect(each.terminated).toBe(text[each.end] === '\n');
            return text.slice(each.at, each.end);
          }),
        );
        closeSync(fd);
        expect(blocks.toReversed().flat()).toEqual(lines.filter(Boolean));
      }),
      { numRuns: 40 },
    );
  });
});

describe('newestRecords()', () => {
  test('finds the last records, newest first, and opens no earlier files', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'llmproxy-2026-03-03.ndjson'), 'this is no log\n');
    writeFileSync(join(dir.path, `${DAY}.ndjson`), line(1) + line(2));
    writeFileSync(join(dir.path, `${DAY}.1.ndjson`), line(3) + line(4) + line(5));
    expect(await idsIn(dir.path, { most: 4 })).toEqual(['req-5', 'req-4', 'req-3', 'req-2']);
    expect(await idsIn(dir.path)).toHaveLength(5);
  });

  test('returns the complete head without request and response, and reads these on request', async () => {
    await using dir = await logDirectory();
    const long = JSON.stringify({ text: 'x'.repeat(3 * MIB) });
    writeFileSync(join(dir.path, `${DAY}.ndjson`), line(1, { request: long, error: 'Cannot "do" it' }));
    const [found] = await newestRecords(await findInputs([dir.path]), { test: {}, most: 1 });
    expect(found!.head).toMatchObject({ id: 'req-1', error: 'Cannot "do" it', attempt_log: [{ ms: 11 }] });
    expect(found!.head).not.toHaveProperty('request');
    const whole = await wholeRecord(found!);
    expect(whole!.record.request).toEqual(JSON.parse(long));
  });

  test('reads a head that is longer than the first read of a line', async () => {
    await using dir = await logDirectory();
    const labels = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`label-${n}`, 'v'.repeat(200)]));
    const request = JSON.stringify('x'.repeat(2 * MIB));
    writeFileSync(join(dir.path, `${DAY}.ndjson`), line(1, { labels, request }));
    const [found] = await newestRecords(await findInputs([dir.path]), { test: {}, most: 1 });
    expect(found!.head.labels).toEqual(labels);
  });

  test('sorts the records of several workers by the time when the answers ended', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, `${DAY}.w1.ndjson`), line(1) + line(4, { latency_ms: 9_000 }));
    writeFileSync(join(dir.path, `${DAY}.w2.ndjson`), line(2) + line(5) + line(6));
    writeFileSync(join(dir.path, `${DAY}.w3.ndjson`), line(3));
    expect(await idsIn(dir.path)).toEqual(['req-4', 'req-6', 'req-5', 'req-3', 'req-2', 'req-1']);
  });

  test('reads compressed files too, and reports damaged ones', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, `${DAY}.ndjson.zst`), zstdCompressSync(line(1) + line(2)));
    writeFileSync(join(dir.path, `${DAY}.1.ndjson.gz`), gzipSync(line(3) + line(4)));
    const noise = Array.from({ length: 3_000 }, (_, n) =>
      line(5 + n, { request: JSON.stringify(Bun.hash(`${n}`).toString(36).repeat(9)) }),
    );
    const whole = zstdCompressSync(noise.join(''));
    writeFileSync(join(dir.path, `${DAY}.2.ndjson.zst`), whole.subarray(0, whole.length >> 1));
    writeFileSync(join(dir.path, `${DAY}.3.ndjson`), line(9_000));
    const problems: string[] = [];
    const ids = await idsIn(dir.path, { onProblem: (message) => problems.push(message), most: 5_000 });
    expect(ids[0]).toBe('req-9000');
    expect(ids.slice(-4)).toEqual(['req-4', 'req-3', 'req-2', 'req-1']);
    expect(problems).toEqual([
      expect.stringMatching(/2\.ndjson\.zst to its end: its compressed data is damaged$/),
    ]);
    expect(await idsIn(dir.path, { most: 2 })).toHaveLength(2);
  });

  test('reads the compressed file in place of one that was listed before', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, `${DAY}.ndjson`);
    writeFileSync(path, line(1) + line(2));
    const inputs = await findInputs([dir.path]);
    unlinkSync(path);
    writeFileSync(`${path}.zst`, zstdCompressSync(line(1) + line(2)));
    const found = await newestRecords(inputs, { test: {}, most: 9 });
    expect(found.map(({ head }) => head.id)).toEqual(['req-2', 'req-1']);
    expect(existsSync(path)).toBe(false);
  });

  test('skips lines that are not records, or are truncated or half written', async () => {
    await using dir = await logDirectory();
    const torn = line(2).slice(0, 300);
    writeFileSync(
      join(dir.path, `${DAY}.ndjson`),
      `${line(1)}\n\nnot json\n{"a":1}\n${torn}${line(3)}${line(4).slice(0, -1)}`,
    );
    expect(await idsIn(dir.path)).toEqual(['req-3', 'req-1']);
  });

  test('filters by bytes first, then by the head, then by the complete record', async () => {
    await using dir = await logDirectory();
    const lines = Array.from({ length: 3_000 }, (_, n) =>
      line(n, { model: n % 2 === 0 ? 'even' : 'odd', request: JSON.stringify({ n, pad: 'x'.repeat(999) }) }),
    );
    writeFileSync(join(dir.path, `${DAY}.ndjson`), lines.join(''));
    let parsed = 0;
    const found = await newestRecords(await findInputs([dir.path]), {
      most: 2,
      test: {
        over: (block) => (from, to) => block.subarray(from, to).includes('"model":"even"'),
        wants(head, whole) {
          parsed += 1;
          expect(head.model).toBe('even');
          return Number(head.id.slice(4)) % 10 === 4 && (whole()!.request as { n: number }).n % 20 === 4;
        },
      },
    });
    expect(found.map(({ head }) => head.id)).toEqual(['req-2984', 'req-2964']);
    expect(parsed).toBe(18);
  });

  test('returns records of a time range, and does not read earlier ones', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'llmproxy-2026-03-03.ndjson'), line(-86_000));
    const lines = Array.from({ length: 5_000 }, (_, n) =>
      line(n, { request: JSON.stringify('x'.repeat(900)) }),
    );
    writeFileSync(join(dir.path, `${DAY}.ndjson`), lines.join(''));
    let blocks = 0;
    const ids = await idsIn(dir.path, {
      sinceMs: BEGIN_MS + 4_990_500,
      untilMs: BEGIN_MS + 4_995_500,
      test: {
        over: () => {
          blocks += 1;
          return () => true;
        },
      },
    });
    expect(ids).toEqual(['req-4995', 'req-4994', 'req-4993', 'req-4992', 'req-4991']);
    expect(blocks).toBe(1);
    expect(await idsIn(dir.path, { sinceMs: -1e300 })).toHaveLength(1_000);
    expect(await idsIn(dir.path, { untilMs: 1e300, most: 3 })).toEqual(['req-4999', 'req-4998', 'req-4997']);
  });

  test('stops when its signal aborts', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, `${DAY}.ndjson`), line(1));
    const asking = idsIn(dir.path, { signal: AbortSignal.abort(new Error('enough')) });
    expect(asking).rejects.toThrow('enough');
    await asking.catch(() => undefined);
  });
});

describe('recordById()', () => {
  test('finds a complete record, with feedback that was given later', async () => {
    await using dir = await logDirectory();
    const feedback = { endpoint: 'feedback' as const, feedback: { request_id: 'req-2', score: 1 }, score: 1 };
    writeFileSync(
      join(dir.path, `${DAY}.ndjson`),
      line(1) +
        line(2, { request: JSON.stringify({ text: 'x'.repeat(9 * MIB), last: 'req-2' }) }) +
        line(3, { request: JSON.stringify({ previous: 'req-2' }) }) +
        line(4, feedback),
    );
    const inputs = await findInputs([dir.path]);
    const found = await recordById(inputs, 'req-2');
    expect(found!.record.request).toMatchObject({ last: 'req-2' });
    expect(found!.line.toString()).toBe((await dir.text(`${DAY}.ndjson`)).split('\n')[1]!);
    expect(found!.feedback.map(({ id }) => id)).toEqual(['req-4']);
    expect(await recordById(inputs, 'req-9')).toBeUndefined();
    expect((await recordById(inputs, 'req-1'))!.record.id).toBe('req-1');
  });

  test('finds a record in a compressed file, and the newest of several with the same id', async () => {
    await using dir = await logDirectory();
    const twice = line(7, { id: 'same', cost: 1 }) + line(8, { id: 'same', cost: 2 }) + line(9);
    writeFileSync(join(dir.path, `${DAY}.ndjson.zst`), zstdCompressSync(twice));
    const found = await recordById(await findInputs([dir.path]), 'same');
    expect(found!.record).toMatchObject({ id: 'same', cost: 2 });
    const whole = await wholeRecord(found!);
    expect(whole!.line.toString()).toBe(found!.line.toString());
  });

  test('looks first where the time in an id points, and then everywhere', async () => {
    await using dir = await logDirectory();
    const own = (ms: number) => `req_${Bun.randomUUIDv7('hex', ms).replaceAll('-', '')}`;
    const [right, wrong] = [own(BEGIN_MS), own(BEGIN_MS + 3 * 86_400_000)];
    writeFileSync(join(dir.path, `${DAY}.ndjson`), line(1, { id: right }) + line(2, { id: wrong }));
    writeFileSync(join(dir.path, 'llmproxy-2026-03-01.ndjson'), line(0));
    const inputs = await findInputs([dir.path]);
    expect((await recordById(inputs, right))!.record.id).toBe(right);
    expect((await recordById(inputs, wrong))!.record.id).toBe(wrong);
  });

  test('accepts the last six characters of an id, but no fewer', async () => {
    await using dir = await logDirectory();
    const ids = ['req_aaaaaa123456', 'req_bbbbbb123456', '3456', 'a"b\\c'];
    const lines = ids.map((id, n) => line(n, { id, request: JSON.stringify({ text: `${id} 123456` }) }));
    writeFileSync(join(dir.path, `${DAY}.ndjson`), lines.join(''));
    const inputs = await findInputs([dir.path]);
    const idOf = async (id: string) => (await recordById(inputs, id))?.head.id;
    expect(await idOf('123456')).toBe('req_bbbbbb123456');
    expect(await idOf('aaaaaa123456')).toBe('req_aaaaaa123456');
    expect(await idOf('23456')).toBeUndefined();
    expect(await idOf('3456')).toBe('3456');
    expect(await idOf('a"b\\c')).toBe('a"b\\c');
    expect(await idOf('')).toBeUndefined();
  });

  test('does not find a record that is still being written', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, `${DAY}.ndjson`);
    writeFileSync(path, line(1) + line(2).slice(0, -1));
    expect(await recordById(await findInputs([dir.path]), 'req-2')).toBeUndefined();
    appendFileSync(path, '\n');
    expect((await recordById(await findInputs([dir.path]), 'req-2'))!.record.id).toBe('req-2');
  });
});
