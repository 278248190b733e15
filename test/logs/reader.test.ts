import { describe, expect, test } from 'bun:test';
import { appendFileSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { LogRecord } from '../../src/logs/record.ts';
import type { LineHead } from '../../src/logs/head.ts';
import { HeadScan, parseRest, parseShared } from '../../src/logs/head.ts';
import { findInputs } from '../../src/logs/input.ts';
import { LineSplitter } from '../../src/logs/lines.ts';
import { parseLine, readLines } from '../../src/logs/reader.ts';
import type { ReadOptions } from '../../src/logs/reader.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

const record = (id: string) => encodeRecord(logRecord({ id }));

/** The result of reading: ids of records, and "line problem" for the rest. */
async function read(named: string[], options: ReadOptions = {}): Promise<string[]> {
  const seen: string[] = [];
  for await (const { lines, damagedAt } of readLines(await findInputs(named), options)) {
    for (const line of lines) {
      const { value, problem } = parseLine(line);
      if (problem) seen.push(`${line.number} ${problem}`);
      if (value) seen.push(String(value.id));
    }
    if (damagedAt !== undefined) seen.push(`${damagedAt} damaged_file`);
  }
  return seen;
}

/** Reads these bytes as a file. */
async function readBytes(bytes: string | Uint8Array, options: ReadOptions = {}): Promise<string[]> {
  await using dir = await logDirectory();
  const path = join(dir.path, 'some.file');
  writeFileSync(path, bytes);
  return await read([path], options);
}

/** Reads these bytes from a pipe with a name. */
async function readPiped(bytes: string | Uint8Array): Promise<string[]> {
  await using dir = await logDirectory();
  const [path, pipe] = [join(dir.path, 'some.file'), join(dir.path, 'pipe')];
  writeFileSync(path, bytes);
  Bun.spawnSync(['mkfifo', pipe]);
  await using writer = Bun.spawn(['cp', path, pipe], { stderr: 'ignore' });
  const seen = await read([pipe]);
  await writer.exited;
  return seen;
}

describe('findInputs()', () => {
  async function names(
    files: string[],
    named?: (path: string) => string[],
    exclude?: string,
  ): Promise<string[]> {
    await using dir = await logDirectory();
    for (const file of files) writeFileSync(join(dir.path, file), '');
    const inputs = await findInputs(named?.(dir.path) ?? [dir.path], exclude && join(dir.path, exclude));
    return inputs.map(({ path }) => path.slice(dir.path.length + 1));
  }

  test('lists the logs of a directory, oldest first by their names', async () => {
    const expected = [
      'llmproxy-2026-11-22.ndjson.zst',
      'llmproxy-2026-11-22.1.ndjson.zst',
      'llmproxy-2026-11-22.2.ndjson',
      'llmproxy-2026-11-22.10.ndjson',
      'llmproxy-2026-11-23.ndjson',
      'old.jsonl',
      'proxy_api.log.10',
      'proxy_api.log.2.gz',
      'proxy_api.log.1',
      'proxy_api.log',
    ];
    const others = [
      'notes.txt',
      'llmproxy-2026-11-23.ndjson.zst.tmp',
      'config.yaml',
      'ndjson',
      '.dataset.jsonl.1.tmp',
      '.hidden.ndjson',
    ];
    expect(await names([...expected, ...others].sort().toReversed())).toEqual(expected);
  });

  test('reads only the original of a file that also exists compressed', async () => {
    expect(await names(['a.ndjson', 'a.ndjson.zst', 'b.ndjson.gz'])).toEqual(['a.ndjson', 'b.ndjson.gz']);
  });

  test('accepts globs, and lists each file once', async () => {
    const found = await names(['a.ndjson', 'b.ndjson', 'c.txt'], (path) => [
      join(path, 'b.ndjson'),
      join(path, '*.ndjson'),
      path,
    ]);
    expect(found).toEqual(['b.ndjson', 'a.ndjson']);
  });

  test('leaves out the output if it is among the logs', async () => {
    expect(await names(['a.ndjson', 'dataset.jsonl'], undefined, 'dataset.jsonl')).toEqual(['a.ndjson']);
  });

  test('lists a file once, by whatever names it is found', async () => {
    await using dir = await logDirectory();
    const at = (name: string) => join(dir.path, name);
    for (const name of ['logs', 'links', 'copies']) mkdirSync(at(name));
    for (const name of ['logs/a.ndjson', 'logs/b.ndjson', 'copies/a.ndjson']) writeFileSync(at(name), '');
    linkSync(at('logs/a.ndjson'), at('links/hard.ndjson'));
    symlinkSync('../logs/a.ndjson', at('links/soft.ndjson'));
    symlinkSync('logs', at('mirror'));
    const found = await findInputs([at('logs'), at('l*/*'), at('mirror'), at('copies'), at('links')]);
    expect(found.map(({ name, otherNames }) => [name, otherNames])).toEqual([
      [at('logs/a.ndjson'), ['links/hard.ndjson', 'links/soft.ndjson', 'mirror/a.ndjson'].map(at)],
      [at('logs/b.ndjson'), [at('mirror/b.ndjson')]],
      [at('copies/a.ndjson'), undefined],
    ]);
  });

  test('reads a log although the output is another name of it', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'a.ndjson'), '');
    linkSync(join(dir.path, 'a.ndjson'), join(dir.path, 'out'));
    expect(await findInputs([dir.path], join(dir.path, 'out'))).toHaveLength(1);
  });

  test('follows links to files, and skips directories', async () => {
    await using dir = await logDirectory();
    mkdirSync(join(dir.path, 'sub.ndjson'));
    writeFileSync(join(dir.path, 'real'), '');
    symlinkSync('real', join(dir.path, 'link.ndjson'));
    symlinkSync('nowhere', join(dir.path, 'dangling.ndjson'));
    symlinkSync('itself.ndjson', join(dir.path, 'itself.ndjson'));
    await expect(findInputs([join(dir.path, 'itself.ndjson')])).rejects.toThrow('too many symbolic links');
    const inputs = await findInputs([dir.path]);
    expect(inputs.map(({ name }) => name)).toEqual([join(dir.path, 'link.ndjson')]);
  });

  test('reports missing files and directories', async () => {
    await using dir = await logDirectory();
    const at = (name: string) => findInputs([join(dir.path, name)]);
    await expect(findInputs([dir.path])).rejects.toThrow(
      `Cannot find a log to read: ${dir.path} contains none`,
    );
    await expect(at('none.ndjson')).rejects.toThrow('there is no such file or directory');
    await expect(at('none')).rejects.toThrow('below the directory in which llmproxy serve was started');
    await expect(at('*.ndjson')).rejects.toThrow('no file matches it');
  });
});

