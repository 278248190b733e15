/** The files that `llmproxy plugin init` writes beside plugins, so that editors and tests can resolve 'llmproxy'. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declarations } from './declarations.ts';

const ROOT = join(import.meta.dir, '..');

/** Files by their paths: declarations and, for tests, the code itself. */
export function pluginKit(): Readonly<Record<string, string>> {
  return { ...pluginTypes(), ...pluginCode(), ...examples() };
}

/** Only the declarations. */
export function pluginTypes(): Readonly<Record<string, string>> {
  const api = declarations(join(ROOT, 'src/plugins/llmproxy.ts'));
  const known = { names: api.exported, from: './llmproxy.js' };
  const testing = declarations(join(ROOT, 'src/plugins/testing.ts'), known);
  const made = '// Made by llmproxy plugin init, which writes it anew.';
  return {
    'llmproxy.d.ts': `${made}\nimport * as z from './zod/classic/external.js';\n\nexport { z };\n\n${api.text}`,
    'testing.d.ts': `${made}\n${testing.text}`,
    ...zodTypes(),
  };
}

/** The declarations of zod, without its translations. */
function zodTypes(): Record<string, string> {
  const files = ['classic', 'core'].flatMap((folder) => {
    const from = join(ROOT, 'node_modules/zod/v4', folder);
    return readdirSync(from).flatMap((name): [string, string][] => {
      if (!name.endsWith('.d.ts')) return [];
      const text = readFileSync(join(from, name), 'utf8');
      return [[`zod/${folder}/${name}`, text.replaceAll(/^export \* as locales .*\n/gm, '')]];
    });
  });
  const license = readFileSync(join(ROOT, 'node_modules/zod/LICENSE'), 'utf8');
  return { ...Object.fromEntries(files), 'zod/LICENSE': license };
}

/** The example files. */
function examples(): Record<string, string> {
  const names = ['local.ts', 'local.test.ts'];
  return Object.fromEntries(
    names.map((name) => [`examples/${name}`, readFileSync(join(ROOT, 'examples', name), 'utf8')]),
  );
}

/** The code of 'llmproxy' and 'llmproxy/testing' for programs other than the proxy, such as tests. */
function pluginCode(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-kit-'));
  try {
    const entries = ['llmproxy.ts', 'testing.ts'].map((name) => join(ROOT, 'src/plugins', name));
    const flags = ['--splitting', '--minify', '--target=bun', `--outdir=${folder}`];
    const built = Bun.spawnSync([process.execPath, '--no-env-file', 'build', ...entries, ...flags], {
      cwd: ROOT,
    });
    if (built.exitCode !== 0) throw new Error(built.stderr.toString());
    return Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
