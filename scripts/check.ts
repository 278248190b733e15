/**
 * `make check`: runs every check that must pass, and prints one line for each; a step that fails shows all its output.
 * Usage: bun scripts/check.ts [STEP...]   (without a step: all of them)
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compile.ts';
import { runAgain } from './run-again.ts';
import type { TestRun } from './run-again.ts';
import { countTests } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

const bun = [process.execPath, '--no-env-file'];
const sources = ['src', 'test', 'scripts', 'bench', 'examples'].filter((folder) =>
  existsSync(join(ROOT, folder)),
);
const docs = readdirSync(join(ROOT, 'scripts'))
  .filter((file) => /^docs-.*\.ts$/.test(file))
  .map((file): Step => [file.replace('.ts', ''), [...bun, `scripts/${file}`, '--check']]);

// Loading the program anew for each file would take a quarter of the time of the quick tests.
const tests = [...bun, 'test', '--parallel=2', '--timeout', '60000', '--no-isolate'];
const SLOW_TESTS = '**/*.slow.test.ts';

type Step = readonly [name: string, command: readonly string[]];

const STEPS: readonly Step[] = [
  ['format', [...bun, 'fmt', '--check', ...sources]],
  ['types', [...bun, 'check', '-b']],
  // The linter's own launcher needs Node.js, which a machine that has only Bun lacks.
  ['lint', [...bun, 'node_modules/oxlint/bin/oxlint', '--deny-warnings', ...sources]],
  ...docs,
  ['redaction', [...bun, 'scripts/redaction.ts', '--check']],
  // Before the tests, since those in test/e2e run the binary.
  ['build', [...bun, 'scripts/build.ts']],
  ['tests', [...tests, '--path-ignore-patterns', SLOW_TESTS]],
  ['slow-tests', [...tests, '.slow.test']],
  ['simulation', [...bun, 'scripts/simulate.ts', '--seed', '1', '--hours', '8']],
  ['fuzz', [...bun, 'scripts/fuzz.ts', '--seed', '1', '--cases', '4000', '--minutes', '0.7']],
  ['smoke', [...bun, 'scripts/smoke.ts']],
  ['soak', [...bun, 'bench/soak.ts', '--seconds', '50']],
];

/** Steps that count tests. */
const OF_TESTS = new Set(['tests', 'slow-tests']);

/** Steps that need the binary that `build` makes. */
const OF_THE_BINARY = new Set(['fuzz', 'smoke', 'soak']);

/** The counts of all steps that ran tests. */
const counted: TestCounts[] = [];

async function spawn(command: readonly string[]): Promise<TestRun> {
  // The names of failed tests are read from the output, which has another form in colour.
  const env = { ...process.env, FORCE_COLOR: undefined };
  const step = Bun.spawn([...command], { cwd: ROOT, env, stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' });
  const [out, err, code] = await Promise.all([step.stdout.text(), step.stderr.text(), step.exited]);
  return { out, err, code };
}

async function run([name, command]: Step): Promise<boolean> {
  const began = performance.now();
  const ran = await spawn(command);
  let counts = OF_TESTS.has(name) ? countTests(ran.err) : undefined;
  // A test that ends the process ends it with exit code 0 and without a summary, which is not a success.
  let passed = ran.code === 0 && (!counts || (counts.failed === 0 && counts.passed > 0));
  const again = !passed && counts && counts.passed > 0 ? await runAgain(ran, runFile) : undefined;
  if (again) {
    ({ counts } = again);
    passed = counts.failed === 0;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  // What passed only the second time is printed too, so that somebody looks at it.
  if (!passed || again) process.stdout.write(`${ran.out}${ran.err}\n${again?.report ?? ''}\n`);
  if (counts) counted.push(counts);
  return passed;
}

async function runFile(file: string): Promise<TestRun> {
  return await spawn([...bun, 'test', '--timeout', '60000', `./${file}`]);
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
if (counted.length > 0) {
  const sum = (part: keyof TestCounts) => counted.reduce((total, counts) => total + counts[part], 0);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
}
if (failed.length > 0) {
  process.stdout.write(`Not passed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
