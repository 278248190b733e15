/**
 * `make bench`: llmproxy with its log on, compared with bare Bun passthroughs and any other proxies that are installed,
 * all on loopback, in one run. docs/performance.md explains what is measured and how; a full run writes its results
 * there.
 * Usage: bun bench/run.ts [--quick] [--instances N] [--rows A,B] [--subject NAME=BINARY]...
 *   [--base NAME] [--warm SECONDS] [--peers DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { children, started } from './children.ts';
import { CpuMeter, OthersMeter } from './cpu.ts';
import { options } from './options.ts';
import { OTHERS_MAY_USE, writePages } from './page.ts';
import { peers } from './peers.ts';
import { tableText } from './report.ts';
import type { Row, Sample } from './row.ts';
import { rowsNamed } from './rows.ts';
import { median } from './statistics.ts';
import type { Instance, Subject } from './subjects.ts';
import { bareSubjects, freshFolder, limitedSubject, llmproxySubject, nginxSubject } from './subjects.ts';

const ROOT = join(import.meta.dir, '..');
/**
 * The number of instances of other programs: they are slow or steady, and so far from ours that their spread does not
 * matter.
 */
const OTHER_INSTANCES = 3;
/** The longest time that a row may run on one process. */
const GIVE_UP_MS = 300_000;

const asked = options(process.argv.slice(2));
const rows = rowsNamed(asked.rows, asked.quick);
const measures = rows
  .flatMap((row) => row.measures)
  .map((measure) => ({ ...measure, base: asked.base ?? measure.base }));
const folder = mkdtempSync(join(tmpdir(), 'llmproxy-bench-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const tell = (text: string) => void process.stderr.write(`${text}\n`);

const program = join(import.meta.dir, 'upstream.ts');
const { url: upstream, process: provider } = await started(
  [process.execPath, '--no-env-file', program],
  folder,
);
const helpers = [new CpuMeter(process.pid, 'alone'), new CpuMeter(provider.pid)];
const nginx = nginxSubject(upstream);
const others = peers(asked.peers, upstream);
if (!nginx) tell('nginx is left out: it is not installed');
for (const line of others.missing) tell(line);
const subjects: readonly Subject[] = [
  ...bareSubjects(upstream),
  ...llmproxies(),
  ...(nginx ? [nginx] : []),
  ...others.subjects,
];

/** For each process: the share of the machine that other programs used in the meantime. */
const othersShares: number[] = [];
/** Samples by subject, one for each round. */
const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
/** The rows that failed on another proxy, with the reason; they are not tried again. */
const failed = new Map<string, string>();
for (let round = 0; round < asked.instances; round += 1)
  // The order alternates: a subject that comes after another in one round comes before it in the next.
  for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
    if (!ours(subject) && round >= OTHER_INSTANCES) continue;
    tell(`round ${round + 1} of ${asked.instances}: ${subject.name}`);
    const applying = rows.filter((row) => (row.limited || !subject.limited) && row.applies(subject));
    const together = applying.filter(({ alone }) => alone === undefined);
    const alone = applying.filter((row) => round < (row.alone ?? 0));
    let sample: Sample = {};
    for (const group of [together, ...alone.map((row) => [row])])
      if (group.length > 0) sample = { ...sample, ...(await sampled(subject, group)) };
    samples.get(subject.name)!.push(sample);
  }

const othersShare = median(othersShares);
const percent = Math.round(othersShare * 100);
tell(`Other programs used ${percent} % of the machine meanwhile`);
if (othersShare > OTHERS_MAY_USE) tell('That is too much: what differs may be their doing');
process.stdout.write(`\n${tableText(measures, samples)}`);
if (!asked.quick && !asked.rows && !asked.base && asked.binaries.length === 0)
  writePages({
    instances: asked.instances,
    otherInstances: Math.min(asked.instances, OTHER_INSTANCES),
    othersShare,
    subjects,
    leftOut: [...failed.values()],
    measures,
    samples,
  });
process.exit(0);

/** Starts a process, measures its rows in turn, and ends it. */
async function sampled(subject: Subject, group: readonly Row[]): Promise<Sample> {
  const here = freshFolder(folder);
  let sample: Sample = {};
  const leaveOut = (what: string, cause: unknown) => {
    const why = `${subject.name} is left out of ${what}: ${(cause as Error).message}`;
    tell(why);
    if (ours(subject)) throw cause;
    failed.set(`${subject.name} ${what}`, why);
  };
  let instance: Instance;
  try {
    instance = await subject.start(here);
  } catch (cause) {
    leaveOut('a round', cause);
    return {};
  }
  const cpu = new CpuMeter(instance.pid);
  const others = new OthersMeter([...helpers, cpu]);
  others.begin();
  for (const row of group) {
    if (failed.has(`${subject.name} ${row.name}`)) continue;
    try {
      const run = { subject, instance, cpu, upstream, effort: asked.effort, tell };
      sample = { ...sample, ...(await inTime(row.sample(run))) };
    } catch (cause) {
      leaveOut(row.name, cause);
    }
  }
  othersShares.push(others.share());
  await instance.end();
  rmSync(here, { recursive: true, force: true });
  return sample;
}

function ours({ kind }: Subject): boolean {
  return kind === 'llmproxy' || kind === 'bare';
}

async function inTime(sample: Promise<Sample>): Promise<Sample> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`it took longer than ${GIVE_UP_MS / 1000} s`)),
    GIVE_UP_MS,
  );
  try {
    return await Promise.race([sample, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A binary without limits, and with limits if a row asks for them. */
function bothOf(name: string, path: string): Subject[] {
  const plain = llmproxySubject(name, path, upstream);
  return rows.some(({ limited }) => limited) ? [plain, limitedSubject(name, path, upstream)] : [plain];
}

/** The binaries that were named, or this working copy's. */
function llmproxies(): readonly Subject[] {
  if (asked.binaries.length > 0) return asked.binaries.flatMap(({ name, path }) => bothOf(name, path));
  const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  return bothOf('llmproxy', join(ROOT, 'dist/llmproxy'));
}
