/** Compiles the binary for one platform; shared by `make build` and `make release`. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { version } from '../package.json';

export const ROOT = join(import.meta.dir, '..');
export const VERSION = version;

/** The commit the tree is at, "-dirty" when it was changed since; "unknown" without git or outside of a checkout. */
export function commit(): string {
  // A tarball unpacked inside another project's checkout must not take that one's commit.
  if (!existsSync(join(ROOT, '.git')) || Bun.which('git') === null) return 'unknown';
  const git = (...args: string[]) => Bun.spawnSync(['git', '-C', ROOT, ...args], { stderr: 'ignore' });
  const head = git('rev-parse', '--short', 'HEAD');
  if (head.exitCode !== 0) return 'unknown';
  const dirty = git('status', '--porcelain', '--untracked-files=no').stdout.length > 0;
  return `${head.stdout.toString().trim()}${dirty ? '-dirty' : ''}`;
}

/**
 * Compiles src/main.ts. Neither .env nor bunfig.toml of the folder it is started in is read by the result. It takes its
 * place when it is complete, since two runs of the tests may build it at once.
 * @param target Bun's name of a platform; this machine's when left out
 * @throws Error with what the bundler said
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
    // The threads of the export begin here, the one for long work, those that count what was used, the one that has the stored responses, and the one where plugins are tried.
    join(ROOT, 'src/export/convert/worker.ts'),
    join(ROOT, 'src/work/worker.ts'),
    join(ROOT, 'src/usage/worker.ts'),
    join(ROOT, 'src/stored/worker.ts'),
    join(ROOT, 'src/plugins/trial-worker.ts'),
    // And the one that reads the log for the page.
    join(ROOT, 'src/server/page/history/worker.ts'),
    '--compile',
    '--minify',
    '--splitting',
    '--sourcemap',
    `--outfile=${outfile}`,
    // Bytecode without ESM fails without a word and leaves a binary that cannot start.
    '--bytecode',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    // Packages that plugins have beside them are found by their package.json.
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
