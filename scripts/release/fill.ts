/**
 * Fills in the release files that contain the download address and the checksums: install.sh and the Homebrew formula.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaryName, PLATFORMS } from './platforms.ts';

export interface Release {
  readonly version: string;
  /** The address of the released files, without a trailing slash. */
  readonly url: string;
  /** The project's home page. */
  readonly homepage: string;
  /** The content of SHA256SUMS. */
  readonly sums: string;
}

/**
 * The address at which a release is published: `--url`, or the GitHub repository in which a workflow runs.
 * @returns `undefined` if neither is known
 * @throws Error when `--url` is not a web address
 */
export function addressOf(
  url: string | undefined,
  version: string,
  env: Readonly<Record<string, string | undefined>>,
): Pick<Release, 'url' | 'homepage'> | undefined {
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository } = env;
  if (url === undefined) {
    if (!repository) return undefined;
    const homepage = `${server}/${repository}`;
    return { homepage, url: `${homepage}/releases/download/v${version}` };
  }
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new Error(`Cannot use --url ${url}: give the http:// or https:// address of the files`);
  }
  const plain = url.replace(/\/+$/, '');
  return { url: plain, homepage: plain };
}

/** Writes the filled-in files into the release folder. @returns their names */
export function fillReleaseFiles(root: string, folder: string, release: Release): readonly string[] {
  writeFileSync(join(folder, 'install.sh'), filled(read(root, 'deploy/install.sh'), release));
  chmodSync(join(folder, 'install.sh'), 0o755);
  writeFileSync(join(folder, 'llmproxy.rb'), filled(read(root, 'deploy/homebrew/llmproxy.rb'), release));
  return ['install.sh', 'llmproxy.rb'];
}

/** @throws Error when the template asks for a platform that the release does not have */
export function filled(template: string, { version, url, homepage, sums }: Release): string {
  return template
    .replaceAll('@VERSION@', version)
    .replaceAll('@URL@', url)
    .replaceAll('@HOMEPAGE@', homepage)
    .replaceAll('@SUMS@', sums.trimEnd())
    .replaceAll(/@SHA256 ([a-z0-9-]+)@/g, (_, name: string) => sumOf(name, version, sums));
}

function sumOf(name: string, version: string, sums: string): string {
  const file = binaryName(
    version,
    PLATFORMS.find((platform) => platform.name === name)!,
  );
  const line = sums.split('\n').find((each) => each.endsWith(`  ${file}`));
  if (line === undefined) throw new Error(`the release has no file ${file}`);
  return line.slice(0, 64);
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
