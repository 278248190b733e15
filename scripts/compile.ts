/** Compiles the binary for one platform; shared by `make build` and `make release`. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { version } from '../package.json';

export const ROOT = join(import.meta.dir, '..');
export const VERSION = version;

/** The current commit, with "-dirty" if files were changed since; "unknown" without git or outside of a checkout. */
export function commit(): string {
  // A tarball unpacked inside another project's checkout must not report that project's commit.
  if (!existsSync(join(ROOT, '.git')) || Bun.which('git') === null) return 'unknown';
  const git = (...args: string[]) => Bun.spawnSync(['git', '-C', ROOT, ...args], { stderr: 'ignore' });
  const head = git('rev-parse', '--short', 'HEAD');
  if (head.exitCode !== 0) return 'unknown';
  const dirty = git('status', '--porcelain', '--untracked-files=no').stdout.length > 0;
  return `${head.stdout.toString().trim()}${dirty ? '-dirty' : ''}`;
}

/**
 * Compiles src/main.ts. The binary does not read .env or bunfig.toml from the folder that it is started in. The file is
 * moved into place only when it is complete, since two test runs may build it at the same time.
 * @param target Bun's name for a platform; this machine's if omitted
 * @throws Error with the bundler's output
 */
export async function compile(outfile: string, target?: string): Promise<void> {
  const folder = dirname(outfile);
  mkdirSync(folder, { recursive: true });
  const draft = mkdtempSync(join(folder, '.build-'));
  try {
    const compiled = join(draft, basename(outfile));
    await bundle(compiled, target);
    renameSync(compiled, outfile);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function bundle(outfile: string, target: string | undefined): Promise<void> {
  const args = [
    'build',
    join(ROOT, 'src/main.ts'),
    // Entry points of worker threads: the export, long tasks, usage counting, stored responses, and trying plugins.
    join(ROOT, 'src/export/convert/worker.ts'),
    join(ROOT, 'src/work/worker.ts'),
    join(ROOT, 'src/usage/worker.ts'),
    join(ROOT, 'src/stored/worker.ts'),
    join(ROOT, 'src/plugins/trial-worker.ts'),
    // Entry point of the worker thread that reads the log for the page.
    join(ROOT, 'src/server/page/history/worker.ts'),
    '--compile',
    '--minify',
    '--splitting',
    '--sourcemap',
    `--outfile=${outfile}`,
    // Bytecode without ESM fails silently and leaves a binary that cannot start.
    '--bytecode',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    // Packages installed beside plugins are found by their package.json.
    '--compile-autoload-package-json',
    '--define',
    `LLMPROXY_VERSION=${JSON.stringify(VERSION)}`,
    '--define',
    `LLMPROXY_COMMIT=${JSON.stringify(commit())}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
  ];
  const built = Bun.spawn([process.execPath, ...args], { cwd: ROOT, stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([
    new Response(built.stdout).text(),
    new Response(built.stderr).text(),
    built.exited,
  ]);
  if (code !== 0 || /Failed to generate bytecode/i.test(out + err)) throw new Error(`${out}${err}`.trim());
}
