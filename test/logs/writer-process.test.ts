import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { logDirectory, parseLines } from '../helpers/log-directory.ts';

const SCRIPT = join(import.meta.dir, '..', 'helpers', 'log-process.ts');

function start(...parameters: string[]) {
  return Bun.spawn([process.execPath, SCRIPT, ...parameters], { stdout: 'pipe', stderr: 'pipe' });
}

type Directory = Awaited<ReturnType<typeof logDirectory>>;

async function readAll(dir: Directory) {
  const names = await dir.names();
  return (await Promise.all(names.map(async (name) => parseLines(await dir.text(name))))).flat();
}

test('two processes share a directory: every line is complete and none is missing', async () => {
  await using dir = await logDirectory();
  const writers = ['a', 'b'].map((prefix) => start(dir.path, prefix, '2000', '200000'));
  expect(await Promise.all(writers.map((each) => each.exited))).toEqual([0, 0]);
  const ids = (await readAll(dir)).map((line) => line?.id);
  expect(ids).toHaveLength(4000);
  const expected = ['a', 'b'].flatMap((prefix) => Array.from({ length: 2000 }, (_, at) => `${prefix}-${at}`));
  expect(new Set(ids)).toEqual(new Set(expected));
  // How many there are depends on how much was queued for each write.
  expect((await dir.names()).length).toBeGreaterThan(2);
  for (const each of writers) expect(await each.stderr.text()).toBe('');
});

test('kill -9 keeps what was flushed and truncates at most one line, and the next process continues', async () => {
  await using dir = await logDirectory();
  const killed = start(dir.path, 'a', '0');
  let said = '';
  const decoder = new TextDecoder();
  for await (const chunk of killed.stdout) {
    said += decoder.decode(chunk);
    if (flushed(said) >= 200) break;
  }
  killed.kill('SIGKILL');
  await killed.exited;
  const next = start(dir.path, 'b', '50');
  expect(await next.exited).toBe(0);
  const lines = await readAll(dir);
  const ids = new Set(lines.map((line) => line?.id));
  for (let at = 0; at < flushed(said); at++) expect(ids).toContain(`a-${at}`);
  for (let at = 0; at < 50; at++) expect(ids).toContain(`b-${at}`);
  expect(lines.filter((line) => line === undefined).length).toBeLessThanOrEqual(1);
});

/** The last number that a writer reported as flushed. */
function flushed(said: string): number {
  return Number(/.*^written (\d+)\n/ms.exec(said)?.[1] ?? 0);
}