describe('readLines()', () => {
  test('reads the lines of one file after another', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'a.log.1'), record('1'));
    writeFileSync(join(dir.path, 'a.log'), record('2') + record('3'));
    expect(await read([dir.path])).toEqual(['1', '2', '3']);
  });

  test('accepts a BOM, CRLF, blank lines, and a missing newline at the end', async () => {
    const text = `\ufeff${record('1').trim()}\r\n\r\n\n${record('2').trim()}`;
    expect(await readBytes(text)).toEqual(['1', '2']);
  });

  test('reports damaged lines and reads the rest', async () => {
    const lines = [
      record('1'),
      '{"v":1,"ts":"2026\n',
      `${'\0'.repeat(40)}\n`,
      Buffer.from('{"a":"\xff"}\n', 'latin1'),
      '[1,2]\n',
      '{"a":1}{"b":2}\n',
      record('2'),
      record('3').slice(0, 300),
    ];
    const bytes = Buffer.concat(lines.map((line) => Buffer.from(line)));
    const expected = [
      '1',
      '2 not_json',
      '3 binary',
      '4 not_utf8',
      '5 not_json',
      '6 not_json',
      '2',
      '8 incomplete',
    ];
    expect(await readBytes(bytes)).toEqual(expected);
  });

  test('finds the record after a truncated one or after NUL bytes', async () => {
    const text = record('1').slice(0, 200) + record('2') + '\0'.repeat(9) + record('3');
    expect(await readBytes(text)).toEqual(['1 not_json', '2', '2 binary', '3']);
  });

  test('skips a line that is too long without joining its neighbours', async () => {
    const maxLineBytes = 3_000_000;
    const long = (bytes: number) => `{"x":"${'x'.repeat(bytes - 8)}"}\n`;
    const text =
      record('1') + long(3_000_001) + record('2') + long(5_000_000) + record('3') + long(3_000_000);
    expect(await readBytes(text, { maxLineBytes })).toEqual([
      '1',
      '2 too_long',
      '2',
      '4 too_long',
      '3',
      'undefined',
    ]);
    expect(await readBytes(long(9_000_000).trim(), { maxLineBytes })).toEqual(['1 too_long']);
  });

  test('recognizes gzip and zstd by their bytes, and reads several members', async () => {
    for (const pack of [gzipSync, zstdCompressSync]) {
      const packed = Buffer.concat([pack(Buffer.from(record('1'))), pack(Buffer.from(record('2')))]);
      expect(await readBytes(packed)).toEqual(['1', '2']);
    }
    expect(await readBytes(gzipSync(''))).toEqual([]);
  });

  test('keeps what comes before the damage in a compressed file', async () => {
    const noise = Array.from({ length: 40_000 }, (_, index) => `{"id":"${Bun.hash(String(index))}"}\n`).join(
      '',
    );
    for (const pack of [gzipSync, zstdCompressSync]) {
      const whole = pack(Buffer.from(noise));
      const seen = await readBytes(whole.subarray(0, whole.length >> 1));
      expect(seen.length).toBeGreaterThan(1_000);
      expect(seen.at(-1)).toBe(`${seen.length} damaged_file`);
    }
  });

  test.each([
    ['file', readBytes],
    ['pipe', readPiped],
  ])('loses no line before damage at the very end of a compressed %s', async (_, readAll) => {
    const lines = Array.from({ length: 20 }, (_, index) => `{"id":"${index}"}\n`).join('');
    const wanted = [...Array.from({ length: 20 }, (_, index) => String(index)), '21 damaged_file'];
    const checksum = Buffer.from(gzipSync(lines));
    checksum.writeUInt32LE(0, checksum.length - 8);
    const garbage = (pack: (bytes: Buffer) => Buffer) =>
      Buffer.concat([pack(Buffer.from(lines)), Buffer.from('?')]);
    for (const bytes of [checksum, garbage(gzipSync), garbage(zstdCompressSync)])
      expect(await readAll(bytes)).toEqual(wanted);
  });

  test.each([
    ['file', readBytes],
    ['pipe', readPiped],
  ])('ignores zeros behind a complete compressed %s, as gzip does', async (_, readAll) => {
    const lines = Array.from({ length: 20 }, (_, index) => `{"id":"${index}"}\n`);
    const ids = lines.map((_, index) => String(index));
    for (const pack of [gzipSync, zstdCompressSync]) {
      const members = [lines.slice(0, 7), lines.slice(7)].map((some) => pack(Buffer.from(some.join(''))));
      const whole = Buffer.concat(members);
      const followed = (zeros: number, more = '') =>
        readAll(Buffer.concat([whole, Buffer.alloc(zeros), Buffer.from(more)]));
      for (const zeros of [1, 2, 700, 600_000]) expect(await followed(zeros)).toEqual(ids);
      expect(await followed(700, '?')).toEqual([...ids, '21 damaged_file']);
      const cut = Buffer.concat([members[0]!, members[1]!.subarray(0, -5), Buffer.alloc(700)]);
      expect((await readAll(cut)).at(-1)).toEndWith('damaged_file');
      const begun = Buffer.concat([whole.subarray(0, 2), Buffer.alloc(20)]);
      expect(await readAll(begun)).not.toEqual([]);
    }
  });

  test('stops where a file ended when it was opened', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'live.ndjson');
    writeFileSync(path, record('x').repeat(4_000) + record('y').slice(0, 99));
    let count = 0;
    let last = '';
    for await (const { lines } of readLines(await findInputs([path]))) {
      appendFileSync(path, record('new'));
      count += lines.length;
      last = String(parseLine(lines.at(-1)!).problem);
    }
    expect([count, last]).toEqual([4_001, 'incomplete']);
  });

  test('reads a file that was compressed after it was listed', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'a.ndjson');
    writeFileSync(`${path}.zst`, zstdCompressSync(Buffer.from(record('1'))));
    const seen: string[] = [];
    for await (const { lines } of readLines([{ name: 'a', path, bytes: 1 }]))
      seen.push(...lines.map((line) => String(parseLine(line).value?.id)));
    expect(seen).toEqual(['1']);
  });

  test('stops with the reason of its signal', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'a.log'), record('1').repeat(5_000));
    const controller = new AbortController();
    const reading = async () => {
      for await (const batch of readLines(await findInputs([dir.path]), { signal: controller.signal })) {
        expect(batch.lines.length).toBeGreaterThan(0);
        controller.abort(new Error('enough'));
      }
    };
    await expect(reading()).rejects.toThrow('enough');
  });
});

