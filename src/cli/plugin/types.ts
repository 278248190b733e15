import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { compilerOptions, KIT_FOLDER, writeKit } from './kit.ts';

/** The result of the type check. */
export interface Typed {
  /** One line each: "acme.ts:3:7 error: ...". */
  readonly errors: readonly string[];
  /** Why it could not run; `undefined` when it did. */
  readonly failed: string | undefined;
}

/**
 * Type-checks plugins in strict mode with the checker in this executable: nothing else is needed. It runs in a
 * temporary directory, so that files such as package.json or bunfig.toml have no influence.
 * @param files absolute paths
 */
export async function checkTypes(files: readonly string[]): Promise<Typed> {
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-plugin-'));
  try {
    writeKit(join(folder, KIT_FOLDER), { code: false });
    const types = [...new Set(files.flatMap(bunTypes))];
    const options = { ...compilerOptions(`./${KIT_FOLDER}`), types };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
    const command = [process.execPath, 'check', '--no-script', '--no-pretty', '--all', '-p', folder];
    const checker = Bun.spawn(command, {
      cwd: folder,
      env: { ...process.env, BUN_BE_BUN: '1', BUN_OPTIONS: undefined },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [out, err, code] = await Promise.all([
      checker.stdout.text(),
      checker.stderr.text(),
      checker.exited,
    ]);
    const errors = out.split('\n').flatMap((line) => errorOf(line, folder));
    return { errors, failed: code !== 0 && errors.length === 0 ? `${out}${err}`.trim() : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The types of Bun's own API, if they are installed beside a plugin. */
function bunTypes(file: string): string[] {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules/bun-types');
    if (existsSync(found)) return [found];
    if (folder === dirname(folder)) return [];
  }
}

function errorOf(line: string, folder: string): string[] {
  const [, file = '', at, column, code, words] =
    /^(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line) ?? [];
  if (words === undefined) return [];
  return [`${relative(process.cwd(), resolve(folder, file))}:${at}:${column} error: ${words} (${code})`];
}
