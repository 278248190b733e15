/** `make smoke`: runs the compiled binary alone in an empty folder, as a new user would. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const LIMIT_MS = 20_000;
const binary = join(ROOT, 'dist', process.platform === 'win32' ? 'llmproxy.exe' : 'llmproxy');

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-smoke-'));
try {
  expect('--version names llmproxy', /^llmproxy \d+\.\d+\.\d+ \(.+\)\n$/.test(run('--version')));
  expect('--help lists the commands', /serve.*export/s.test(run('--help')));
  run('config', 'init');
  run('config', 'validate');
  await serve();
  run('export', '--model-filter', 'mock', '--successful-only', '--output', 'dataset.jsonl');
  const rows = readFileSync(join(folder, 'dataset.jsonl'), 'utf8').trimEnd().split('\n');
  const whole = rows.every((row) => JSON.parse(row).messages.length === 2);
  expect('both conversations are exported', rows.length === 2 && whole);
  process.stdout.write('smoke test passed\n');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns what the command printed on stdout */
function run(...args: string[]): string {
  const child = Bun.spawnSync([binary, ...args], { cwd: folder, timeout: LIMIT_MS });
  if (child.exitCode === 0) return child.stdout.toString();
  const ending = child.exitCode === null ? `was ended by ${child.signalCode}` : `exited ${child.exitCode}`;
  throw new Error(`llmproxy ${args.join(' ')} ${ending}: ${child.stderr.toString()}`);
}

function expect(claim: string, holds: boolean): void {
  if (!holds) throw new Error(`Smoke test failed: ${claim}`);
}

/** Starts the server, sends a request, and stops it; the server's error output is shown only if that fails. */
async function serve(): Promise<void> {
  const server = Bun.spawn([binary, 'serve', '--port', '0'], {
    cwd: folder,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const complaints = server.stderr.text();
  try {
    await ask(await printedUrl(server.stdout));
    server.kill('SIGTERM');
    expect('SIGTERM ends it with 0', (await server.exited) === 0);
  } catch (error) {
    server.kill('SIGKILL');
    process.stderr.write(await complaints);
    throw error;
  }
}

async function printedUrl(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdout) {
    text += decoder.decode(chunk, { stream: true });
    const url = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(text)?.[0];
    if (url) return url;
  }
  throw new Error('Smoke test failed: serve ended before it printed its URL');
}

async function ask(url: string): Promise<void> {
  const chat = async (stream: boolean, content: string): Promise<string> => {
    const body = JSON.stringify({ model: 'mock', stream, messages: [{ role: 'user', content }] });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect(`a chat answers 200, not ${response.status}`, response.status === 200);
    return response.text();
  };
  expect('an answer comes', (await chat(false, 'whole')).includes('You said: whole'));
  expect('a stream ends with [DONE]', (await chat(true, 'stream')).endsWith('data: [DONE]\n\n'));
  const health = await (await fetch(`${url}/health`)).text();
  expect(`/health is healthy, not ${health}`, health.includes('"healthy"'));
  run('health', '--url', url);
}
