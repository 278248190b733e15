/**
 * `make mutants`: removes one rule after another from the formats' checkers, in a copy of the project, and expects a
 * test to fail for each. Usage: bun scripts/export-mutants.ts [PART OF A FILE NAME]
 *
 * A rule is code that reports a problem: a text in a list of problems, a call that returns some, or a function that
 * does.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutantsOf } from '../test/export/render/mutants.ts';

const ROOT = join(import.meta.dir, '..');
const RENDER = 'src/export/render';
const TESTS = ['check-broken', 'check-taken'].map((name) => `test/export/render/${name}.test.ts`);

const [words = ''] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'llmproxy-export-mutant-'));
let [tried, missed] = [0, 0];
try {
  for (const name of ['src', 'test/export', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  if (isNoticed()) throw new Error('Cannot try mutants: the tests fail before anything is changed');
  for (const file of readdirSync(join(ROOT, RENDER)).filter((name) => name.includes(words))) {
    const path = join(folder, RENDER, file);
    const source = readFileSync(path, 'utf8');
    for (const { line, rule, mutant } of mutantsOf(source)) {
      tried += 1;
      writeFileSync(path, mutant);
      if (isNoticed()) continue;
      missed += 1;
      process.stdout.write(`${RENDER}/${file}:${line}: no test fails without ${rule}\n`);
    }
    writeFileSync(path, source);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${tried - missed} of ${tried} mutants are noticed\n`);
process.exitCode = missed > 0 ? 1 : 0;

function isNoticed(): boolean {
  const { status } = spawnSync(process.execPath, ['test', '--timeout', '60000', '--bail', ...TESTS], {
    cwd: folder,
  });
  return status !== 0;
}
