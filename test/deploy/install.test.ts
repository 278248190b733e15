/** deploy/install.sh as a release fills it in, run by sh with a server of files on loopback. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'bun:test';
import { upstream } from '../helpers/upstream.ts';
import { addressOf, filled } from '../../scripts/release/fill.ts';
import { binaryName, PLATFORMS } from '../../scripts/release/platforms.ts';

const ROOT = join(import.meta.dir, '../..');
const template = readFileSync(join(ROOT, 'deploy/install.sh'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'llmproxy-install-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The content of the fake binary: it prints its version, which the script checks. */
const program = (version: string) => `#!/bin/sh\necho "llmproxy ${version}"\n`;
const sumsOf = (version: string, text: string) => {
  const digest = createHash('sha256').update(text).digest('hex');
  return PLATFORMS.map((platform) => `${digest}  ${binaryName(version, platform)}\n`).join('');
};

interface Run {
  readonly code: number;
  readonly err: string;
  readonly files: readonly string[];
}

let count = 0;
/** Runs the script for a release. @param path the programs it may use; all if omitted */
async function install(
  release: Parameters<typeof filled>[1],
  options: { directory?: string; path?: string; env?: Record<string, string>; cut?: number } = {},
): Promise<Run & { readonly directory: string }> {
  const script = join(folder, `install-${(count += 1)}.sh`);
  writeFileSync(script, filled(template, release).slice(0, options.cut));
  const directory = options.directory ?? join(folder, `bin-${count}`);
  const env = {
    PATH: options.path ?? process.env.PATH ?? '',
    HOME: folder,
    LLMPROXY_INSTALL_DIR: directory,
    ...options.env,
  };
  const run = Bun.spawn(['sh', script], { env, stdout: 'ignore', stderr: 'pipe' });
  const [err, code] = await Promise.all([run.stderr.text(), run.exited]);
  const files = existsSync(directory) ? readdirSync(directory) : [];
  return { code, err, files, directory };
}

/** A file server on loopback. */
function serving(files: Record<string, string>): ReturnType<typeof upstream> {
  return upstream(({ path }) => {
    const text = files[path.slice(1)];
    return text === undefined ? new Response('no', { status: 404 }) : new Response(text);
  });
}

const filesOf = (version: string, text: string) =>
  Object.fromEntries(PLATFORMS.map((platform) => [binaryName(version, platform), text]));

