/** Running failed test files again, with real runs of `bun test` on files that fail always or only once. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestRun } from '../../scripts/run-again.ts';
import { runAgain } from '../../scripts/run-again.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmproxy-again-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PASSES = `test('right', () => {});`;
/** A test that fails in its first run only. */
const FAILS_ONCE = `test('once', () => {
  const ran = existsSync(import.meta.path + '.ran');
  writeFileSync(import.meta.path + '.ran', '');
  expect(ran).toBeTrue();
});`;
const FAILS = `test('wrong', () => { throw new Error('wrong'); });`;
const EXITS_AGAIN = `test('exits', () => {
  if (existsSync(import.meta.path + '.ran')) process.exit(0);
  writeFileSync(import.meta.path + '.ran', '');
  throw new Error('first');
});`;

/** Runs files with these tests, and then the failed ones again. */
async function again(files: Readonly<Record<string, string>>) {
  const cwd = mkdtempSync(join(folder, 'run-'));
  const head = `import { expect, test } from 'bun:test';\nimport { existsSync, writeFileSync } from 'node:fs';\n`;
  for (const [name, tests] of Object.entries(files))
    writeFileSync(join(cwd, `${name}.test.ts`), `${head}${PASSES}\n${tests}\n`);
  const run = async (...paths: string[]): Promise<TestRun> => {
    const env = { ...process.env, FORCE_COLOR: undefined };
    const child = Bun.spawn([process.execPath, '--no-env-file', 'test', ...paths], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { out, err, code };
  };
  const ran: string[] = [];
  const result = await runAgain(await run(), async (file) => {
    ran.push(file);
    return await run(`./${file}`);
  });
  return { ran, ...result };
}

test('runAgain() counts each file by its second result, and shows what failed twice', async () => {
  const { ran, counts, report } = await again({ once: FAILS_ONCE, fine: PASSES, twice: FAILS });
  expect(ran).toEqual(['once.test.ts', 'twice.test.ts']);
  expect(counts).toEqual({ passed: 5, failed: 1 });
  expect(report).toContain('Passed only when run again alone: once.test.ts\n');
  expect(report).toContain('(fail) wrong');
  expect(report).not.toContain('(fail) once');
  expect(report).toEndWith('Failed again when run alone: twice.test.ts\n');
});

test('runAgain() counts a file that ends the process as failed', async () => {
  const { counts, report } = await again({ exits: EXITS_AGAIN });
  expect(counts).toEqual({ passed: 1, failed: 1 });
  expect(report).toContain('Failed again when run alone: exits.test.ts\n');
});

test.each([
  ['more than a few failed', Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, FAILS]))],
  ['a failure belongs to no test', { a: FAILS, b: `throw new Error('outside');` }],
])('runAgain() runs nothing if %s', async (_, files) => {
  expect(await again(files)).toEqual({ ran: [] });
});
