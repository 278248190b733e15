/**
 * `make check-scale`: runs the tests of shared state on each installed server, Valkey and Redis. If neither is
 * installed, installs one with the system's package manager where that is allowed. Then tests exports on Spark, which
 * comes from PyPI and needs Java.
 * Usage: bun scripts/check-scale.ts [--only replicas|spark] [ARGUMENTS]   (arguments of the test runner)
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compile.ts';

const SERVERS = ['valkey-server', 'redis-server'];

/** All test files that need something that may not be installed. */
function testsThatNeed(what: string): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .filter((path) => readFileSync(join(ROOT, path), 'utf8').includes(`skipIf(${what} === null`));
}

function installed(): string[] {
  return SERVERS.flatMap((name) => Bun.which(name) ?? []);
}

/** Installs a server with apt-get, if that is possible. @throws Error that says what to do otherwise */
function install(): void {
  const mayInstall = existsSync('/etc/debian_version') && process.getuid?.() === 0 && Bun.which('apt-get');
  if (!mayInstall)
    throw new Error(
      'Neither valkey-server nor redis-server is installed: install one of them, such as with "brew install valkey" or, as root, "apt-get install redis-server"',
    );
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    Bun.spawnSync(['apt-get', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).exitCode === 0;
  apt('update');
  for (const name of SERVERS) if (apt('install', '--yes', '--no-install-recommends', name)) return;
  throw new Error('apt-get could not install valkey-server or redis-server; its reason is above');
}

/** Runs tests, and ends this process if one fails. */
function run(what: string, more: Record<string, string>, args: readonly string[]): void {
  const { exitCode } = Bun.spawnSync(
    [process.execPath, '--no-env-file', 'test', '--timeout', '60000', ...testsThatNeed(what), ...args],
    {
      cwd: ROOT,
      env: { ...process.env, LLMPROXY_TEST_SCALE: '1', ...more },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (exitCode !== 0) process.exit(1);
}

function testReplicas(args: readonly string[]): void {
  if (installed().length === 0) install();
  for (const server of installed()) {
    const version = Bun.spawnSync([server, '--version']).stdout.toString().trim();
    process.stdout.write(`${version}\n`);
    run('REDIS_SERVER', { LLMPROXY_REDIS_SERVER: server }, args);
  }
}

const given = process.argv.slice(2);
const only = given[0] === '--only' ? given[1] : undefined;
const args = only === undefined ? given : given.slice(2);
try {
  if (only !== undefined && only !== 'replicas' && only !== 'spark')
    throw new Error(`Cannot check only ${only}: expected replicas or spark`);
  if (only !== 'spark') testReplicas(args);
  if (only !== 'replicas') run('SPARK_PYTHON', {}, args);
} catch (thrown) {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(1);
}
