/**
 * `make bench-export`: compares the export with jq and DuckDB, if they are installed, on the same log in one run.
 * Absolute numbers depend on the machine; the ratios matter more. With the default sizes, it writes the table in
 * docs/export.md.
 * Usage: bun bench/export.ts [--gb 0.256,2] [--rounds 2] [--dry]
 * DuckDB is the program `duckdb`, or the module of the Python in $PYTHON.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RARE_MODEL } from './export-log.ts';

const ROOT = join(import.meta.dir, '..');
const SIZES = '0.256,2';
const { values } = parseArgs({
  options: {
    gb: { type: 'string', default: SIZES },
    rounds: { type: 'string', default: '2' },
    dry: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-bench-export-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Contender {
  readonly name: string;
  /** A shell command that writes to $OUT. */
  readonly command: string;
}

interface Task {
  readonly title: string;
  readonly contenders: readonly Contender[];
}

interface Result {
  readonly title: string;
  readonly runs: ReadonlyMap<string, Run>;
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());

const log = join(folder, 'log.ndjson');
let bytes = 0;

const python = process.env.PYTHON ?? 'python3';
const duckdbModule =
  Bun.which(python) !== null && Bun.spawnSync([python, '-c', 'import duckdb']).exitCode === 0;

/** Flags for one row per record, since the other programs do the same. */
const ALONE = '--conversations turns --dedup none';

const SELECTIVE: Task = {
  title: 'one line in a hundred',
  contenders: [
    ours(`--model-filter ${RARE_MODEL} --successful-only -f trl`),
    ...jq(`select(.model == "${RARE_MODEL}" and .outcome == "success") | ${JQ_ROW()}`),
    ...duckdb(`where model = '${RARE_MODEL}' and outcome = 'success'`),
  ],
};
const FULL: Task = {
  title: `all lines, \`${ALONE}\``,
  contenders: [ours(`--successful-only ${ALONE} -f trl`), ...jq(JQ_ROW()), ...duckdb('')],
};
const CURATED: Task = {
  title: 'all lines, conversations collapsed, without duplicates',
  contenders: [ours('--successful-only -f trl')],
};

const before = machineTicks();
let ownSeconds = 0;
const results: Result[] = [];
const sizes = values.gb.split(',').map(Number);
for (const size of sizes) {
  const name = size < 1 ? `${Math.round(size * 1000)} MB` : `${size} GB`;
  process.stdout.write(`Writing a log of ${name}\n`);
  const lines = writtenLines(size * 1e9);
  bytes = statSync(log).size;
  process.stdout.write(`${lines} lines, ${Math.round(bytes / lines)} bytes each\n`);
  for (const task of size < 1 ? [SELECTIVE] : [SELECTIVE, FULL, CURATED])
    results.push(await compared({ ...task, title: `${name}, ${task.title}` }));
}
const others = othersShare();
process.stdout.write(`\nOther programs used ${others} % of the machine.\n`);
if (!values.dry && values.gb === SIZES) writeTable();

function writtenLines(size: number): number {
  const script = join(import.meta.dir, 'export-log.ts');
  const { exitCode, stdout, stderr } = Bun.spawnSync([
    process.execPath,
    '--no-env-file',
    script,
    log,
    String(size),
  ]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return Number(stdout.toString());
}

async function compared({ title, contenders }: Task): Promise<Result> {
  process.stdout.write(`\n${title}\n`);
  const all = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  // The contenders alternate, so that a slow minute of the machine affects all of them.
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) all.get(contender.name)!.push(await measured(contender));
  const runs = new Map([...all].map(([name, each]) => [name, best(each)]));
  const own = runs.get('llmproxy')!;
  for (const [name, { seconds, cpuSeconds, peakMb }] of runs) {
    const ratio =
      name === 'llmproxy' ? '' : `  llmproxy is ${times(cpuSeconds / own.cpuSeconds)} as fast by CPU time`;
    process.stdout.write(
      `  ${name.padEnd(10)} ${seconds.toFixed(2).padStart(7)} s ${String(Math.round(bytes / seconds / 1e6)).padStart(6)} MB/s` +
        ` ${cpuSeconds.toFixed(2).padStart(7)} s CPU ${String(Math.round(peakMb)).padStart(5)} MB peak${ratio}\n`,
    );
  }
  return { title, runs };
}

