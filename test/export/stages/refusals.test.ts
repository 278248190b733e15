/** What stages reject, and with which messages. */
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseFlags } from '../../../src/export/options/flags.ts';
import { framesIn } from '../../../src/export/stages/arrow/decode.ts';
import { END_OF_STREAM, FrameEncoder } from '../../../src/export/stages/arrow/encode.ts';
import { ROW_COLUMNS } from '../../../src/export/stages/columns.ts';
import { decide } from '../../../src/export/stages/decide.ts';
import { extract } from '../../../src/export/stages/extract.ts';
import { finish } from '../../../src/export/stages/finish.ts';
import { makePlan } from '../../../src/export/stages/make-plan.ts';
import type { RowFrame } from '../../../src/export/stages/row-frames.ts';
import { readPlan } from '../../../src/export/stages/stage-plan.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { asked } from '../records.ts';

/** A directory with a log, and plans of an export of it. */
async function bench(lines = 20) {
  const dir = await logDirectory();
  const path = (name: string) => `${dir.path}/${name}`;
  mkdirSync(path('logs'));
  const log = path('logs/llmproxy-2026-11-20.ndjson');
  writeFileSync(log, Array.from({ length: lines }, (_, n) => asked(`r${n}`, `Q ${n}`, 'A')).join(''));
  const plan = (flags = '', output = path('out/')) => {
    const argv = [path('logs'), '-o', output, ...flags.split(' ').filter(Boolean)];
    const env = { values: {}, inputs: [] };
    return makePlan({ flags: parseFlags(argv), env, terminal: false, nowMs: Date.UTC(2026, 10, 25), argv });
  };
  return { path, log, plan, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

const ignore = async () => {};

describe('a plan', () => {
  test.each([
    ['--dry-run', 'Cannot use --dry-run with --stage: each stage writes what the next one reads'],
    ['--shard-size 5MB', 'there is one shard for each range: give --range-size'],
    ['--preview 3', 'no process sees the first rows'],
    ['-v', 'the number of a line is known only when all stages have ended'],
    ['-f raw --max-records 5', 'Cannot use --max-records with --stage and format raw'],
    ['--threads 4', 'one process works on one range'],
  ])('rejects %s', async (flags, why) => {
    await using at = await bench();
    await expect(at.plan(flags)).rejects.toThrow(why);
  });

  test('rejects a file as its output, and a pipe as its input', async () => {
    await using at = await bench();
    await expect(at.plan('', at.path('out.jsonl'))).rejects.toThrow('give --output a directory');
    const argv = ['-', '-o', at.path('out/')];
    const sources = {
      flags: parseFlags(argv),
      env: { values: {}, inputs: [] },
      terminal: false,
      nowMs: 0,
      argv,
    };
    await expect(makePlan(sources)).rejects.toThrow('every stage reads the logs again');
  });

  test('replaces an unfinished export in stages with --force, and nothing that others wrote', async () => {
    await using at = await bench();
    await at.plan();
    mkdirSync(at.path('out/data'));
    writeFileSync(at.path('out/data/train-00000-of-00001.jsonl'), '{}\n');
    await expect(at.plan()).rejects.toThrow('it exists already, give --force to replace it');
    await at.plan('--force');
    expect(readdirSync(at.path('out'), { recursive: true }).toSorted()).toEqual(['data', 'plan.json']);
    writeFileSync(at.path('out/notes.txt'), 'mine');
    await expect(at.plan('--force')).rejects.toThrow('notes.txt in it was not written by an export');
  });

  test('contains neither a salt nor a system prompt, and reports when they change', async () => {
    await using at = await bench();
    writeFileSync(at.path('salt'), 'pepper-and-salt');
    writeFileSync(at.path('system.txt'), 'Be brief.');
    const salted = `--redact email --redact-mode hash --redact-salt-file ${at.path('salt')}`;
    const file = await at.plan(`${salted} --system ${at.path('system.txt')}`);
    expect(readFileSync(file, 'utf8')).not.toMatch(/pepper|Be brief/);
    writeFileSync(at.path('salt'), 'other');
    await expect(extract(readPlan(file), 0, { write: ignore })).rejects.toThrow(
      'the file here is not the one that the plan was made with',
    );
  });

  test('is valid for one version of the program only', async () => {
    await using at = await bench();
    const file = await at.plan();
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"llmproxy": "[^"]*"/, '"llmproxy": "0.0.1"'));
    expect(() => readPlan(file)).toThrow('it was made by llmproxy 0.0.1');
    expect(() => readPlan(at.log)).toThrow('it was not written by --stage plan');
  });

  test('lets one process decide if decisions need all rows', async () => {
    await using at = await bench();
    const partitions = async (flags: string) =>
      readPlan(await at.plan(`${flags} --partitions 7 --force`)).partitions;
    expect(await partitions('')).toBe(7);
    expect(await partitions('--sample 10%')).toBe(7);
    for (const flags of [
      '--sample 10',
      '--near-dup 0.8',
      '--split a=0.5,b=0.5',
      '--last 5',
      '--max-records 5',
    ])
      expect(await partitions(flags)).toBe(1);
  });
});

describe('a stage', () => {
  test('rejects logs that have changed, and ranges that do not exist', async () => {
    await using at = await bench();
    const plan = readPlan(await at.plan());
    await expect(extract(plan, 1, { write: ignore })).rejects.toThrow('the plan has ranges 0 to 0');
    writeFileSync(at.log, asked('more', 'Q', 'A'), { flag: 'a' });
    await expect(extract(plan, 0, { write: ignore })).rejects.toThrow(
      'it has changed since the plan was made',
    );
    expect(existsSync(at.path('out/data'))).toBe(false);
  });

  test('rejects rows that are out of order or repeated', async () => {
    await using at = await bench();
    const plan = readPlan(await at.plan());
    const frames: RowFrame[] = [];
    await extract(plan, 0, { write: async (frame) => void frames.push(frame) });
    const twice = async function* () {
      yield frames[0]!;
      yield frames[0]!;
    };
    await expect(decide(plan, twice(), { partition: 0, write: ignore })).rejects.toThrow(
      'row 0 of range 0 comes after row 19 of range 0; sort the rows by range and row, without duplicates',
    );
  });

  test('does not finish without all counts', async () => {
    await using at = await bench();
    const plan = readPlan(await at.plan());
    const output = at.path('out');
    await expect(finish(plan, [], { output, here: true })).rejects.toThrow(
      'the counts of range 0 are missing',
    );
    await expect(finish(plan, ['{}'], { output, here: true })).rejects.toThrow('was not written by a stage');
  });
});

describe('a stream', () => {
  const encoder = new FrameEncoder(ROW_COLUMNS);
  const read = async (bytes: Uint8Array, step = bytes.length) => {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    };
    return Array.fromAsync(framesIn(ROW_COLUMNS, pieces()));
  };
  const rows = async () => {
    await using at = await bench(3);
    const frames: RowFrame[] = [];
    await extract(readPlan(await at.plan()), 0, { write: async (frame) => void frames.push(frame) });
    return Buffer.concat([encoder.schema, ...frames.map((frame) => encoder.encode(frame)), END_OF_STREAM]);
  };

  test('may come in pieces of any size, and may be empty', async () => {
    const bytes = await rows();
    const whole = await read(bytes);
    expect(whole.map((frame) => frame.rows)).toEqual([3, 1]);
    expect(await read(bytes, 1)).toEqual(whole);
    expect(await read(new Uint8Array(0), 1)).toEqual([]);
  });

  test('is rejected if it was cut anywhere, or is invalid', async () => {
    const bytes = await rows();
    for (let end = 1; end < bytes.length; end += 1 + (end % 37))
      await expect(read(bytes.subarray(0, end))).rejects.toThrow('Cannot read the Arrow stream');
    await expect(read(Buffer.from('{"no": "stream"}'))).rejects.toThrow('it is not an Arrow stream');
  });

  test('is rejected without a column, or with one of another type', async () => {
    const { kind: _kind, ...others } = ROW_COLUMNS;
    const other = (shape: Record<string, 'int8' | 'int32' | 'int64' | 'utf8' | 'binary'>, name: string) => {
      const columns = Object.fromEntries(
        Object.entries(shape).map(([column, type]) => [
          column,
          type === 'utf8' || type === 'binary'
            ? { offsets: new Int32Array(2), bytes: new Uint8Array(0) }
            : type === 'int8'
              ? new Int8Array(1)
              : type === 'int32'
                ? new Int32Array(1)
                : new Uint32Array(2),
        ]),
      );
      const encoding = new FrameEncoder(shape);
      const bytes = [encoding.schema, encoding.encode({ rows: 1, columns } as never), END_OF_STREAM];
      return expect(read(Buffer.concat(bytes))).rejects.toThrow(name);
    };
    await other(others, 'it has no column kind');
    await other({ ...ROW_COLUMNS, range: 'int64' }, 'its column range is not of type int32');
  });
});
