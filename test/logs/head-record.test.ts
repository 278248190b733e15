import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { LogRecord } from '../../src/logs/record.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { headRecord } from '../../src/logs/head-record.ts';
import { LineBeginnings } from '../../src/logs/line-beginnings.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const lineOf = (changes: Partial<LogRecord>) => Buffer.from(encodeRecord(logRecord(changes)).trimEnd());

/** The expected rest of a record. */
function headOf(record: LogRecord): unknown {
  const { request: _request, response: _response, omitted: _omitted, feedback, ...head } = record;
  const { correction: _correction, comment: _comment, ...kept } = feedback ?? {};
  const told = feedback ? { feedback: kept } : {};
  return JSON.parse(JSON.stringify({ ...head, ...told, user_agent: null, error: null, content: 'expired' }));
}

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"request":', ',"request":{', '\\', '\\"', '},{', '"content":"expired"}', '\u2028'),
);
const json = fc.jsonValue({ stringUnit: 'binary' });
const records: fc.Arbitrary<LogRecord> = fc
  .record({
    model: nasty,
    user: fc.option(nasty),
    tags: fc.option(fc.dictionary(fc.oneof(nasty, fc.constantFrom('request', 'response', 'content')), nasty)),
    error: fc.option(nasty),
    feedback: fc.option(
      fc.record({
        request_id: nasty,
        correction: fc.oneof(
          json,
          fc.constant({ role: 'assistant', content: 'x', request: {}, response: [] }),
        ),
        comment: nasty,
      }),
      { nil: undefined },
    ),
    omitted: fc.option(fc.constant(['response']), { nil: undefined }),
    request: fc.option(
      json.map((value) => JSON.stringify(value)),
      { nil: undefined },
    ),
    response: fc.option(
      json.map((value) => JSON.stringify(value)),
      { nil: undefined },
    ),
  })
  .map((changes) => logRecord(changes as Partial<LogRecord>));

describe('headRecord()', () => {
  test('removes only the text of users and models, wherever the line is cut within that', () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, cut) => {
        const line = Buffer.from(encodeRecord(record).trimEnd());
        const head = headOf(record);
        expect(headRecord(line)).toEqual(head as JsonObject);
        const { request: _request, response: _response, ...rest } = record;
        if (record.request === undefined) return;
        // At the earliest, a cut is at the quote before the name of the next field.
        const least = Buffer.byteLength(encodeRecord(rest as LogRecord).trimEnd()) - 1 + ',"request":'.length;
        const torn = line.subarray(0, least + (cut % (line.length - least + 1)));
        expect(headRecord(torn)).toEqual(head as JsonObject);
      }),
      { numRuns: 500 },
    );
  });

  test('leaves its own output unchanged', () => {
    fc.assert(
      fc.property(records, (record) => {
        const once = headRecord(Buffer.from(encodeRecord(record).trimEnd()))!;
        const text = JSON.stringify(once);
        expect(JSON.stringify(headRecord(Buffer.from(text)))).toBe(text);
      }),
    );
  });

  test('keeps the order of the fields, so that filters find the head', () => {
    const before = Object.keys(JSON.parse(lineOf({}).toString()) as object);
    const after = Object.keys(headRecord(lineOf({}))!);
    expect(after).toEqual(before.filter((name) => name !== 'request' && name !== 'response'));
  });

  test.each([
    ['invalid JSON', 'hello'],
    ['an array', '[1]'],
    ['another object', '{"a":1}'],
    ['a line that is cut within its head', lineOf({}).toString().slice(0, 200)],
    ['an empty line', ''],
  ])('returns undefined for %s', (_, line) => {
    expect(headRecord(Buffer.from(line))).toBeUndefined();
  });

  test('reads lines that other programs wrote with extra white space', () => {
    const spread = JSON.stringify(JSON.parse(lineOf({}).toString()), null, 1).replaceAll('\n', ' ');
    expect(headRecord(Buffer.from(spread))).toEqual(headOf(logRecord()) as JsonObject);
  });
});

describe('LineBeginnings', () => {
  const lines = fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', '')));

  test('returns the same lines however the bytes are cut into blocks', () => {
    fc.assert(
      fc.property(lines, fc.boolean(), fc.integer({ min: 1, max: 9 }), (texts, ended, size) => {
        const bytes = Buffer.from(texts.join('\n') + (ended ? '\n' : ''));
        const beginnings = new LineBeginnings();
        const found: string[] = [];
        const block = Buffer.alloc(size);
        for (let at = 0; at < bytes.length; at += size) {
          // The memory of blocks is reused.
          const length = bytes.copy(block, 0, at, at + size);
          for (const line of beginnings.push(block.subarray(0, length))) found.push(line.toString());
        }
        const last = beginnings.end();
        if (last) found.push(last.toString());
        expect(found).toEqual(texts.filter((text) => text !== ''));
      }),
    );
  });

  test('keeps at most a megabyte of a line', () => {
    const beginnings = new LineBeginnings();
    const block = Buffer.alloc(700_000, 'x');
    for (let n = 0; n < 20; n += 1) expect([...beginnings.push(block)]).toEqual([]);
    const [line, next] = [...beginnings.push(Buffer.from('y\nz\n'))];
    expect([line!.length, next!.toString()]).toEqual([1024 ** 2, 'z']);
  });
});
