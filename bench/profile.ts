/**
 * `make profile`: runs src/main.ts under the load of the bench with Bun's sampling profiler, and prints the functions
 * with the most self time once it is warm.
 * Usage: bun bench/profile.ts [--seconds 10] [--case NAME] [--top 40] [--keep FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RUNTIME_SETTINGS } from '../src/cli/runtime-settings.ts';
import { children, started } from './children.ts';
import { CpuMeter } from './cpu.ts';
import type { CpuProfile } from './cpu-profile.ts';
import { selfTimes } from './cpu-profile.ts';
import { startLoad } from './load.ts';
import type { ProfilerMessage } from './profile-preload.ts';
import type { BenchRequest } from './requests.ts';
import { CHAT, LARGE, LARGE_ANSWER, MESSAGES, MESSAGES_STREAM, requestBytes, STREAM } from './requests.ts';

const ROOT = join(import.meta.dir, '..');
const WARM_MS = 5_000;
const INTERVAL_US = 500;
const WIDTH = 100;
interface Case {
  readonly asked: BenchRequest;
  readonly clients: number;
  /** What to count instead of answers: chunks, which have one word each. */
  readonly counts?: string;
}

const CASES: Readonly<Record<string, Case>> = {
  relay: { asked: CHAT, clients: 32 },
  translated: { asked: MESSAGES, clients: 32 },
  streams: { asked: STREAM, clients: 100, counts: 'word ' },
  'translated-streams': { asked: MESSAGES_STREAM, clients: 100, counts: 'word ' },
  'large-requests': { asked: LARGE, clients: 4 },
  'large-answers': { asked: LARGE_ANSWER, clients: 8 },
};
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    case: { type: 'string', default: 'relay' },
    top: { type: 'string', default: '40' },
    keep: { type: 'string' },
  },
});
const measured = CASES[values.case];
if (!measured) throw new Error(`Cannot profile ${values.case}: expected ${Object.keys(CASES).join(', ')}`);
const seconds = Number(values.seconds);

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-profile-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const bun = [process.execPath, '--no-env-file'];
const upstream = await started([...bun, join(import.meta.dir, 'upstream.ts')], folder);
const up = { name: 'up', type: 'openai-compatible', base_url: `${upstream.url}/v1`, models: ['*'] };
writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ providers: [up] }));
const preload = join(import.meta.dir, 'profile-preload.ts');
const profiled = Promise.withResolvers<CpuProfile>();
const { url, process: proxy } = await started(
  [...bun, '--preload', preload, join(ROOT, 'src/main.ts'), 'serve', '--port', '0'],
  folder,
  {
    // Without these settings, the program would re-execute itself and lose the channel to its parent.
    env: RUNTIME_SETTINGS,
    ipc: (profile: CpuProfile) => profiled.resolve(profile),
  },
);
const tell = (ask: ProfilerMessage['ask']) => proxy.send({ ask, intervalUs: INTERVAL_US });

const { clients, asked, counts } = measured;
const unit = counts === undefined ? 'request' : 'chunk';
const load = startLoad(url, { clients, counts, request: requestBytes(asked, '') });
await Promise.race([Bun.sleep(WARM_MS), load.failed]);
const cpu = new CpuMeter(proxy.pid);
const before = { completed: load.completed(), cpuUs: cpu.readUs() };
tell('start');
await Promise.race([Bun.sleep(seconds * 1000), load.failed]);
const completed = load.completed() - before.completed;
const cpuUs = (cpu.readUs() - before.cpuUs) / completed;
tell('stop');
const profile = await profiled.promise;
load.stop();
if (values.keep) writeFileSync(values.keep, JSON.stringify(profile));

const functions = selfTimes(profile, INTERVAL_US, ROOT);
const allUs = functions.reduce((sum, { us }) => sum + us, 0);
process.stdout.write(
  `${values.case}: ${completed} ${unit}s in ${seconds} s, ${clients} clients, ${cpuUs.toFixed(1)} µs of CPU a ${unit}\n`,
);
process.stdout.write(`${'self'.padStart(7)} ${`µs/${unit}`.padStart(10)}  function\n`);
for (const { us, name, place } of functions.slice(0, Number(values.top))) {
  const line = [
    `${((us / allUs) * 100).toFixed(1)} %`.padStart(7),
    (us / completed).toFixed(2).padStart(10),
    ` ${name.length > 30 ? `${name.slice(0, 29)}…` : name.padEnd(30)}`,
    place,
  ].join(' ');
  process.stdout.write(`${line.slice(0, WIDTH).trimEnd()}\n`);
}
process.exit(0);
