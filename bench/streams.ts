/**
 * `make streams`: thousands of streams open at once through the compiled binary. Exits 1 if one of them ends early, if
 * a request beside them is not answered, or if memory exceeds its bounds.
 * Usage: bun bench/streams.ts [--streams N] [--seconds N]
 */
import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { children, started } from './children.ts';
import { residentMb } from './memory.ts';

const { values } = parseArgs({
  options: { streams: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '10' } },
});
const ROOT = join(import.meta.dir, '..');
const streams = Number(values.streams);
const seconds = Number(values.seconds);
/** The most memory that one open stream may use, in MB. */
const MB_EACH = 0.1;

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-streams-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const built = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: ROOT });
if (built.exitCode !== 0) throw new Error(built.stderr.toString());
writeFileSync(
  join(folder, 'config.yaml'),
  JSON.stringify({
    limits: { max_concurrent: streams + 100 },
    logging: { requests: { content: 'metadata' } },
    // The mock's answer to one word has about ten tokens.
    providers: [{ name: 'slow', type: 'mock', mock: { tokens_per_second: 10 / seconds } }],
  }),
);
const { url, process: proxy } = await started([join(ROOT, 'dist/llmproxy'), 'serve', '--port', '0'], folder);
const { hostname, port } = new URL(url);
const idleMb = residentMb(proxy.pid);

const body = JSON.stringify({ model: 'mock', stream: true, messages: [{ role: 'user', content: 'hi' }] });
const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

interface Stream {
  begun: boolean;
  done: boolean;
}

const open: Stream[] = [];
const ended: Promise<void>[] = [];
for (let n = 0; n < streams; n += 1) {
  const stream: Stream = { begun: false, done: false };
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname, () => socket.write(request));
  socket.on('data', (data) => {
    stream.begun = true;
    stream.done ||= data.includes('[DONE]');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  open.push(stream);
  ended.push(promise);
  // As fast as the listen queue accepts them.
  if (n % 200 === 199) await Bun.sleep(10);
}
const allBegun = performance.now() + 60_000;
while (open.some(({ begun }) => !begun) && performance.now() < allBegun) await Bun.sleep(50);
const begun = open.filter((stream) => stream.begun).length;
const health = (await (await fetch(`${url}/health`)).json()) as { in_flight: number };
const besideMs = performance.now();
const beside = await fetch(`${url}/v1/embeddings`, {
  method: 'POST',
  body: JSON.stringify({ model: 'mock', input: 'beside' }),
});
const answeredMs = Math.round(performance.now() - besideMs);
const openMb = residentMb(proxy.pid);
await Promise.all(ended);
const done = open.filter((stream) => stream.done).length;

const report = {
  streams,
  begun,
  in_flight: health.in_flight,
  done,
  beside_status: beside.status,
  beside_ms: answeredMs,
  idle_mb: Math.round(idleMb),
  open_mb: Math.round(openMb),
  kb_a_stream: Math.round(((openMb - idleMb) / streams) * 1024),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
const fits = openMb - idleMb < streams * MB_EACH + 64;
process.exit(done === streams && beside.status === 200 && fits ? 0 : 1);
