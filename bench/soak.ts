/**
 * `make soak`: random streamed and unstreamed requests against a mock that fails by chance, with a second mock behind
 * it, and clients that leave. `--seconds N` (60). Exit 1 when a request hung, a cut stream looked finished, or the
 * log does not hold one record a request.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { children, started } from './children.ts';

const ROOT = join(import.meta.dir, '..');
const at = process.argv.indexOf('--seconds');
const seconds = at < 0 ? 60 : Number(process.argv[at + 1]);
const CLIENTS = 16;
const ABORTS = 0.1;

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-soak-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());
writeFileSync(
  join(folder, 'config.yaml'),
  `providers:
  - name: flaky
    type: mock
    retry_delay: 5ms
    mock: { faults: { rate: 0.1, kinds: [status, cut, malformed, error_event, reset] } }
  - { name: steady, type: mock, priority: 2 }
`,
);
const { url, process: proxy } = await started([join(ROOT, 'dist/llmproxy'), 'serve', '--port', '0'], folder);

const seen = { sent: 0, whole: 0, streamed: 0, aborted: 0, failed: 0, inBand: 0 };
const troubles: string[] = [];
const rss: number[] = [];
const until = performance.now() + seconds * 1000;

async function ask(): Promise<void> {
  const stream = Math.random() < 0.3;
  const abort = new AbortController();
  const leaves = Math.random() < ABORTS;
  seen.sent += 1;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'mock', stream, messages: [{ role: 'user', content: `q${seen.sent}` }] }),
      signal: abort.signal,
    });
    if (leaves) {
      abort.abort();
      seen.aborted += 1;
      return;
    }
    const text = await response.text();
    if (response.status !== 200) seen.failed += 1;
    else if (!stream) seen.whole += 1;
    else if (text.includes('data: [DONE]')) seen.streamed += 1;
    else if (text.includes('"error"')) seen.inBand += 1;
    else troubles.push(`a stream ended without [DONE] and without an error: ${text.slice(-200)}`);
  } catch (thrown) {
    if (!leaves) troubles.push(`a request failed: ${String(thrown)}`);
  }
}

async function client(): Promise<void> {
  while (performance.now() < until) await ask();
}

const sampler = setInterval(() => {
  rss.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${proxy.pid}/status`, 'utf8'))?.[1]) / 1024);
}, 500);
await Promise.all(Array.from({ length: CLIENTS }, client));
clearInterval(sampler);

const deadline = performance.now() + 5_000;
let inFlight = -1;
while (performance.now() < deadline && inFlight !== 0) {
  inFlight = ((await (await fetch(`${url}/health`)).json()) as { in_flight: number }).in_flight;
  await Bun.sleep(50);
}
if (inFlight !== 0) troubles.push(`${inFlight} requests are still in flight`);
proxy.kill('SIGTERM');
if ((await proxy.exited) !== 0) troubles.push(`serve exited with ${proxy.exitCode}`);
const logs = readdirSync(join(folder, 'logs')).map((file) =>
  readFileSync(join(folder, 'logs', file), 'utf8'),
);
const ids = logs
  .join('')
  .trimEnd()
  .split('\n')
  .map((line) => (JSON.parse(line) as { id: string }).id);
if (new Set(ids).size !== ids.length) troubles.push('a request has two records');
// A client that leaves at once may never have reached the proxy.
if (ids.length > seen.sent || ids.length < seen.sent - seen.aborted)
  troubles.push(`${seen.sent} requests, ${ids.length} records`);

const half = rss.slice(rss.length >> 1);
const slope = half.length > 1 ? (half.at(-1)! - half[0]!) / ((half.length * 0.5) / 60) : 0;
process.stdout.write(
  `${JSON.stringify({ ...seen, records: ids.length, rss_mb: Math.round(rss.at(-1) ?? 0), slope_mb_per_minute: Math.round(slope * 10) / 10 })}\n`,
);
for (const trouble of troubles.slice(0, 10)) process.stderr.write(`${trouble}\n`);
process.exit(troubles.length > 0 ? 1 : 0);
