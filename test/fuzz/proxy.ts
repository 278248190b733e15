/** The program under test, from source or compiled, with its log, its memory and its pings. */
import type { Slow, PingOrder } from './pings-worker.ts';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { residentMb } from '../../bench/memory.ts';
import { LogTail } from './log-tail.ts';

export interface Complaint {
  readonly atMs: number;
  readonly text: string;
}

export interface FuzzedProxy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly log: LogTail;
  /** Long waits of its event loop. */
  readonly slow: Slow[];
  /** What it wrote to stderr, and when. */
  readonly complaints: Complaint[];
  readonly residentMb: () => number;
  /** Why it has exited. */
  readonly died: () => string | undefined;
}

const ENV = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/_API_KEY$|^LLMPROXY_|^BUN_CONFIG|^AWS_|^GOOGLE_/.test(name),
  ),
);

/**
 * Starts a proxy.
 * @param command the command that starts the program
 * @param slowMs waits that took longer are kept
 */
export async function startProxy(
  command: readonly string[],
  config: (directory: string) => ConfigInput,
  slowMs: number,
): Promise<FuzzedProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-fuzz-'));
  const directory = join(folder, 'logs');
  mkdirSync(directory);
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config(directory)));
  const child = Bun.spawn([...command, 'serve', '--port', '0'], {
    cwd: folder,
    env: { ...ENV, HOME: folder, AWS_BEARER_TOKEN_BEDROCK: 'none', LLMPROXY_DISCOVER_MODELS: 'false' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const complaints: Complaint[] = [];
  void (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr)
      complaints.push({ atMs: Date.now(), text: decoder.decode(bytes, { stream: true }) });
  })();
  const url = await urlIn(child.stdout);
  if (url === undefined) throw new Error(`Cannot start ${command.join(' ')}: ${told(complaints)}`);
  const port = Number(new URL(url).port);
  const slow: Slow[] = [];
  const worker = new Worker(new URL('./pings-worker.ts', import.meta.url).href);
  worker.addEventListener('message', ({ data }: MessageEvent<Slow>) => void slow.push(data));
  const order: PingOrder = { port, pid: child.pid, slowMs };
  worker.postMessage(order, []);
  return {
    url,
    port,
    log: new LogTail(directory),
    slow,
    complaints,
    residentMb: () => residentMb(child.pid),
    died: () =>
      child.exitCode === null && child.signalCode === null
        ? undefined
        : `exit ${child.exitCode ?? child.signalCode}`,
    async [Symbol.asyncDispose]() {
      worker.terminate();
      child.kill('SIGKILL');
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function urlIn(stdout: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of stdout) {
    text += decoder.decode(bytes, { stream: true });
    const found = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(text)?.[0];
    if (found) return found;
  }
  return undefined;
}

/** All messages as one text. */
export function told(complaints: readonly Complaint[]): string {
  return complaints.map(({ text }) => text).join('');
}