test('LineSplitter returns the same lines however the bytes are cut', () => {
  const piece = fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', '\ufeff', 'é', 'xxxxxxxxx');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const split = (ends: number[]) => {
          const splitter = new LineSplitter(12);
          const seen: unknown[] = [];
          const take = (lines: ReturnType<LineSplitter['push']>) => {
            for (const line of lines)
              seen.push([line.number, line.bytes.toString(), line.tooLong, line.terminated]);
          };
          let start = 0;
          for (const end of [...ends, bytes.length]) {
            // A copy that is overwritten afterwards: the splitter must not rely on an earlier block.
            const block = Buffer.from(bytes.subarray(start, end));
            take(splitter.push(block));
            block.fill(0);
            start = Math.max(start, end);
          }
          take(splitter.end());
          return seen;
        };
        expect(split(cuts.toSorted((a, b) => a - b))).toEqual(split([]));
      },
    ),
  );
});

/** What the scan knows about each line of a block from its head. */
function headsOf(text: string) {
  const block = Buffer.from(text);
  const scan = new HeadScan(block);
  const heads: (LineHead | undefined)[] = [];
  for (let from = 0; from < block.length;) {
    const end = block.indexOf(10, from);
    const to = end < 0 ? block.length : end;
    const shared = scan.shared(from, to);
    heads.push(shared === undefined ? undefined : parseShared(shared));
    from = to + 1;
  }
  return heads;
}

