/**
 * `make clients`: runs real clients against the compiled binary, with scripted providers behind it, all on loopback.
 * Downloads the clients' packages from the registry once.
 * Usage: bun scripts/clients.ts [--programs] [TEST NAME PATTERN]
 * (--programs: Claude Code and Codex too, which need some 800 MB)
 */
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const folder = join(ROOT, 'test/clients');

function run(cwd: string, ...command: string[]): void {
  const { exitCode } = Bun.spawnSync([process.execPath, ...command], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (exitCode !== 0) process.exit(exitCode);
}

const programs = process.argv.includes('--programs');
const [pattern] = process.argv.slice(2).filter((arg) => arg !== '--programs');
const only = pattern === undefined ? [] : ['--test-name-pattern', pattern];
run(folder, 'install', '--frozen-lockfile');
run(folder, 'check');
run(
  ROOT,
  '--no-env-file',
  'test',
  '--timeout',
  '60000',
  './test/clients/clients.ts',
  './test/clients/redaction.ts',
  './test/clients/steady.ts',
  ...only,
);
if (programs) {
  run(join(folder, 'programs'), 'install', '--frozen-lockfile');
  run(ROOT, '--no-env-file', 'test', '--timeout', '60000', './test/clients/programs.ts', ...only);
}
