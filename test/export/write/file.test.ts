import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ExportError } from '../../../src/export/errors.ts';
import { OutputClosed } from '../../../src/export/write/sink.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { put, rowsFrom, sha256, sinkAt } from './sinks.ts';

const NOTHING = () => [];
const MANIFEST = '{"llmproxy":"0.1.0","outputs":[]}';

describe('a link as the output', () => {
  test.each(['target.jsonl', 'below/target.jsonl'])(
    'may have a target that does not exist yet: %s',
    async (target) => {
      await using dir = await logDirectory();
      const link = join(dir.path, 'link.jsonl');
      symlinkSync(join('again.jsonl'), link);
      symlinkSync(target, join(dir.path, 'again.jsonl'));
      const sink = sinkAt(link);
      await put(sink, rowsFrom(0, 3));
      await sink.finish(NOTHING);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(dir.path, target), 'utf8')).toBe(rowsFrom(0, 3));
      // Now there is a file to be replaced.
      expect(() => sinkAt(link)).toThrow('it exists already');
    },
  );

  test('is rejected if it leads to itself', async () => {
    await using dir = await logDirectory();
    symlinkSync('b.jsonl', join(dir.path, 'a.jsonl'));
    symlinkSync('a.jsonl', join(dir.path, 'b.jsonl'));
    expect(() => sinkAt(join(dir.path, 'a.jsonl'))).toThrow(ExportError);
  });
});

describe('openSink() of a file', () => {
  test('writes its input, however it is divided', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'rows.jsonl');
    const pieces = fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (sizes, hash) => {
        const sink = sinkAt(path, { force: true, hash });
        // The memory of a piece is reused for the next.
        const memory = new Uint8Array(1_500_000);
        const hasher = new Bun.CryptoHasher('sha256');
        for (const [index, size] of sizes.entries()) {
          const piece = memory.subarray(0, size).fill(index + 65);
          hasher.update(piece);
          await sink.write('train', piece, 1);
        }
        const [file] = await sink.finish(NOTHING);
        const written = readFileSync(path);
        const digest = hasher.digest('hex');
        expect(sha256(written)).toBe(digest);
        expect(file).toEqual({
          path,
          split: 'train',
          rows: sizes.length,
          bytes: written.length,
          ...(hash ? { sha256: digest } : {}),
        });
      }),
      { numRuns: 20 },
    );
  });

  test('creates nothing visible before the end, and leaves no staging after it', async () => {
    await using dir = await logDirectory();
    const sink = sinkAt(join(dir.path, 'rows.jsonl'));
    await put(sink, rowsFrom(0, 3));
    expect(await dir.names()).toEqual([`.rows.jsonl.${process.pid}.tmp`]);
    await sink.finish(NOTHING);
    expect(await dir.names()).toEqual(['rows.jsonl']);
  });

  test('leaves nothing if it is discarded, not even the directories it made', async () => {
    await using dir = await logDirectory();
    mkdirSync(join(dir.path, 'mine'));
    const sink = sinkAt(join(dir.path, 'mine/a/b/rows.jsonl'));
    await put(sink, rowsFrom(0, 3));
    sink.discard();
    sink.discard();
    expect(readdirSync(join(dir.path, 'mine'))).toEqual([]);
  });

  test('keeps directories that it made if others have put something into them', async () => {
    await using dir = await logDirectory();
    const sink = sinkAt(join(dir.path, 'a/b/rows.jsonl'));
    writeFileSync(join(dir.path, 'a/note'), '');
    sink.discard();
    expect(readdirSync(join(dir.path, 'a'))).toEqual(['note']);
  });

  test('replaces a file only with force, through a link, and keeps its permissions', async () => {
    await using dir = await logDirectory();
    const [real, link] = [join(dir.path, 'real.jsonl'), join(dir.path, 'link.jsonl')];
    writeFileSync(real, 'old');
    chmodSync(real, 0o600);
    symlinkSync('real.jsonl', link);
    expect(() => sinkAt(link)).toThrow(`Cannot write ${link}: it exists already, give --force to replace it`);
    const sink = sinkAt(link, { force: true });
    await put(sink, rowsFrom(0, 1));
    await sink.finish(NOTHING);
    expect(readFileSync(real, 'utf8')).toBe(rowsFrom(0, 1));
    expect([statSync(real).mode & 0o777, lstatSync(link).isSymbolicLink()]).toEqual([0o600, true]);
    expect(await dir.names()).toEqual(['link.jsonl', 'real.jsonl']);
  });

  test('does not replace a file that was created in the meantime', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'rows.jsonl');
    const sink = sinkAt(path);
    writeFileSync(path, 'mine');
    await expect(sink.finish(NOTHING)).rejects.toThrow('it exists already');
    sink.discard();
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(await dir.names()).toEqual(['rows.jsonl']);
  });

  test('does not follow a link at the path of its staging', async () => {
    await using dir = await logDirectory();
    writeFileSync(join(dir.path, 'precious'), 'kept');
    symlinkSync('precious', join(dir.path, `.rows.jsonl.${process.pid}.tmp`));
    const sink = sinkAt(join(dir.path, 'rows.jsonl'));
    await put(sink, rowsFrom(0, 1));
    await sink.finish(NOTHING);
    expect(readFileSync(join(dir.path, 'precious'), 'utf8')).toBe('kept');
    expect(readFileSync(join(dir.path, 'rows.jsonl'), 'utf8')).toBe(rowsFrom(0, 1));
  });

  test.skipIf(!existsSync('/dev/full'))('reports that the disk is full', async () => {
    const sink = sinkAt('/dev/full', { hash: false });
    const writing = put(sink, rowsFrom(0, 60_000));
    await expect(writing).rejects.toThrow(
      new ExportError('failed', 'Cannot write /dev/full: the disk is full'),
    );
    sink.discard();
  });

  test('fills a pipe as fast as its reader reads, and reports when the reader is gone', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'pipe');
    Bun.spawnSync(['mkfifo', path]);
    const reader = Bun.spawn(['cat', path], { stdout: 'pipe' });
    const text = new Response(reader.stdout).text();
    const lines = rowsFrom(0, 50_000);
    const sink = sinkAt(path);
    await put(sink, lines);
    await sink.finish(NOTHING);
    expect((await text) === lines).toBe(true);
    const end = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const late = sinkAt(path);
    closeSync(end);
    await expect(put(late, lines)).rejects.toBeInstanceOf(OutputClosed);
    late.discard();
  });
});

