/**
 * The npm packages of a release: `llmproxy`, which contains a small launcher, and one for each platform, which contains
 * its binary. They are optional dependencies with `os` and `cpu`, so npm installs the one that fits; no script runs
 * during the installation.
 */
import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import project from '../../package.json';
import type { Platform } from './platforms.ts';
import { binaryName } from './platforms.ts';

interface NpmRelease {
  /** The root of the checkout. */
  readonly root: string;
  readonly version: string;
  /** The folder with the binaries and licences. */
  readonly release: string;
  /** The folder in which the package folders are made. */
  readonly folder: string;
}

const LICENCES = ['LICENSE', 'THIRD_PARTY_LICENSES.txt'];

/** @returns the package folders, in the order in which they must be passed to `npm publish` */
export function writeNpmPackages(platforms: readonly Platform[], npm: NpmRelease): readonly string[] {
  const folders = platforms.map((platform) => writePlatform(platform, npm));
  return [...folders, writeLauncher(platforms, npm)];
}

function writePlatform(platform: Platform, { version, release, folder }: NpmRelease): string {
  const { name, os, cpu, libc } = platform;
  const target = join(folder, packageName(platform));
  const file = os === 'win32' ? 'llmproxy.exe' : 'llmproxy';
  mkdirSync(join(target, 'bin'), { recursive: true });
  const binary = join(target, 'bin', file);
  // A release has seven binaries of 130 MB: a hard link stores each only once.
  linkSync(join(release, binaryName(version, platform)), binary);
  chmodSync(binary, 0o755);
  for (const licence of LICENCES) copyFileSync(join(release, licence), join(target, licence));
  writeManifest(target, {
    ...described(version, `The binary of llmproxy for ${name}`),
    name: packageName(platform),
    os: [os],
    cpu: [cpu],
    ...(libc ? { libc: [libc] } : {}),
    files: ['bin', ...LICENCES],
  });
  return target;
}

function writeLauncher(
  platforms: readonly Platform[],
  { root, version, release, folder }: NpmRelease,
): string {
  const target = join(folder, 'llmproxy');
  cpSync(join(root, 'deploy/npm'), target, { recursive: true });
  copyFileSync(join(root, 'README.md'), join(target, 'README.md'));
  for (const licence of LICENCES) copyFileSync(join(release, licence), join(target, licence));
  writeManifest(target, {
    ...described(version, project.description),
    name: 'llmproxy',
    keywords: ['llm', 'proxy', 'gateway', 'openai', 'anthropic', 'failover', 'fine-tuning'],
    type: 'commonjs',
    bin: { llmproxy: 'bin/llmproxy.js' },
    optionalDependencies: Object.fromEntries(platforms.map((platform) => [packageName(platform), version])),
    files: ['bin', ...LICENCES],
    engines: { node: '>=18' },
  });
  return target;
}

function packageName({ name }: Platform): string {
  return `llmproxy-${name}`;
}

function described(version: string, description: string): object {
  return { version, description, license: project.license };
}

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
