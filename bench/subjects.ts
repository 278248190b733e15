import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { children, started } from './children.ts';

/** A program to measure. */
export interface Subject {
  readonly name: string;
  readonly kind: 'llmproxy' | 'bare' | 'nginx' | 'peer';
  /** The version of a program that is not ours. */
  readonly version?: string;
  /** Whether it serves clients of Anthropic's Messages API from a chat provider. */
  readonly translates: boolean;
  /** Whether it has keys and limits, which rows of other subjects do not measure. */
  readonly limited?: boolean;
  /** Starts a new process in its own folder. */
  readonly start: (folder: string) => Promise<Instance>;
}

export interface Instance {
  readonly url: string;
  readonly pid: number;
  /** Header lines that requests to it need in addition. */
  readonly headers: string;
  /** From the start of the process until it accepts connections. */
  readonly startMs: number;
  readonly end: () => Promise<void>;
}

/** Reads complete answers, as llmproxy does for its log. */
export const BARE_WHOLE = 'bare, whole';
/** Passes answers on as they arrive, as streams require. */
export const BARE_PASS = 'bare, as it comes';

/** The bare passthroughs on Bun. */
export function bareSubjects(upstream: string): readonly Subject[] {
  const program = join(import.meta.dir, 'passthrough.ts');
  const command = [process.execPath, '--no-env-file', program, upstream];
  return [
    {
      name: BARE_WHOLE,
      kind: 'bare',
      translates: false,
      start: (folder) => run([...command, '--whole'], folder),
    },
    { name: BARE_PASS, kind: 'bare', translates: false, start: (folder) => run(command, folder) },
  ];
}

/** A compiled llmproxy with its log on, in front of the one provider. */
export function llmproxySubject(name: string, binary: string, upstream: string): Subject {
  return {
    name,
    kind: 'llmproxy',
    translates: true,
    start: (folder) => {
      const up = { name: 'up', type: 'openai-compatible', base_url: `${upstream}/v1`, models: ['*'] };
      writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ providers: [up] }));
      return run([binary, 'serve', '--port', '0', '--log-dir', join(folder, 'logs')], folder);
    },
  };
}

/** The same with a key, and with limits of every kind in a tree of groups; none of the limits is reached. */
export function limitedSubject(name: string, binary: string, upstream: string): Subject {
  return {
    name: `${name}, keys and limits`,
    kind: 'llmproxy',
    translates: true,
    limited: true,
    start: (folder) => {
      const price = { input: 1, output: 2 };
      const models = [{ name: '*', price }];
      const up = { name: 'up', type: 'openai-compatible', base_url: `${upstream}/v1`, models };
      const config = {
        providers: [up],
        groups: {
          acme: {
            limits: [
              { requests: '1000M', per: 'minute' },
              { budget: 1e6, per: 'month', time_zone: 'Europe/Berlin', warn_at: '80%' },
              { concurrent: 1_000 },
            ],
          },
          search: { parent: 'acme', models: ['bench*'], each_key: [{ tokens: '900000M', per: 'minute' }] },
        },
        auth: { keys: [{ name: 'bench', key: 'sk-bench-0123456789', group: 'search' }] },
        state: { directory: join(folder, 'state') },
      };
      writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
      return run([binary, 'serve', '--port', '0', '--log-dir', join(folder, 'logs')], folder);
    },
  };
}

/** nginx as a reverse proxy with persistent connections and without buffering, if it is installed. */
export function nginxSubject(upstream: string): Subject | undefined {
  const program = Bun.which('nginx') ?? Bun.which('nginx', { PATH: '/usr/sbin:/usr/local/sbin' });
  if (!program) return undefined;
  return {
    name: 'nginx',
    kind: 'nginx',
    version: /[\d.]+/.exec(Bun.spawnSync([program, '-v']).stderr.toString())?.[0],
    translates: false,
    start: async (folder) => {
      const port = freePort();
      writeFileSync(join(folder, 'nginx.conf'), nginxConfig(folder, port, new URL(upstream).host));
      return startedAt(port, [program, '-c', join(folder, 'nginx.conf'), '-p', folder], { folder });
    },
  };
}

/** Makes a new folder within another. */
export function freshFolder(within: string): string {
  mkdirSync(within, { recursive: true });
  return mkdtempSync(join(within, 'run-'));
}

async function run(command: string[], folder: string): Promise<Instance> {
  const began = performance.now();
  const { url, process: child } = await started(command, folder);
  return instance(url, child, performance.now() - began);
}

function instance(url: string, child: Bun.Subprocess, startMs: number, headers = ''): Instance {
  const end = async () => {
    child.kill('SIGKILL');
    await child.exited;
    children.splice(children.indexOf(child), 1);
  };
  return { url, pid: child.pid, headers, startMs, end };
}

/** Starts a program on a given port, and waits until it listens there. */
export async function startedAt(
  port: number,
  command: readonly string[],
  { folder, env = {}, headers = '' }: { folder: string; env?: Record<string, string>; headers?: string },
): Promise<Instance> {
  const began = performance.now();
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  await untilListening(url, child);
  return instance(url, child, performance.now() - began, headers);
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** @throws when the process ends, or two minutes pass, before anything listens */
async function untilListening(url: string, child: Bun.Subprocess): Promise<void> {
  const { hostname, port } = new URL(url);
  const untilMs = performance.now() + 120_000;
  while (child.exitCode === null && performance.now() < untilMs) {
    try {
      const socket = { data: () => undefined };
      (await Bun.connect({ hostname, port: Number(port), socket })).terminate();
      return;
    } catch {
      // The program does not listen yet.
      await Bun.sleep(5);
    }
  }
  throw new Error(`nobody listens at ${url}`);
}

function nginxConfig(folder: string, port: number, upstream: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; client_max_body_size 32m; client_body_buffer_size 2m; keepalive_requests 100000000; ${paths}
upstream up { server ${upstream}; keepalive 512; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://up; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_buffering off; } } }
`;
}
