/**
 * `make release`: binaries for every platform in dist/release, with their licences, an SBOM and SHA256SUMS.
 * Usage: bun scripts/release.ts [--target NAME]... [--sign minisign|cosign [--sign-key KEY]]
 * No target named: all of them. A platform that cannot be built is named, the others are built all the same, nothing
 * is signed, and the exit code is 1.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, ROOT, VERSION } from './compile.ts';
import { renderNotices } from './notices.ts';
import { sbom } from './sbom.ts';
import type { Signer } from './sign.ts';
import { signer } from './sign.ts';

const TARGETS = [
  'linux-x64',
  'linux-arm64',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'windows-x64',
];
const RELEASE = join(ROOT, 'dist/release');

const { target: named = TARGETS, ...signing } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    sign: { type: 'string' },
    'sign-key': { type: 'string' },
  },
}).values;
const unknown = named.filter((name) => !TARGETS.includes(name));
if (unknown.length > 0) refuse(`Cannot build ${unknown.join(', ')}: expected ${TARGETS.join(', ')}`);
const sign = signing.sign === undefined ? undefined : prepare(signing.sign, signing['sign-key']);

rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE, { recursive: true });
const failed: string[] = [];
for (const name of named) {
  if (!(await build(name))) failed.push(name);
}
writeFileSync(join(RELEASE, `llmproxy-${VERSION}.cdx.json`), `${JSON.stringify(sbom(ROOT), null, 2)}\n`);
writeFileSync(join(RELEASE, 'THIRD_PARTY_LICENSES.txt'), renderNotices(ROOT));
copyFileSync(join(ROOT, 'LICENSE'), join(RELEASE, 'LICENSE'));
writeFileSync(join(RELEASE, 'SHA256SUMS'), sums());
if (failed.length > 0) {
  process.stderr.write(`Not built: ${failed.join(', ')}${sign ? '; nothing is signed' : ''}\n`);
  process.exitCode = 1;
} else if (sign) {
  await signSums(sign);
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function prepare(tool: string, key: string | undefined): Signer {
  try {
    return signer(tool, key, `llmproxy ${VERSION}`);
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function signSums(signFile: Signer): Promise<void> {
  try {
    process.stdout.write(`Signed: ${await signFile(join(RELEASE, 'SHA256SUMS'))}\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

async function build(name: string): Promise<boolean> {
  const file = `llmproxy-${VERSION}-${name}${name.startsWith('windows') ? '.exe' : ''}`;
  const began = performance.now();
  try {
    await compile(join(RELEASE, file), `bun-${name}`);
  } catch (error) {
    // What is half written must not be signed by the checksums below.
    rmSync(join(RELEASE, file), { force: true });
    process.stderr.write(`Cannot build ${name}: ${(error as Error).message}\n`);
    return false;
  }
  const megabytes = (statSync(join(RELEASE, file)).size / 1024 ** 2).toFixed(1);
  process.stdout.write(`${file}: ${megabytes} MiB, ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  return true;
}

/** The lines that `sha256sum -c` reads. */
function sums(): string {
  const lines = readdirSync(RELEASE)
    .toSorted()
    .map((file) => {
      const digest = createHash('sha256').update(readFileSync(join(RELEASE, file)));
      return `${digest.digest('hex')}  ${file}\n`;
    });
  return lines.join('');
}
