import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { ExportError } from '../../../src/export/errors.ts';
import { replaceable } from '../../../src/export/write/overwrite-guard.ts';
import { swap, stagedWithin } from '../../../src/export/write/staging-directory.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { exportTo, finishWithManifest, put, rowsFrom, sha256, sinkAt } from './sinks.ts';

/** All files below a directory with their text. */
function tree(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {};
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.toSorted().map((file) => [file.slice(directory.length + 1), readFileSync(file, 'utf8')]),
  );
}

const names = (directory: string) => Object.keys(tree(directory));

describe('openSink() of a directory', () => {
  test('writes a file for each split that has rows, and describes its content', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'deep/out');
    const [train, test] = [rowsFrom(0, 5), rowsFrom(5, 2)];
    const files = await exportTo(`${out}/`, { train, validation: '', test });
    expect(names(out)).toEqual(['manifest.json', 'test.jsonl', 'train.jsonl']);
    expect(files).toEqual([
      { path: 'train.jsonl', split: 'train', rows: 5, bytes: train.length, sha256: sha256(train) },
      { path: 'test.jsonl', split: 'test', rows: 2, bytes: test.length, sha256: sha256(test) },
    ]);
    expect(tree(out)).toMatchObject({ 'train.jsonl': train, 'test.jsonl': test });
    expect(readdirSync(dirname(out))).toEqual(['out']);
  });

  test('creates nothing visible before the end, and leaves nothing if it is discarded', async () => {
    await using dir = await logDirectory();
    const sink = sinkAt(`${dir.path}/a/out/`, { shardBytes: 100 });
    await put(sink, rowsFrom(0, 9));
    expect(readdirSync(join(dir.path, 'a'))).toEqual([`.out.${process.pid}.tmp`]);
    sink.discard();
    sink.discard();
    expect(await dir.names()).toEqual([]);
  });

  test('starts anew if a process with the same id died', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'out');
    const dead = sinkAt(`${out}/`);
    await put(dead, rowsFrom(0, 9));
    await exportTo(`${out}/`, { train: rowsFrom(0, 1) });
    expect(names(dir.path)).toEqual(['out/manifest.json', 'out/train.jsonl']);
    dead.discard();
  });

  test('writes every row once to shards of the given size, in order, however rows come', async () => {
    await using dir = await logDirectory();
    const lines = fc.array(
      fc.integer({ min: 0, max: 300 }).map((pad) => `{"pad":"${'x'.repeat(pad)}"}\n`),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(lines, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 900 }),
        async (batches, shardBytes) => {
          const out = join(dir.path, 'out');
          rmSync(out, { recursive: true, force: true });
          const sink = sinkAt(`${out}/`, { shardBytes });
          for (const batch of batches) await put(sink, batch.join(''));
          const files = await finishWithManifest(sink);
          const texts = files.map(({ path }) => readFileSync(join(out, path), 'utf8'));
          expect(texts.join('')).toBe(batches.flat().join(''));
          for (const [index, text] of texts.entries()) {
            const rows = text.split('\n').length - 1;
            const numbers = [index, files.length].map((number) => String(number).padStart(5, '0'));
            expect(files[index]).toEqual({
              path: `data/train-${numbers[0]}-of-${numbers[1]}.jsonl`,
              split: 'train',
              rows,
              bytes: text.length,
              sha256: sha256(text),
            });
            expect(text.length >= shardBytes || index === files.length - 1).toBe(true);
            // Without its last row, the shard was not full.
            expect(text.lastIndexOf('\n', text.length - 2) + 1).toBeLessThan(shardBytes);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  test.skipIf(!existsSync('/proc/self/fd'))(
    'keeps one file open for each split, however many shards there are',
    async () => {
      await using dir = await logDirectory();
      const sink = sinkAt(`${dir.path}/out/`, { splits: ['train', 'test'], shardBytes: 1 });
      const before = openFiles();
      for (const split of ['train', 'test']) await put(sink, rowsFrom(0, 20), split);
      expect(openFiles() - before).toBeLessThanOrEqual(2);
      expect(await finishWithManifest(sink)).toHaveLength(40);
    },
  );

  test.each(['../up', 'a/b', '', '.', 'a b'])('rejects "%s" as the name of a split', async (split) => {
    await using dir = await logDirectory();
    const opening = () => sinkAt(`${dir.path}/out/`, { splits: ['train', split] });
    expect(opening).toThrow(`"${split}" cannot be the name of a split`);
    expect(await dir.names()).toEqual([]);
  });

  test('writes a text to a path within the directory there, and others to their own paths', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'out');
    for (const force of [false, true]) {
      const sink = sinkAt(`${out}/`, { force });
      await put(sink, rowsFrom(0, 1));
      const text = '{"llmproxy":"0.1.0","outputs":[{"path":"train.jsonl"}]}';
      await sink.finish(() => [
        { path: join(out, 'manifest.json'), text },
        { path: join(dir.path, 'copy.json'), text },
        { name: 'manifest.json', text },
      ]);
    }
    expect(names(dir.path)).toEqual(['copy.json', 'out/manifest.json', 'out/train.jsonl']);
  });

  test('rejects a text with the path of a rows file', async () => {
    await using dir = await logDirectory();
    const sink = sinkAt(`${dir.path}/out/`);
    await put(sink, rowsFrom(0, 1));
    const finishing = sink.finish(() => [{ path: join(dir.path, 'out/train.jsonl'), text: '' }]);
    await expect(finishing).rejects.toThrow('Cannot write');
    sink.discard();
    expect(await dir.names()).toEqual([]);
  });
});

