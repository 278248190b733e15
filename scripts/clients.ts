/**
 * `make clients`: real clients before the compiled binary, with scripted providers behind it, all on loopback. Needs the
 * registry once, for the clients' packages. Usage: bun scripts/clients.ts [TEST NAME PATTERN]
 */
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const folder = join(ROOT, 'test/clients');

function run(...command: string[]): void {
  const { exitCode } = Bun.spawnSync([process.execPath, ...command], {
    cwd: command[0] === 'install' ? folder : ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (exitCode !== 0) process.exit(exitCode);
}

const [pattern] = process.argv.slice(2);
run('install', '--frozen-lockfile');
run(
  '--no-env-file',
  'test',
  './test/clients/clients.ts',
  ...(pattern === undefined ? [] : ['--test-name-pattern', pattern]),
);
