/**
 * Runs the compiled BINARY in folders of its own. Test files call `built` before all tests and `cleared` after them.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isForeign } from './environment.ts';

const root = join(import.meta.dir, '../..');
export const BINARY = join(root, 'dist/llmproxy');
const folders: string[] = [];
const servers: Bun.Subprocess[] = [];

/**
 * The environment without keys of real providers: only loopback may be contacted. Providers are not asked for their
 * models either, so that tests count only their own requests.
 */
const env: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))),
  LLMPROXY_DISCOVER_MODELS: 'false',
};

/** Makes the binary ask providers for their models in a test. */
export const DISCOVERING = { LLMPROXY_DISCOVER_MODELS: '' } as const;

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llmproxy-e2e-'));
  folders.push(path);
  return path;
}

export function run(cwd: string, ...args: string[]): { code: number; out: string; err: string } {
  return runWith(cwd, {}, ...args);
}

/** @param more additional environment variables */
export function runWith(
  cwd: string,
  more: Readonly<Record<string, string>>,
  ...args: string[]
): { code: number; out: string; err: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([BINARY, ...args], { cwd, env: { ...env, ...more } });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

/** Runs a command in a terminal of this width. @returns everything that it shows */
export async function runInTerminal(columns: number, ...args: string[]): Promise<string> {
  const decoder = new TextDecoder();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let shown = '';
  const terminal = {
    cols: columns,
    rows: 50,
    data: (_: unknown, bytes: Uint8Array) => void (shown += decoder.decode(bytes, { stream: true })),
    exit: () => end(),
  };
  Bun.spawn([BINARY, ...args], { cwd: folder(), env, terminal });
  await ended;
  return shown.replaceAll('\r\n', '\n');
}

/** A terminal in which the binary runs `serve`. */
export interface ServingInTerminal {
  readonly url: string;
  /** Everything that it has shown, without colours if `NO_COLOR` is set. */
  readonly shown: () => string;
  /** Types keys: `\x13` pauses the output. */
  readonly type: (keys: string) => void;
  readonly process: Bun.Subprocess;
}

/** Serves a configuration in a terminal of 80 columns. @param more additional environment variables */
export async function serveInTerminal(
  config: ConfigInput,
  { args = [], more = {} }: { args?: readonly string[]; more?: Readonly<Record<string, string>> } = {},
): Promise<ServingInTerminal> {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config, null, 2));
  const decoder = new TextDecoder();
  const { promise: listening, resolve } = Promise.withResolvers<string>();
  let shown = '';
  const terminal = {
    cols: 80,
    rows: 50,
    data(_: unknown, bytes: Uint8Array) {
      shown += decoder.decode(bytes, { stream: true }).replaceAll('\r', '');
      const url = /http:\/\/[\d.:]+/.exec(shown)?.[0];
      if (url) resolve(url);
    },
  };
  const child = Bun.spawn([BINARY, 'serve', '--port', '0', ...args], {
    cwd,
    env: { ...env, TZ: 'UTC', ...more },
    terminal,
  });
  servers.push(child);
  void child.exited.then(() => resolve(''));
  const url = await listening;
  if (url === '') throw new Error(`serve ended: ${shown}`);
  return { url, shown: () => shown, type: (keys) => void child.terminal!.write(keys), process: child };
}

export interface Serving {
  readonly url: string;
  readonly cwd: string;
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
}

/** @param more additional environment variables */
export async function serveWith(
  cwd: string,
  more: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Serving> {
  return await started(cwd, ['--port', '0', ...args], { ...env, ...more });
}

export async function serve(cwd: string, ...args: string[]): Promise<Serving> {
  return await started(cwd, ['--port', '0', ...args], env);
}

/** Serves at the address that the configuration in a folder sets. */
export async function serveAsWritten(cwd: string, ...args: string[]): Promise<Serving> {
  return await started(cwd, args, env);
}

async function started(
  cwd: string,
  args: readonly string[],
  environment: typeof env,
  command: readonly string[] = [BINARY],
): Promise<Serving> {
  const child = Bun.spawn([...command, 'serve', ...args], {
    cwd,
    env: environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  servers.push(child);
  let text = '';
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /https?:\/\/[\d.:]+|unix:\S+/.exec(text)?.[0];
    if (url) return { url, cwd, process: child };
  }
  throw new Error(`serve ended: ${await new Response(child.stderr).text()}`);
}

/**
 * Serves a configuration from a new folder; it is written as JSON, which is also YAML. @param more additional
 * environment variables
 */
export async function serveConfig(
  config: ConfigInput,
  more: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config, null, 2));
  return await started(cwd, ['--port', '0'], { ...env, ...more });
}

/** Serves the config.yaml of a folder. @param more additional environment variables */
export async function serveFolder(
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  return await started(cwd, ['--port', '0'], { ...env, ...more });
}

/** Serves a configuration from a new folder with another command than the binary, such as Bun and a source file. */
export async function serveConfigFrom(command: readonly string[], config: ConfigInput): Promise<Serving> {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config, null, 2));
  return await started(cwd, ['--port', '0'], env, command);
}

/** Builds the binary if it is older than its source. */
export function built(): void {
  const sources = ['src', 'scripts', 'examples'].map((name) => newest(join(root, name)));
  const changedMs = Math.max(...sources, statSync(join(root, 'bun.lock')).mtimeMs);
  if (existsSync(BINARY) && statSync(BINARY).mtimeMs > changedMs) return;
  const build = Bun.spawnSync([process.execPath, '--no-env-file', 'scripts/build.ts'], { cwd: root });
  if (build.exitCode !== 0) throw new Error(build.stderr.toString());
}

/** Stops all processes that are still running, and removes the folders. */
export function cleared(): void {
  for (const server of servers.splice(0)) server.kill('SIGKILL');
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}

function newest(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
