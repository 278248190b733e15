/**
 * `make bench-export`: the export against jq and DuckDB, where they are installed, on the same log in one run. Numbers of
 * one machine mean little, their ratios more.
 * Usage: bun bench/export.ts [--gb 2] [--rounds 3]
 * DuckDB is the program `duckdb`, or the module of the Python in $PYTHON.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RARE_MODEL, writeLog } from './export-log.ts';

const ROOT = join(import.meta.dir, '..');
const { values } = parseArgs({
  options: { gb: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' } },
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

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());

const log = join(folder, 'log.ndjson');
process.stdout.write(`Writing a log of ${values.gb} GB\n`);
const lines = writeLog(log, Number(values.gb) * 1e9);
const bytes = statSync(log).size;
process.stdout.write(
  `${lines} lines, ${Math.round(bytes / lines)} bytes each, ${process.platform}, ${navigator.hardwareConcurrency} cores\n`,
);

const python = process.env.PYTHON ?? 'python3';
const duckdbModule =
  Bun.which(python) !== null && Bun.spawnSync([python, '-c', 'import duckdb']).exitCode === 0;

const TASKS: readonly Task[] = [
  {
    title: 'One line in a hundred, as conversations',
    contenders: [
      ours(`--model ${RARE_MODEL} --successful-only -f trl`),
      ...jq(`select(.model == "${RARE_MODEL}" and .outcome == "success") | ${JQ_ROW()}`),
      ...duckdb(`where model = '${RARE_MODEL}' and outcome = 'success'`),
    ],
  },
  {
    title: 'All lines, as conversations for TRL',
    contenders: [ours('--successful-only -f trl'), ...jq(JQ_ROW()), ...duckdb('')],
  },
];

for (const { title, contenders } of TASKS) {
  process.stdout.write(`\n${title}\n`);
  const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  // In turns, so that a slow minute of the machine is slow for all.
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) runs.get(contender.name)!.push(await measured(contender));
  const own = best(runs.get('llmproxy')!);
  for (const [name, all] of runs) {
    const { seconds, cpuSeconds, peakMb } = best(all);
    const ratio = name === 'llmproxy' ? '' : `  llmproxy is ${(seconds / own.seconds).toFixed(1)}x as fast`;
    process.stdout.write(
      `  ${name.padEnd(10)} ${seconds.toFixed(2).padStart(7)} s ${String(Math.round(bytes / seconds / 1e6)).padStart(6)} MB/s` +
        ` ${cpuSeconds.toFixed(2).padStart(7)} s CPU ${String(Math.round(peakMb)).padStart(5)} MB peak${ratio}\n`,
    );
  }
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
  return {
    seconds,
    cpuSeconds: Number(usage.cpuTime.total) / 1e6,
    // Linux gives it in kilobytes; Bun passes that on.
    peakMb: usage.maxRSS / (usage.maxRSS > 1e8 ? 1e6 : 1e3),
  };
}

function best(runs: readonly Run[]): Run {
  return runs.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}
