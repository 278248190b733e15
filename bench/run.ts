/**
 * `make bench`: llmproxy with its log on, against a bare Bun passthrough and, where it is installed, nginx; all on
 * loopback, in one run, in interleaved rounds. Numbers of one machine mean little, their ratios more.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, streamStart } from './load.ts';
import { children, started } from './children.ts';
import { residentMb } from './memory.ts';

const ROOT = join(import.meta.dir, '..');
const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 3;
const ROUND_MS = quick ? 700 : 2_000;
const TICKS_PER_SECOND = 100;

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-bench-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Subject {
  readonly name: string;
  readonly url: string;
  /** The process whose CPU and memory are counted; none for the direct way. */
  readonly pid: number | undefined;
  readonly latencyMs: number[];
  readonly perSecond: number[];
  readonly cpuUs: number[];
  readonly firstByteMs: number[];
}

function subject(name: string, url: string, pid: number | undefined): Subject {
  return { name, url, pid, latencyMs: [], perSecond: [], cpuUs: [], firstByteMs: [] };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** User and system time of a process, all its threads, microseconds. Linux only. */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

const binary = join(ROOT, 'dist/llmproxy');
const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());

const upstream = await started([process.execPath, join(import.meta.dir, 'upstream.ts')], folder);
const config = join(folder, 'config.yaml');
writeFileSync(
  config,
  `providers: [{ name: up, type: openai-compatible, base_url: "${upstream.url}/v1", models: ["*"] }]\n`,
);
const serve = [binary, 'serve', '--config', config, '--port', '0', '--log-dir', join(folder, 'logs')];

const startMs: number[] = [];
for (let n = 0; n < (quick ? 3 : 10); n += 1) {
  const began = performance.now();
  const child = await started(serve, folder);
  startMs.push(performance.now() - began);
  child.process.kill('SIGKILL');
}

const proxy = await started(serve, folder);
await Bun.sleep(1_000);
const idleMb = residentMb(proxy.process.pid);
const passthrough = await started(
  [process.execPath, join(import.meta.dir, 'passthrough.ts'), upstream.url],
  folder,
);
const subjects = [
  subject('direct', upstream.url, undefined),
  subject('passthrough', passthrough.url, passthrough.process.pid),
  subject('llmproxy', proxy.url, proxy.process.pid),
];
const nginx = await startNginx();
if (nginx) subjects.push(nginx);

for (const { url } of subjects) await load(`${url}/v1/chat/completions`, 16, 500);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const each of subjects) {
    const target = `${each.url}/v1/chat/completions`;
    each.latencyMs.push((await load(target, 1, ROUND_MS)).p50Ms);
    const before = each.pid === undefined ? 0 : cpuUs(each.pid);
    const { requests, seconds } = await load(target, 32, ROUND_MS);
    if (each.pid !== undefined) each.cpuUs.push((cpuUs(each.pid) - before) / requests);
    each.perSecond.push(requests / seconds);
    each.firstByteMs.push(await streamStart(target, quick ? 20 : 60));
  }
}

const bare = subjects[1]!;
const direct = subjects[0]!;
const lines = subjects.map((each) => {
  const ratio = (value: number, base: number) =>
    Number.isFinite(value / base) ? `${(value / base).toFixed(2)}x` : '-';
  const added = (median(each.latencyMs) - median(direct.latencyMs)) * 1000;
  const cpu = median(each.cpuUs);
  return [
    each.name.padEnd(12),
    (each === direct ? '-' : `${added.toFixed(0)} us`).padStart(9),
    `${median(each.perSecond).toFixed(0)}/s`.padStart(9),
    ratio(median(each.perSecond), median(bare.perSecond)).padStart(6),
    (Number.isNaN(cpu) ? '-' : `${cpu.toFixed(0)} us`).padStart(7),
    ratio(cpu, median(bare.cpuUs)).padStart(6),
    `${median(each.firstByteMs).toFixed(2)} ms`.padStart(9),
    (each.pid === undefined ? '-' : `${residentMb(each.pid).toFixed(0)} MB`).padStart(7),
  ].join(' ');
});
process.stdout.write(
  `${['subject', 'added c=1', 'c=32', 'ratio', 'cpu/req', 'ratio', '1st byte', 'rss']
    .map((head, column) =>
      column === 0 ? head.padEnd(12) : head.padStart([0, 9, 9, 6, 7, 6, 9, 7][column]!),
    )
    .join(' ')}\n${lines.join('\n')}\n`,
);
process.stdout.write(
  `start to listening ${median(startMs).toFixed(0)} ms, idle ${idleMb.toFixed(0)} MB; ratios to the passthrough\n`,
);
process.exit(0);

async function startNginx(): Promise<Subject | undefined> {
  const program = Bun.which('nginx') ?? Bun.which('/usr/sbin/nginx');
  if (!program) return undefined;
  const free = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  const { port } = free;
  free.stop(true);
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit; events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
upstream up { server ${new URL(upstream.url).host}; keepalive 256; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }\n`,
  );
  const child = Bun.spawn([program, '-c', file, '-p', folder], { stdout: 'ignore', stderr: 'ignore' });
  children.push(child);
  await Bun.sleep(300);
  return child.exitCode === null ? subject('nginx', `http://127.0.0.1:${port}`, child.pid) : undefined;
}