describe('HeadScan', () => {
  test('agrees with the parsed line, or reports nothing', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom('gpt-4o', 'a/b:c', 'x"y', 'z\\', 'q\u007f', 'x","outcome":"error'),
    );
    const record = fc.record({
      model: name,
      id: name,
      finish: fc.option(name),
      status: fc.integer({ min: 100, max: 599 }),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const made = records.map((each) =>
          logRecord({ ...each, upstream_model: each.finish, provider: each.finish }),
        );
        const heads = headsOf(made.map((each) => encodeRecord(each)).join(''));
        expect(heads).toHaveLength(made.length);
        for (const [index, { model, id, finish, status, outcome, endpoint, provider }] of made.entries()) {
          if (heads[index])
            expect(heads[index]).toEqual({ outcome, status, endpoint, model, finish, provider });
          else expect(/[^ -~]|["\\]/.test(model + id + finish)).toBe(true);
        }
      }),
    );
  });

  test('agrees with the parsed line about the rest of the head, or reports nothing', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom('team-a', 'x"y', 'z\\', '', ',"lane":', '\u0001'),
    );
    const count = fc.oneof(fc.constant(null), fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const record = fc.record({
      id: name,
      key: fc.option(name),
      conversation: fc.option(name),
      input_tokens: count,
      output_tokens: count,
      latency_ms: count,
      cost: count,
      user: fc.option(name),
      tags: fc.option(fc.dictionary(name, name)),
      group: fc.option(name, { nil: undefined }),
    });
    fc.assert(
      fc.property(record, (changes) => {
        const made = logRecord(changes as Partial<LogRecord>);
        const line = Buffer.from(encodeRecord(made));
        const scan = new HeadScan(line);
        if (scan.shared(0, line.length - 1) === undefined) return;
        const rest = parseRest(scan.rest(0, line.length - 1)!);
        // As it was written: JSON has no -0.
        const {
          input_tokens: inputTokens,
          output_tokens: outputTokens,
          latency_ms: latencyMs,
          key,
          conversation,
          user = null,
        } = JSON.parse(line.toString()) as LogRecord;
        const plain = (value: string | null) =>
          value === null || /^[ -~]*$/.test(value) ? value : undefined;
        const names = { key, conversation: plain(conversation), user: plain(user) };
        const lane = ',"lane":';
        const chars =
          line.subarray(line.indexOf(',"fault":'), line.indexOf(lane)).toString('latin1').length +
          lane.length;
        if (rest) expect(rest).toEqual({ inputTokens, outputTokens, latencyMs, ...names, chars });
        else expect(line.subarray(0, line.indexOf(',"lane":')).toString()).toMatch(/[^ -~]|\\/);
      }),
    );
  });

  test('reports nothing about the rest of a head that is invalid JSON, or has other fields', () => {
    const line = encodeRecord(logRecord({ key: 'a' })).trimEnd();
    const restOf = (text: string) => {
      const block = Buffer.from(text);
      const scan = new HeadScan(block);
      scan.shared(0, block.length);
      const rest = scan.rest(0, block.length);
      return rest === undefined ? undefined : parseRest(rest);
    };
    expect(restOf(line)?.key).toBe('a');
    const odd = [
      line.replace(/"id":"[^"]*"/, '"id":"a\\x"'),
      line.replace(/"id":"[^"]*"/, '"id":"a\u0002"'),
      line.replace('"ts":"2', '"ts":"\\'),
      line.replace(/"input_tokens":[^,]*/, '"input_tokens":07'),
      line.replace(/"latency_ms":[^,]*/, '"latency_ms":"1"'),
      line.replace(',"lane":', ',"key":"b","lane":'),
      line.replace(',"lane":', ',"lone":'),
    ];
    expect(odd.map(restOf)).toEqual(odd.map(() => undefined));
    expect(odd).not.toContain(line);
  });

  test('reads names up to a maximum length', () => {
    const head = (model: string) => headsOf(encodeRecord(logRecord({ model })))[0]?.model.length;
    expect([head('small'), head('m'.repeat(700)), head('m'.repeat(5_000))]).toEqual([5, 700, undefined]);
  });

  test('returns the time as it is written', () => {
    const record = logRecord();
    expect(new HeadScan(Buffer.from(encodeRecord(record))).time(0)).toBe(record.ts);
  });

  test('reports nothing about lines that are truncated, joined or written by other programs', () => {
    const line = encodeRecord(logRecord()).trimEnd();
    const known = { ...headsOf(line)[0]! };
    const odd = [
      '{"v":2,"ts":"x"}',
      '{"v":1,"ts":"',
      line.slice(0, 90),
      line.slice(0, 90) + line,
      line + line,
      ` ${line}`,
      line.replace('","id":"', '","no":"'),
      line.replace(/"id":"[^"]*"/, '"id":"a","other":{}'),
      line.replace(/"ts":"[^"]*"/, '"ts":"2026-11-01T00:00:00Z"'),
      line.replace('"stream":', '"steam":'),
      line.replace(',"fault":', ',"default":'),
      '',
    ];
    const heads = headsOf(odd.flatMap((each) => [each, line]).join('\n'));
    expect(heads).toEqual(odd.flatMap(() => [undefined, known]));
  });
});
