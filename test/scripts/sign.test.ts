/** Signing with external tools, replaced by scripts that record how they were called. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dir, '../..');
let bin: string;

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'llmproxy-sign-'));
  writeFileSync(join(bin, 'SHA256SUMS'), 'sums\n');
  writeFileSync(join(bin, 'my.key'), 'key\n');
});

afterEach(() => rmSync(bin, { recursive: true, force: true }));

function install(tool: string, script: string): void {
  writeFileSync(join(bin, tool), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, tool), 0o755);
}

/** Signs in a separate process, which finds the tools in `bin`. */
function sign(tool: string, key?: string): { out: string; err: string } {
  const program = `
    import { signer } from './scripts/sign.ts';
    const [file, tool, key] = process.argv.slice(1);
    try {
      process.stdout.write(await signer(tool, key, 'llmproxy 1.2.3')(file));
    } catch (error) {
      process.stderr.write(error.message);
    }`;
  const args = [join(bin, 'SHA256SUMS'), tool, ...(key === undefined ? [] : [key])];
  const { stdout, stderr } = Bun.spawnSync([process.execPath, '--no-env-file', '-e', program, ...args], {
    cwd: ROOT,
    env: { ...process.env, PATH: [bin, '/usr/bin', '/bin'].join(delimiter) },
  });
  return { out: stdout.toString(), err: stderr.toString() };
}

describe('signer()', () => {
  const recording = (signature: string) =>
    `printf '%s\\n' "$@" > "${bin}/args"; echo signature > "${bin}/SHA256SUMS.${signature}"`;
  const args = () => readFileSync(join(bin, 'args'), 'utf8').trimEnd().split('\n');

  test('calls minisign with the key, a signed comment, and the file', () => {
    install('minisign', recording('minisig'));
    const file = join(bin, 'SHA256SUMS');
    expect(sign('minisign', join(bin, 'my.key'))).toEqual({ out: `${file}.minisig`, err: '' });
    expect(args()).toEqual(['-S', '-s', join(bin, 'my.key'), '-t', 'llmproxy 1.2.3', '-m', file]);
  });

  test("leaves minisign's own key to it", () => {
    install('minisign', recording('minisig'));
    expect(sign('minisign').err).toBe('');
    expect(args()).not.toContain('-s');
  });

  test.each([['my.key'], ['awskms:///alias/release']])(
    'calls cosign with the key %s and a bundle',
    (name) => {
      install('cosign', recording('sigstore.json'));
      const file = join(bin, 'SHA256SUMS');
      const key = name.includes(':') ? name : join(bin, name);
      expect(sign('cosign', key)).toEqual({ out: `${file}.sigstore.json`, err: '' });
      expect(args()).toEqual(['sign-blob', '--yes', '--key', key, '--bundle', `${file}.sigstore.json`, file]);
    },
  );

  test.each([
    ['a tool it does not know', 'gpg', undefined, 'Cannot sign with gpg: expected minisign or cosign'],
    ['a tool that is missing', 'minisign', undefined, 'Cannot sign with minisign: it is not installed'],
    ['a name that objects have', 'constructor', undefined, 'Cannot sign with constructor: expected'],
    ['cosign without a key', 'cosign', undefined, 'Cannot sign with cosign: name the key, as in SIGN_KEY='],
    [
      'a key that is not there',
      'cosign',
      'none.key',
      'Cannot sign with cosign: there is no key file none.key',
    ],
  ])('refuses %s', (_, tool, key, message) => {
    install('cosign', recording('sigstore.json'));
    expect(sign(tool, key).err).toStartWith(message);
    expect(existsSync(join(bin, 'args'))).toBeFalse();
  });

  test.each([
    ['fails', 'exit 3', 'minisign ended with 3'],
    ['writes nothing', 'exit 0', 'minisign wrote no'],
  ])('says so when the tool %s', (_, script, message) => {
    install('minisign', script);
    expect(sign('minisign').err).toContain(message);
  });
});

test('release.ts looks for the tool before it builds anything', () => {
  const release = [process.execPath, '--no-env-file', 'scripts/release.ts', '--sign', 'minisign'];
  const { exitCode, stdout, stderr } = Bun.spawnSync(release, { cwd: ROOT, env: { PATH: bin } });
  expect([exitCode, stdout.toString()]).toEqual([2, '']);
  expect(stderr.toString()).toBe('Cannot sign with minisign: it is not installed, or not in PATH\n');
});
