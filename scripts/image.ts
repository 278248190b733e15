/**
 * `make image`: builds the container image for this machine's architecture from its compiled binary and tests it: it
 * answers, reports itself healthy, runs unprivileged on a read-only root file system, and shuts down in order. Needs
 * Docker or Podman, which download the base image.
 */
import { copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, ROOT, VERSION } from './compile.ts';
import { renderNotices } from './notices.ts';

const KEY = 'sk-image-0123456789abcdef';
const CONFIG = JSON.stringify({
  server: { host: '0.0.0.0' },
  auth: { keys: [{ name: 'apps', key_env: 'LLMPROXY_KEY' }] },
  providers: [{ name: 'mock', type: 'mock' }],
  logging: { requests: { directory: '/var/lib/llmproxy/logs' } },
});

const engine = ['docker', 'podman'].find(
  (name) =>
    Bun.which(name) &&
    Bun.spawnSync([name, 'info'], { stdio: ['ignore', 'ignore', 'ignore'] }).exitCode === 0,
);
if (!engine) {
  process.stderr.write('Cannot build the image: neither Docker nor Podman runs on this machine\n');
  process.exit(1);
}

const tag = `llmproxy:${VERSION}`;
const name = `llmproxy-try-${process.pid}`;
const context = mkdtempSync(join(ROOT, 'dist/.image-'));
try {
  await build();
  await tryOut();
  process.stdout.write(`${tag} is built and answers\n`);
} finally {
  Bun.spawnSync([engine, 'rm', '--force', name], { stdio: ['ignore', 'ignore', 'ignore'] });
  rmSync(context, { recursive: true, force: true });
}

/**
 * Lays out the files that the Dockerfile copies, with this machine's binary in place of both architectures' binaries.
 */
async function build(): Promise<void> {
  const release = join(context, 'dist/release');
  mkdirSync(release, { recursive: true });
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const other = arch === 'x64' ? 'arm64' : 'x64';
  await compile(join(release, `llmproxy-${VERSION}-linux-${arch}`), `bun-linux-${arch}`);
  linkSync(
    join(release, `llmproxy-${VERSION}-linux-${arch}`),
    join(release, `llmproxy-${VERSION}-linux-${other}`),
  );
  writeFileSync(join(release, 'THIRD_PARTY_LICENSES.txt'), renderNotices(ROOT));
  copyFileSync(join(ROOT, 'LICENSE'), join(context, 'LICENSE'));
  cpSync(join(ROOT, 'deploy/docker'), join(context, 'deploy/docker'), { recursive: true });
  run('build', '--file', join(context, 'deploy/docker/Dockerfile'), '--tag', tag, context);
}

async function tryOut(): Promise<void> {
  const config = join(context, 'config.yaml');
  writeFileSync(config, CONFIG);
  const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'];
  const reached = ['--publish', '127.0.0.1::8000', '--env', `LLMPROXY_KEY=${KEY}`];
  const mounted = ['--volume', `${config}:/etc/llmproxy/config.yaml:ro`];
  run('run', '--detach', '--name', name, ...hardened, ...reached, ...mounted, tag);
  const url = `http://${run('port', name, '8000').trim().split('\n')[0]}`;
  for (let tries = 0; ; tries += 1) {
    const live = await fetch(`${url}/health/live`).catch(() => undefined);
    if (live?.ok) break;
    if (tries === 50) throw new Error(`the container does not answer: ${run('logs', name)}`);
    await Bun.sleep(200);
  }
  const body = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`the container answers ${answer.status}: ${await answer.text()}`);
  run('exec', name, '/usr/local/bin/llmproxy', 'health', '--ready');
  run('stop', name);
  const code = run('inspect', '--format', '{{.State.ExitCode}}', name).trim();
  if (code !== '0') throw new Error(`the container ended with ${code}`);
}

/** @throws Error with the error output of the container engine */
function run(...args: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([engine!, ...args], { stdin: 'ignore' });
  if (exitCode !== 0) throw new Error(`${engine} ${args[0]}: ${stderr.toString()}`);
  return stdout.toString();
}