describe('a provisional file', () => {
  test('may be kept as others filled it, and is started anew otherwise', async () => {
    await using dir = await logDirectory();
    for (const stays of [true, false]) {
      const path = join(dir.path, `${stays}.jsonl`);
      const sink = sinkAt(path, { hash: false });
      const { fd, keep, renew } = sink.provisional!;
      writeFileSync(fd, rowsFrom(0, 9));
      if (stays) keep(9, rowsFrom(0, 9).length);
      else {
        renew();
        closeSync(fd);
        await put(sink, rowsFrom(3, 2));
      }
      const [first, count] = stays ? [0, 9] : [3, 2];
      const [file] = await sink.finish(NOTHING);
      expect(readFileSync(path, 'utf8')).toBe(rowsFrom(first, count));
      expect(file).toEqual({ path, split: 'train', rows: count, bytes: rowsFrom(first, count).length });
    }
  });

  test.each([{ hash: true }, { compress: 'gz' }, { parquet: true }] as const)(
    'is not available with %j',
    async (more) => {
      await using dir = await logDirectory();
      const sink = sinkAt(join(dir.path, 'rows'), { hash: false, ...more });
      expect(sink.provisional).toBeUndefined();
      sink.discard();
    },
  );
});

describe('a text beside the rows', () => {
  const rowsAnd = async (path: string, texts: { path: string; text: string }[], force = false) => {
    const sink = sinkAt(path, { force });
    try {
      await put(sink, rowsFrom(0, 1));
      await sink.finish(() => texts);
    } catch (error) {
      sink.discard();
      throw error;
    }
  };

  test('appears at its path, and replaces an earlier manifest', async () => {
    await using dir = await logDirectory();
    const text = join(dir.path, 'deep/manifest.json');
    await rowsAnd(join(dir.path, 'a.jsonl'), [{ path: text, text: MANIFEST }]);
    await rowsAnd(join(dir.path, 'b.jsonl'), [{ path: text, text: `${MANIFEST}\n` }]);
    expect(readFileSync(text, 'utf8')).toBe(`${MANIFEST}\n`);
    expect(readdirSync(join(dir.path, 'deep'))).toEqual(['manifest.json']);
  });

  test('replaces nothing else without force, and then the rows do not appear either', async () => {
    await using dir = await logDirectory();
    const [rows, text] = [join(dir.path, 'rows.jsonl'), join(dir.path, 'package.json')];
    writeFileSync(text, '{"name":"mine"}');
    const writing = rowsAnd(rows, [{ path: text, text: MANIFEST }]);
    await expect(writing).rejects.toThrow(`Cannot write ${text}: it exists already`);
    expect(await dir.names()).toEqual(['package.json']);
    await rowsAnd(rows, [{ path: text, text: MANIFEST }], true);
    expect(readFileSync(text, 'utf8')).toBe(MANIFEST);
  });

  test('does not replace the rows', async () => {
    await using dir = await logDirectory();
    const path = join(dir.path, 'rows.jsonl');
    const writing = rowsAnd(path, [{ path: `${dir.path}/./rows.jsonl`, text: MANIFEST }], true);
    await expect(writing).rejects.toThrow('the rows go there already');
    expect(await dir.names()).toEqual([]);
  });

  test('is named in the error if it cannot be written', async () => {
    await using dir = await logDirectory();
    const writing = rowsAnd(join(dir.path, 'rows.jsonl'), [{ path: dir.path, text: MANIFEST }], true);
    await expect(writing).rejects.toThrow(`Cannot write ${dir.path}: it is a directory`);
    expect(await dir.names()).toEqual([]);
  });
});
