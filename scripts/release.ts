/**
 * `make release`: builds binaries for every platform in dist/release, with their licences, an SBOM and SHA256SUMS; also
 * install.sh and a Homebrew formula if the download address is known, and with --npm the npm packages in dist/npm.
 * Usage: bun scripts/release.ts [--target NAME]... [--url ADDRESS] [--npm] [--sign minisign|cosign [--sign-key KEY]]
 * Without --target, builds all platforms. If one cannot be built, the script names it, builds the others, signs
 * nothing, and exits 1.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, ROOT, VERSION } from './compile.ts';
import { renderNotices } from './notices.ts';
import { addressOf, fillReleaseFiles } from './release/fill.ts';
import { writeNpmPackages } from './release/npm.ts';
import type { Platform } from './release/platforms.ts';
import { binaryName, PLATFORMS } from './release/platforms.ts';
import { sbom } from './sbom.ts';
import type { Signer } from './sign.ts';
import { signer } from './sign.ts';

const TARGETS = PLATFORMS.map(({ name }) => name);
const RELEASE = join(ROOT, 'dist/release');

const {
  target: named = TARGETS,
  url,
  npm,
  ...signing
} = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    url: { type: 'string' },
    npm: { type: 'boolean' },
    sign: { type: 'string' },
    'sign-key': { type: 'string' },
  },
}).values;
const unknown = named.filter((name) => !TARGETS.includes(name));
if (unknown.length > 0) refuse(`Cannot build ${unknown.join(', ')}: expected ${TARGETS.join(', ')}`);
const address = published(url);
const sign = signing.sign === undefined ? undefined : prepare(signing.sign, signing['sign-key']);

rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE, { recursive: true });
const wanted = PLATFORMS.filter(({ name }) => named.includes(name));
const failed: string[] = [];
for (const platform of wanted) {
  if (!(await build(platform))) failed.push(platform.name);
}
writeFileSync(join(RELEASE, `llmproxy-${VERSION}.cdx.json`), `${JSON.stringify(sbom(ROOT), null, 2)}\n`);
writeFileSync(join(RELEASE, 'THIRD_PARTY_LICENSES.txt'), renderNotices(ROOT));
copyFileSync(join(ROOT, 'LICENSE'), join(RELEASE, 'LICENSE'));
writeFileSync(join(RELEASE, 'SHA256SUMS'), sums());
if (failed.length > 0) {
  const left = ['nothing is signed', 'there are no packages for npm, no install.sh and no formula'];
  process.stderr.write(`Not built: ${failed.join(', ')}; ${left.join(', and ')}\n`);
  process.exitCode = 1;
} else {
  if (npm) writePackages();
  writeInstallers();
  if (sign) await signSums(sign);
}

function published(given: string | undefined): ReturnType<typeof addressOf> {
  try {
    return addressOf(given, VERSION, process.env);
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** Writes the files that contain the download address and the checksums of all platforms. */
function writeInstallers(): void {
  const all = wanted.length === PLATFORMS.length;
  if (!address || !all) {
    const missing = all ? 'give the address of the files with --url' : 'build all platforms';
    process.stdout.write(`Without install.sh and llmproxy.rb: ${missing}\n`);
    return;
  }
  const release = { version: VERSION, ...address, sums: readFileSync(join(RELEASE, 'SHA256SUMS'), 'utf8') };
  process.stdout.write(`${fillReleaseFiles(ROOT, RELEASE, release).join(', ')}: for ${address.url}\n`);
}

function writePackages(): void {
  const folder = join(ROOT, 'dist/npm');
  rmSync(folder, { recursive: true, force: true });
  const folders = writeNpmPackages(wanted, { root: ROOT, version: VERSION, release: RELEASE, folder });
  for (const each of folders) process.stdout.write(`npm publish ${relative(ROOT, each)}\n`);
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

async function build(platform: Platform): Promise<boolean> {
  const { name } = platform;
  const file = binaryName(VERSION, platform);
  const began = performance.now();
  try {
    await compile(join(RELEASE, file), `bun-${name}`);
  } catch (error) {
    // A half-written file must not be included in the signed checksums.
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
