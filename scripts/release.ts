/**
 * `make release`: binaries for every platform, SHA256SUMS and an SBOM in dist/release.
 * Usage: bun scripts/release.ts [--target NAME]...   (no target named: all of them)
 * A platform that cannot be built is named, the others are built all the same, and the exit code is 1.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, ROOT, VERSION } from './compile.ts';
import { sbom } from './sbom.ts';

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

const { target: named = TARGETS } = parseArgs({
  options: { target: { type: 'string', multiple: true } },
}).values;
const unknown = named.filter((name) => !TARGETS.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`Cannot build ${unknown.join(', ')}: expected ${TARGETS.join(', ')}\n`);
  process.exit(2);
}

rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE, { recursive: true });
const failed: string[] = [];
for (const name of named) {
  if (!(await build(name))) failed.push(name);
}
writeFileSync(join(RELEASE, `llmproxy-${VERSION}.cdx.json`), `${JSON.stringify(sbom(ROOT), null, 2)}\n`);
writeFileSync(join(RELEASE, 'SHA256SUMS'), sums());
if (failed.length > 0) {
  process.stderr.write(`Not built: ${failed.join(', ')}\n`);
  process.exitCode = 1;
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