/** Writes the results into docs/export.md. */
function writeTable(): void {
  const path = join(ROOT, 'docs/export.md');
  const [begin, end] = ['<!-- make bench-export: results -->', '<!-- /results -->'];
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  writeFileSync(path, `${text.slice(0, from)}\n\n${table()}\n\n${text.slice(to)}`);
}

function table(): string {
  const names = [...results[0]!.runs.keys()];
  const cell = (runs: Result['runs'], name: string) => {
    const [run, own] = [runs.get(name), runs.get('llmproxy')!];
    if (!run) return '';
    const ratio = name === 'llmproxy' ? '' : `, ${times(run.cpuSeconds / own.cpuSeconds)}`;
    return `${run.cpuSeconds.toFixed(2)} s${ratio}, ${Math.round(run.peakMb)} MB`;
  };
  const rows = results.map(({ title, runs }) => [title, ...names.map((name) => cell(runs, name))]);
  const date = new Date().toISOString().slice(0, 10);
  return [
    `${cpus().length} cores (${cpus()[0]!.model}), of which other programs used ${others}% during the run, ${date}:`,
    '',
    `| | ${names.join(' | ')} |`,
    `|---|${names.map(() => '--:').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

function times(ratio: number): string {
  return `${ratio.toFixed(1)}x`;
}

/** CPU time in hundredths of a second: what all cores spent working, and what was available. */
function machineTicks(): { readonly busy: number; readonly all: number } {
  const ticks = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, one) => sum + one, 0);
  return { busy: all - ticks[3]! - ticks[4]!, all };
}

function othersShare(): number {
  const after = machineTicks();
  const own = (ownSeconds + process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6) * 100;
  return Math.max(0, Math.round((100 * (after.busy - before.busy - own)) / (after.all - before.all)));
}

function ours(flags: string): Contender {
  return {
    name: 'llmproxy',
    command: `${join(ROOT, 'dist/llmproxy')} export "$LOG" ${flags} -q --force -o "$OUT"`,
  };
}

function JQ_ROW(): string {
  return '{messages: (.request.messages + [.response.choices[0].message])}';
}

function jq(filter: string): Contender[] {
  return Bun.which('jq') ? [{ name: 'jq', command: `jq -c '${filter}' "$LOG" > "$OUT"` }] : [];
}

function duckdb(where: string): Contender[] {
  const columns = `{model: 'VARCHAR', outcome: 'VARCHAR', request: 'JSON', response: 'JSON'}`;
  const select =
    `copy (select list_append(cast(json_extract(request, '$.messages') as json[]), json_extract(response, '$.choices[0].message')) as messages` +
    ` from read_ndjson('$LOG', columns=${columns}) ${where}) to '$OUT' (format json)`;
  const text = select.replaceAll('$LOG', log).replaceAll('$OUT', join(folder, 'out'));
  if (Bun.which('duckdb')) return [{ name: 'duckdb', command: `duckdb -c "${text.replaceAll('$', '\\$')}"` }];
  if (!duckdbModule) return [];
  return [
    {
      name: 'duckdb',
      command: `${python} -c "import duckdb; duckdb.sql(\\"\\"\\"${text.replaceAll('$', '\\$')}\\"\\"\\")"`,
    },
  ];
}

async function measured({ name, command }: Contender): Promise<Run> {
  rmSync(join(folder, 'out'), { force: true });
  const env = { ...process.env, LOG: log, OUT: join(folder, 'out') };
  const began = performance.now();
  const child = Bun.spawn(['sh', '-c', `exec ${command}`], {
    env,
    cwd: folder,
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const [code, said] = await Promise.all([child.exited, child.stderr.text()]);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${said}`);
  if (statSync(join(folder, 'out')).size === 0) throw new Error(`${name} wrote nothing`);
  const usage = child.resourceUsage()!;
  ownSeconds += Number(usage.cpuTime.total) / 1e6;
  return {
    seconds,
    cpuSeconds: Number(usage.cpuTime.total) / 1e6,
    // Bun reports maxRSS in bytes on every platform.
    peakMb: usage.maxRSS / 1e6,
  };
}

function best(runs: readonly Run[]): Run {
  return runs.reduce((a, b) => (b.cpuSeconds < a.cpuSeconds ? b : a));
}
