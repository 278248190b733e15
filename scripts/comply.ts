/**
 * `make comply`: runs public conformance suites against the binary, with a provider of each protocol behind it, and
 * writes the results into docs/compatibility.md. Needs Python and, once, PyPI. Suites that cannot be downloaded are
 * reported.
 * Usage: bun scripts/comply.ts [SUITE...]   (parts of suite names; without any, runs all suites and writes the page)
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compatibilityPage } from '../test/comply/page.ts';
import { startComply, UPSTREAMS } from '../test/comply/rig.ts';
import { suites } from '../test/comply/suites.ts';
import type { Row } from '../test/comply/page.ts';
import { built, cleared } from '../test/helpers/binary.ts';
import { ROOT } from './compile.ts';

const FOLDER = join(ROOT, 'dist/comply');
const PAGE = join(ROOT, 'docs/compatibility.md');

function run(command: readonly string[]): void {
  const child = Bun.spawnSync([...command], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (child.exitCode !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with ${child.exitCode}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Creates a Python environment with the suites in it. */
function python(): string {
  const environment = join(FOLDER, 'python');
  const own = join(environment, 'bin/python');
  if (!existsSync(own)) run(['python3', '-m', 'venv', environment]);
  run([own, '-m', 'pip', 'install', '--quiet', '-r', join(ROOT, 'test/comply/requirements.txt')]);
  return own;
}

const wanted = process.argv.slice(2).map((word) => word.toLowerCase());
mkdirSync(FOLDER, { recursive: true });
const own = python();
built();
const rig = await startComply();
const rows: Row[] = [];
try {
  const all = await suites({ url: rig.url, python: own, folder: FOLDER });
  const chosen = all.filter(
    ({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word)),
  );
  for (const suite of chosen) {
    if (suite.lacks !== undefined) {
      say(`${suite.name}: not run, ${suite.lacks}`);
      rows.push({ suite, marks: new Map() });
      continue;
    }
    const marks: Row['marks'] = new Map();
    for (const upstream of UPSTREAMS) {
      const told = await suite.run(upstream);
      marks.set(upstream, told);
      const { passed, failed, skipped } = told;
      say(`${suite.name}, ${upstream}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
      for (const { test, why } of failed) say(`  ${test}: ${why}`);
    }
    rows.push({ suite, marks });
  }
} finally {
  await rig.stop();
  cleared();
}
if (wanted.length === 0) writeFileSync(PAGE, compatibilityPage(rows));
