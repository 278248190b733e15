/**
 * `make check`: everything that must pass, one line a step; a failing step shows all it said.
 * Usage: bun scripts/check.ts [STEP...]   (no step named: all of them)
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compile.ts';
import { countTests } from './test-counts.ts';

const bun = [process.execPath, '--no-env-file'];
const sources = ['src', 'test', 'scripts', 'bench', 'examples'].filter((folder) =>
  existsSync(join(ROOT, folder)),
);
const docs = readdirSync(join(ROOT, 'scripts'))
  .filter((file) => /^docs-.*\.ts$/.test(file))
  .map((file): Step => [file.replace('.ts', ''), [...bun, `scripts/${file}`, '--check']]);

type Step = readonly [name: string, command: readonly string[]];

const STEPS: readonly Step[] = [
  ['format', [...bun, 'fmt', '--check', ...sources]],
  ['types', [...bun, 'check']],
  // The linter's own launcher asks for node, which a machine with Bun alone lacks.
  ['lint', [...bun, 'node_modules/oxlint/bin/oxlint', '--deny-warnings', ...sources]],
  ...docs,
  // Before the tests, since those in test/e2e run the binary.
  ['build', [...bun, 'scripts/build.ts']],
  ['tests', [...bun, 'test', '--parallel=2', '--timeout', '20000']],
  ['simulation', [...bun, 'scripts/simulate.ts', '--seed', '1', '--hours', '8']],
  ['fuzz', [...bun, 'scripts/fuzz.ts', '--seed', '1', '--cases', '4000', '--minutes', '0.7']],
  ['smoke', [...bun, 'scripts/smoke.ts']],
  ['soak', [...bun, 'bench/soak.ts', '--seconds', '50']],
];

/** Steps that need what `build` makes. */
const OF_THE_BINARY = new Set(['fuzz', 'smoke', 'soak']);

async function run([name, command]: Step): Promise<boolean> {
  const began = performance.now();
  const step = Bun.spawn([...command], { cwd: ROOT, stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' });
  const [out, err, code] = await Promise.all([step.stdout.text(), step.stderr.text(), step.exited]);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const counts = name === 'tests' ? countTests(err) : undefined;
  // A test that ends the process ends it with 0 and without a summary, which is no success.
  const passed = code === 0 && (!counts || (counts.failed === 0 && counts.passed > 0));
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (!passed) process.stdout.write(`${out}${err}\n`);
  if (counts) process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return passed;
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !STEPS.some(([step]) => step === name));
if (unknown.length > 0) {
  const known = STEPS.map(([name]) => name).join(', ');
  process.stderr.write(`Cannot check ${unknown.join(', ')}: expected ${known}\n`);
  process.exit(2);
}

const failed: string[] = [];
for (const step of STEPS) {
  const [name] = step;
  if (named.length > 0 && !named.includes(name)) continue;
  if (OF_THE_BINARY.has(name) && failed.includes('build')) continue;
  if (!(await run(step))) failed.push(name);
}
if (failed.length > 0) {
  process.stdout.write(`Not passed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