/** How many files this process has open. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('an existing directory', () => {
  test('is filled if it is empty, and keeps its permissions', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'out');
    mkdirSync(out);
    chmodSync(out, 0o700);
    await exportTo(`${out}/`, { train: rowsFrom(0, 1) });
    expect(names(dir.path)).toEqual(['out/manifest.json', 'out/train.jsonl']);
    expect(statSync(out).mode & 0o777).toBe(0o700);
  });

  test('is replaced only with force, without keeping anything of the old one', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'out');
    await exportTo(`${out}/`, { train: rowsFrom(0, 9), test: rowsFrom(9, 1) }, { shardBytes: 100 });
    const old = tree(out);
    expect(() => sinkAt(`${out}/`)).toThrow(
      `Cannot write ${out}/: it exists already, give --force to replace it`,
    );
    expect(tree(out)).toEqual(old);
    await exportTo(`${out}/`, { train: rowsFrom(0, 1) }, { force: true });
    expect(names(dir.path)).toEqual(['out/manifest.json', 'out/train.jsonl']);
  });

  test('is unchanged if the export is discarded', async () => {
    await using dir = await logDirectory();
    await exportTo(`${dir.path}/out/`, { train: rowsFrom(0, 9) });
    const old = tree(dir.path);
    const sink = sinkAt(`${dir.path}/out/`, { force: true });
    await put(sink, rowsFrom(5, 9));
    sink.discard();
    expect(tree(dir.path)).toEqual(old);
  });

  test.each<[string, Record<string, string>, string]>([
    ['only a README', { 'README.md': 'my notes' }, 'README.md'],
    ['the manifest of another program', { 'manifest.json': '{"name":"my extension"}' }, 'manifest.json'],
    ['a manifest that is not JSON', { 'manifest.json': '{', 'train.jsonl': '' }, 'manifest.json'],
    ['rows without a manifest', { 'train.jsonl': '{}\n' }, 'train.jsonl'],
    ['a file beside an export', { ...ownTree(), 'notes.txt': 'mine' }, 'notes.txt'],
    ['a hidden file beside an export', { ...ownTree(), '.env': 'KEY=1' }, '.env'],
    ['a file in a folder beside an export', { ...ownTree(), 'src/main.ts': '' }, 'src/main.ts'],
    ['rows that the manifest does not list', { ...ownTree(), 'test.jsonl': '' }, 'test.jsonl'],
  ])('is never replaced if it contains %s', async (_, files, foreign) => {
    await using dir = await logDirectory();
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir.path, name)), { recursive: true });
      writeFileSync(join(dir.path, name), text);
    }
    const before = tree(dir.path);
    const refused = `Cannot replace ${dir.path}/: ${foreign} in it was not written by an export`;
    expect(() => sinkAt(`${dir.path}/`, { force: true })).toThrow(new ExportError('failed', refused));
    expect(tree(dir.path)).toEqual(before);
    expect(readdirSync(dirname(dir.path)).filter((name) => name.includes(`${basename(dir.path)}.`))).toEqual(
      [],
    );
  });

  test('is never replaced if it contains a link, nor is the target of the link', async () => {
    await using dir = await logDirectory();
    const out = join(dir.path, 'out');
    await exportTo(`${out}/`, { train: rowsFrom(0, 1) });
    mkdirSync(join(dir.path, 'work'));
    symlinkSync('../work', join(out, 'data'));
    expect(() => sinkAt(`${out}/`, { force: true })).toThrow('data in it was not written by an export');
  });

  test.each([false, true])(
    'is not replaced if another program creates a file in it in the meantime (force %p)',
    async (force) => {
      await using dir = await logDirectory();
      const out = join(dir.path, 'out');
      if (force) await exportTo(`${out}/`, { train: rowsFrom(0, 1) });
      const sink = sinkAt(`${out}/`, { force });
      await put(sink, rowsFrom(0, 2));
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, 'notes.txt'), 'mine');
      await expect(finishWithManifest(sink)).rejects.toThrow(force ? 'notes.txt in it' : 'it exists already');
      sink.discard();
      expect(tree(out)['notes.txt']).toBe('mine');
      expect(await dir.names()).toEqual(['out']);
    },
  );

  test('may be the target of a link, which is kept', async () => {
    await using dir = await logDirectory();
    mkdirSync(join(dir.path, 'real'));
    symlinkSync('real', join(dir.path, 'out'));
    await exportTo(`${dir.path}/out/`, { train: rowsFrom(0, 1) });
    expect(names(join(dir.path, 'real'))).toEqual(['manifest.json', 'train.jsonl']);
    symlinkSync('nowhere', join(dir.path, 'lost'));
    expect(() => sinkAt(`${dir.path}/lost/`)).toThrow('it is a dangling link');
    writeFileSync(join(dir.path, 'file'), '');
    expect(() => sinkAt(`${dir.path}/file/`)).toThrow('it is a file');
  });
});

/** The files that an export leaves. */
function ownTree(): Record<string, string> {
  const outputs = [{ path: 'train.jsonl', split: 'train', rows: 0, bytes: 0 }];
  return {
    'README.md': '',
    'dataset_info.json': '',
    'manifest.json': JSON.stringify({ llmproxy: '0.1.0', outputs }),
    'train.jsonl': '',
  };
}

