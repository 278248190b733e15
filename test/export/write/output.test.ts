import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { says, workshop } from '../workshop.ts';

describe('the file runExport() writes', () => {
  test('appears complete, and leaves no staging', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a').repeat(9_000) });
    await shop.run('--dedup none', { onProgress: () => expect(existsSync(shop.output)).toBe(false) });
    expect(readdirSync(shop.path('out'))).toEqual(['data.jsonl']);
    expect(shop.rows()).toHaveLength(9_000);
  });

  test('does not exist after an abort, and an earlier file is kept', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a').repeat(9_000) });
    mkdirSync(shop.path('out'));
    writeFileSync(shop.output, 'old');
    const controller = new AbortController();
    const hooks = { signal: controller.signal, onProgress: () => controller.abort(new Error('stopped')) };
    await expect(shop.run('--force', hooks)).rejects.toThrow('stopped');
    expect(readdirSync(shop.path('out'))).toEqual(['data.jsonl']);
    expect(readFileSync(shop.output, 'utf8')).toBe('old');
  });

  test('is replaced only with force, and keeps its permissions', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    await shop.run();
    await expect(shop.run()).rejects.toThrow('it exists already, give --force to replace it');
    chmodSync(shop.output, 0o600);
    await shop.run('--force');
    expect(statSync(shop.output).mode & 0o777).toBe(0o600);
  });

  test('may be the target of a link, which is kept', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    writeFileSync(shop.path('real.jsonl'), '');
    symlinkSync('real.jsonl', shop.path('link.jsonl'));
    await shop.run(`--force -o ${shop.path('link.jsonl')}`);
    expect(readFileSync(shop.path('real.jsonl'), 'utf8')).not.toBe('');
    expect(readdirSync(shop.path('.')).sort()).toEqual(['link.jsonl', 'logs', 'real.jsonl']);
  });

  test('may not be an input', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    const path = shop.path('logs/a.ndjson');
    await expect(shop.run(`${path} --force -o ${path}`)).rejects.toThrow('it is also the input');
    expect(readFileSync(path, 'utf8')).toBe(says('a'));
    expect(readdirSync(shop.path('logs'))).toEqual(['a.ndjson']);
  });

  test('must be at a path where the user can write', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    await expect(shop.run(`-o ${shop.path('logs')}`)).rejects.toThrow('it exists already');
    await expect(shop.run(`-o ${shop.path('logs')} --force`)).rejects.toThrow(
      'a.ndjson in it was not written by an export',
    );
    await expect(shop.run(`-o ${shop.path('logs/a.ndjson/b')}`)).rejects.toThrow('Cannot write');
    await expect(shop.run(shop.path('none'))).rejects.toThrow('there is no such file');
    expect(readdirSync(shop.path('.')).toSorted()).toEqual(
      ['logs', 'out'].filter((name) => existsSync(shop.path(name))),
    );
    expect(existsSync(shop.output)).toBe(false);
  });

  test.skipIf(!existsSync('/dev/full'))('is named in the error if the disk is full', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    await expect(shop.run('-o /dev/full')).rejects.toThrow('Cannot write /dev/full: the disk is full');
  });
});