describe.skipIf(process.platform === 'win32')('install.sh', () => {
  test('installs the binary for this machine, over an older one, and says how to begin', async () => {
    const text = program('1.2.3');
    await using server = serving(filesOf('1.2.3', text));
    const release = { version: '1.2.3', url: server.url, homepage: server.url, sums: sumsOf('1.2.3', text) };
    const first = await install(release);
    expect([first.code, first.files]).toEqual([0, ['llmproxy']]);
    const installed = join(first.directory, 'llmproxy');
    expect(statSync(installed).mode & 0o777).toBe(0o755);
    expect(first.err).toContain(`Installed llmproxy 1.2.3 as ${installed}\nAdd ${first.directory} to PATH`);
    writeFileSync(installed, 'old');
    const path = `${first.directory}:${process.env.PATH}`;
    const second = await install(release, { directory: first.directory, path });
    expect([second.code, second.err]).toEqual([0, expect.stringContaining('Begin with: llmproxy serve\n')]);
    expect(readFileSync(installed, 'utf8')).toBe(text);
  });

  test('accepts another address, such as that of a mirror', async () => {
    const text = program('1.2.3');
    await using server = serving(filesOf('1.2.3', text));
    const release = {
      version: '1.2.3',
      url: 'http://127.0.0.1:1',
      homepage: '',
      sums: sumsOf('1.2.3', text),
    };
    expect((await install(release, { env: { LLMPROXY_BASE_URL: server.url } })).code).toBe(0);
    const nowhere = await install(release);
    expect([nowhere.code, nowhere.files]).toEqual([1, []]);
    expect(nowhere.err).toContain('Cannot install llmproxy: http://127.0.0.1:1/llmproxy-1.2.3-');
  });

  test('keeps the installed binary if the download does not match the release', async () => {
    await using server = serving(filesOf('1.2.3', program('evil')));
    const sums = sumsOf('1.2.3', program('1.2.3'));
    const release = { version: '1.2.3', url: server.url, homepage: server.url, sums };
    const directory = mkdtempSync(join(folder, 'kept-'));
    writeFileSync(join(directory, 'llmproxy'), 'old');
    const { code, err, files } = await install(release, { directory });
    expect([code, files]).toEqual([1, ['llmproxy']]);
    expect(err).toContain('so it is not what was released');
    expect(readFileSync(join(directory, 'llmproxy'), 'utf8')).toBe('old');
  });

  test('reports what the release does not contain, and what the machine lacks', async () => {
    const release = { version: '1.2.3', url: 'http://127.0.0.1:1', homepage: '', sums: '' };
    expect((await install({ ...release, sums: '0'.repeat(64) })).err).toMatch(
      /Cannot install llmproxy: this release has no file llmproxy-1\.2\.3-/,
    );
    const bin = mkdtempSync(join(folder, 'path-'));
    for (const tool of ['uname', 'sed', 'grep', 'mktemp', 'mkdir', 'rm', 'sh', 'cat']) {
      const found = Bun.which(tool);
      if (found) writeFileSync(join(bin, tool), `#!/bin/sh\nexec ${found} "$@"\n`);
      if (found) chmodSync(join(bin, tool), 0o755);
    }
    const bare = await install({ ...release, sums: sumsOf('1.2.3', 'x') }, { path: bin });
    expect([bare.code, bare.files]).toEqual([1, []]);
    expect(bare.err).toContain('it needs curl or wget');
  });

  test('does nothing if the script was cut off during download', async () => {
    const release = { version: '1.2.3', url: 'http://127.0.0.1:1', homepage: '', sums: sumsOf('1.2.3', 'x') };
    const whole = filled(template, release).length;
    const { files, err } = await install(release, { cut: whole - 'main "$@"\n'.length });
    expect([files, err]).toEqual([[], '']);
  });

  test('recognizes each platform by the output of uname', async () => {
    const text = program('1.2.3');
    await using server = serving(filesOf('1.2.3', text));
    const release = { version: '1.2.3', url: server.url, homepage: server.url, sums: sumsOf('1.2.3', text) };
    const says = async (system: string, machine: string) => {
      const bin = mkdtempSync(join(folder, 'uname-'));
      writeFileSync(join(bin, 'uname'), `#!/bin/sh\n[ "$1" = -m ] && echo ${machine} || echo ${system}\n`);
      chmodSync(join(bin, 'uname'), 0o755);
      const { err } = await install(release, { path: `${bin}:${process.env.PATH}` });
      return err.split('\n')[0];
    };
    expect(await says('Darwin', 'arm64')).toBe('Downloading llmproxy-1.2.3-darwin-arm64');
    expect(await says('Darwin', 'x86_64')).toBe('Downloading llmproxy-1.2.3-darwin-x64');
    expect(await says('Linux', 'aarch64')).toStartWith('Downloading llmproxy-1.2.3-linux-arm64');
    expect(await says('Linux', 'riscv64')).toContain('there is no binary for riscv64');
    expect(await says('FreeBSD', 'amd64')).toContain('this script supports Linux and macOS');
  });
});

test('the address of a release is the given one, or the repository of the workflow', () => {
  expect(addressOf('https://x.example/dl/', '1.0.0', {})?.url).toBe('https://x.example/dl');
  expect(addressOf(undefined, '1.0.0', {})).toBeUndefined();
  expect(addressOf(undefined, '1.0.0', { GITHUB_REPOSITORY: 'a/b' })).toEqual({
    homepage: 'https://github.com/a/b',
    url: 'https://github.com/a/b/releases/download/v1.0.0',
  });
  expect(() => addressOf('ftp://x', '1.0.0', {})).toThrow('Cannot use --url ftp://x');
});

test('the formula for Homebrew names every file with its checksum', async () => {
  const formula = readFileSync(join(ROOT, 'deploy/homebrew/llmproxy.rb'), 'utf8');
  const sums = PLATFORMS.map(
    (platform, n) => `${`${n}`.repeat(64)}  ${binaryName('1.2.3', platform)}\n`,
  ).join('');
  const text = filled(formula, {
    version: '1.2.3',
    url: 'https://x.example',
    homepage: 'https://x.example',
    sums,
  });
  expect(text).not.toContain('@');
  for (const [file, sum] of [
    ['linux-x64', 0],
    ['linux-arm64', 1],
    ['darwin-x64', 4],
    ['darwin-arm64', 5],
  ] as const) {
    expect(text).toContain(`llmproxy-1.2.3-${file}"\n      sha256 "${`${sum}`.repeat(64)}"`);
  }
  expect(() => filled(formula, { version: '1.2.3', url: '', homepage: '', sums: '' })).toThrow('has no file');
  const ruby = Bun.which('ruby');
  if (ruby) expect(Bun.spawnSync([ruby, '-c'], { stdin: Buffer.from(text) }).exitCode).toBe(0);
});