describe('swap()', () => {
  test('restores the old directory if the new one cannot replace it', async () => {
    await using dir = await logDirectory();
    mkdirSync(join(dir.path, 'out'));
    writeFileSync(join(dir.path, 'out/train.jsonl'), 'old');
    expect(() => swap(join(dir.path, 'gone'), join(dir.path, 'out'))).toThrow('ENOENT');
    expect(tree(dir.path)).toEqual({ 'out/train.jsonl': 'old' });
  });
});

describe('stagedWithin(), for volumes that cannot be renamed', () => {
  const fill = (staging: string, files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(staging, name)), { recursive: true });
      writeFileSync(join(staging, name), text);
    }
    return Object.keys(files).toSorted(
      (a, b) => Number(a === 'manifest.json') - Number(b === 'manifest.json'),
    );
  };
  const open = (path: string) => stagedWithin(path, () => replaceable(path, { name: path, force: true }));

  test('replaces an earlier export, file by file, and leaves no staging', async () => {
    await using dir = await logDirectory();
    fill(dir.path, ownTree());
    const target = open(dir.path);
    const manifest = JSON.stringify({ llmproxy: '0.1.0', outputs: [{ path: 'data/train-0.jsonl' }] });
    const files = { 'data/train-0.jsonl': 'new', 'manifest.json': manifest };
    await target.appear(fill(target.staging, files));
    expect(tree(dir.path)).toEqual(files);
    expect(replaceable(dir.path, { name: 'x', force: true })).toEqual([
      'data/train-0.jsonl',
      'manifest.json',
    ]);
  });

  test('keeps the existing files if it is discarded', async () => {
    await using dir = await logDirectory();
    fill(dir.path, ownTree());
    const target = open(dir.path);
    fill(target.staging, { 'train.jsonl': 'new' });
    target.discard();
    target.discard();
    expect(tree(dir.path)).toEqual(ownTree());
  });

  test('replaces nothing if another program creates a file in the meantime', async () => {
    await using dir = await logDirectory();
    const target = open(dir.path);
    const files = fill(target.staging, { 'train.jsonl': 'new' });
    writeFileSync(join(dir.path, 'notes.txt'), 'mine');
    await expect(target.appear(files)).rejects.toThrow('notes.txt in it was not written by an export');
    target.discard();
    expect(tree(dir.path)).toEqual({ 'notes.txt': 'mine' });
  });
});
