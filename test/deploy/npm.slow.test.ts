/** The packages for npm, in npm's layout, run by Node.js and by Bun. */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeNpmPackages } from '../../scripts/release/npm.ts';
import { binaryName, PLATFORMS } from '../../scripts/release/platforms.ts';
import { BINARY, built } from '../helpers/binary.ts';

const ROOT = join(import.meta.dir, '../..');
const own = PLATFORMS.find(({ os, cpu }) => os === process.platform && cpu === process.arch);
// On the same disk as the binary, because the packages contain hard links to it.
const DIST = join(ROOT, 'dist');
// A fresh checkout has none until something is built.
mkdirSync(DIST, { recursive: true });
const folder = mkdtempSync(join(DIST, '.npm-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly name: string;
  readonly optionalDependencies: Record<string, string>;
  readonly os: string[];
  readonly cpu: string[];
  readonly libc?: string[];
}
const manifestOf = (path: string): Manifest => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));

/** Packages of a release in which all binaries are the same file. */
function packages(name: string, binary: string): { folders: readonly string[]; folder: string } {
  const release = join(folder, name, 'release');
  mkdirSync(release, { recursive: true });
  for (const platform of PLATFORMS) linkSync(binary, join(release, binaryName('9.9.9', platform)));
  for (const licence of ['LICENSE', 'THIRD_PARTY_LICENSES.txt']) {
    copyFileSync(join(ROOT, 'LICENSE'), join(release, licence));
  }
  const target = join(folder, name, 'node_modules');
  const folders = writeNpmPackages(PLATFORMS, { root: ROOT, version: '9.9.9', release, folder: target });
  return { folders, folder: target };
}

test('each platform has a package that npm installs only there, and the launcher names them all', () => {
  const binary = join(folder, 'any');
  writeFileSync(binary, 'any');
  const { folders } = packages('named', binary);
  const manifests = folders.map(manifestOf);
  const launcher = manifests.at(-1)!;
  expect(launcher.name).toBe('llmproxy');
  const others = manifests.slice(0, -1);
  expect(launcher.optionalDependencies).toEqual(
    Object.fromEntries(others.map(({ name }) => [name, '9.9.9'])),
  );
  const where = others.map(({ os, cpu, libc }) => [...os, ...cpu, ...(libc ?? [])].join(' '));
  expect(new Set(where).size).toBe(PLATFORMS.length);
  expect(where).toContain('linux arm64 musl');
});

const runtimes = [
  ['node', Bun.which('node')],
  ['bun', process.execPath],
] as const;

for (const [runtime, program] of runtimes) {
  describe.skipIf(!own || !program || process.platform === 'win32')(`the launcher in ${runtime}`, () => {
    let launcher = '';
    beforeAll(async () => {
      await built();
      launcher = join(packages(runtime, BINARY).folder, 'llmproxy/bin/llmproxy.js');
    }, 60_000);

    test('runs the binary with its arguments, and ends as it does', async () => {
      const { stdout, exitCode } = Bun.spawnSync([program!, launcher, '--version']);
      expect([exitCode, stdout.toString()]).toEqual([0, expect.stringMatching(/^llmproxy \d/)]);
      const wrong = Bun.spawnSync([program!, launcher, 'serve', '--no-such-flag']);
      expect([wrong.exitCode, wrong.stderr.toString()]).toEqual([2, expect.stringContaining('no-such-flag')]);
    });

    test.each(['SIGTERM', 'SIGINT'] as const)(
      'hands %s on, so that the binary drains and ends',
      async (signal) => {
        const cwd = mkdtempSync(join(tmpdir(), 'llmproxy-npm-'));
        writeFileSync(join(cwd, 'config.yaml'), 'providers: [{ name: mock, type: mock }]');
        const child = Bun.spawn([program!, launcher, 'serve', '--port', '0'], {
          cwd,
          env: process.env,
          stdin: 'ignore',
          stderr: 'ignore',
        });
        let text = '';
        for await (const chunk of child.stdout) {
          text += new TextDecoder().decode(chunk);
          if (text.includes('http://')) break;
        }
        const url = /http:\/\/[\d.:]+/.exec(text)![0];
        expect((await fetch(`${url}/health/live`)).status).toBe(200);
        child.kill(signal);
        expect(await child.exited).toBe(0);
        await expect(fetch(`${url}/health/live`)).rejects.toThrow();
        rmSync(cwd, { recursive: true });
      },
    );

    test('says what to do if the package for the platform is missing', () => {
      const empty = mkdtempSync(join(tmpdir(), 'llmproxy-npm-'));
      const alone = join(empty, 'llmproxy.js');
      copyFileSync(launcher, alone);
      const { exitCode, stderr } = Bun.spawnSync([program!, alone]);
      expect(exitCode).toBe(1);
      expect(stderr.toString()).toContain(`Cannot run llmproxy: the package llmproxy-${own!.os}-${own!.cpu}`);
      expect(stderr.toString()).toContain('--omit=optional');
      rmSync(empty, { recursive: true });
    });
  });
}
