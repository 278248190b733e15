/**
 * `make bench`: llmproxy with its log on, against bare Bun passthroughs and whatever other proxies are installed; all on
 * loopback, in one run. See docs/performance.md for what is measured and how.
 * Usage: bun bench/run.ts [--quick] [--instances N] [--rows A,B] [--subject NAME=BINARY]...
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { children, started } from './children.ts';
import { CpuMeter } from './cpu.ts';
import { tableText } from './report.ts';
import type { Effort, Row, Sample } from './row.ts';
import { relay } from './rows/relay.ts';
import type { Subject } from './subjects.ts';
import { bareSubjects, freshFolder, llmproxySubject, nginxSubject } from './subjects.ts';

const ROOT = join(import.meta.dir, '..');
const ROWS: readonly Row[] = [relay];
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    instances: { type: 'string' },
    rows: { type: 'string' },
    subject: { type: 'string', multiple: true, default: [] },
  },
});
const instances = Number(values.instances ?? (values.quick ? 2 : 10));
const effort: Effort = values.quick
  ? { leastRequests: 10_000, warmMs: 5_000, windowMs: 500, windows: 2 }
  : { leastRequests: 20_000, warmMs: 15_000, windowMs: 1_000, windows: 3 };
const named = values.rows?.split(',');
const rows = ROWS.filter(({ name }) => named === undefined || named.includes(name));

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-bench-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const upstream = await started(
  [process.execPath, '--no-env-file', join(import.meta.dir, 'upstream.ts')],
  folder,
);
const subjects: readonly Subject[] = [
  ...bareSubjects(upstream.url),
  ...llmproxies(upstream.url),
  ...[nginxSubject(upstream.url)].filter((subject) => subject !== undefined),
];

/** By subject, a sample a round. */
const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
for (let round = 0; round < instances; round += 1)
  for (const subject of subjects) {
    const here = freshFolder(folder);
    const instance = await subject.start(here);
    const cpu = new CpuMeter(instance.pid);
    let sample: Sample = {};
    for (const row of rows)
      if (row.applies(subject))
        sample = { ...sample, ...(await row.sample({ subject, instance, cpu, effort })) };
    await instance.end();
    rmSync(here, { recursive: true, force: true });
    samples.get(subject.name)!.push(sample);
    process.stderr.write(`round ${round + 1} of ${instances}, ${subject.name}\n`);
  }
process.stdout.write(
  tableText(
    rows.flatMap(({ measures }) => measures),
    samples,
  ),
);
process.exit(0);

/** The binaries that were named, or this working copy's. */
function llmproxies(url: string): readonly Subject[] {
  if (values.subject.length > 0)
    return values.subject.map((text) => {
      const [name, path] = text.split('=');
      if (!name || !path) throw new Error(`Cannot use --subject ${text}: expected NAME=BINARY`);
      return llmproxySubject(name, resolve(path), url);
    });
  const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  return [llmproxySubject('llmproxy', join(ROOT, 'dist/llmproxy'), url)];
}
