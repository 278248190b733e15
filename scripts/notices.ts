/** The licences of everything inside the binary, with their texts, taken from the installed packages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainText, trimLines, wrap } from './notices/text.ts';
import { closure, licenseOf, locked, readLock, readManifest } from './packages.ts';

export interface Notice {
  readonly name: string;
  readonly version: string;
  /** SPDX name or expression. */
  readonly license: string;
  readonly text: string;
}

const WIDTH = 80;
const RULE = '='.repeat(WIDTH);

/** The LGPL grants the right to change the library and to relink the program. */
const RELINKED =
  'What follows is the licence page of Bun, and the texts of the LGPL. The source of llmproxy is free: run ' +
  'scripts/build.ts with a Bun of your own, and it is put together with the JavaScriptCore that you have changed.';

/** Names of files that hold a licence, a copyright line, or the notice that the Apache licence requires. */
const LICENSE_FILE = /^(?:licen[cs]e|copying|copyright|notice)/i;

/**
 * The packages that `dependencies` lead to, sorted by name, then third-party data, and Bun at the end.
 * @param root the checkout, with its packages installed
 * @throws Error when a package is not installed, is not in bun.lock, or contains no licence text
 */
export function notices(root: string): Notice[] {
  const lock = readLock(root);
  const names = closure(lock, Object.keys(readManifest(root).dependencies ?? {}));
  const packages = names.map((name) => ({
    name,
    version: locked(lock, name).version,
    license: licenseOf(readManifest(root, name)),
    text: licenseText(join(root, 'node_modules', name), name),
  }));
  return [...packages, ...embedded(root), bun(root, locked(lock, 'bun').version)];
}

/** Third-party data that became part of the code. The first line of each file is its name, version and licence. */
function embedded(root: string): Notice[] {
  const folder = join(root, 'scripts/notices/data');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((file) => {
      const all = readFileSync(join(folder, file), 'utf8');
      const [, name, version, license] = /^(\S+) (\S+) (.+)\n/.exec(all) ?? [];
      if (name === undefined || version === undefined || license === undefined)
        throw new Error(`Cannot list ${file}: its first line is not a name, a version and a licence`);
      return { name, version, license, text: trimLines(all.slice(all.indexOf('\n') + 1)) };
    });
}

function licenseText(folder: string, name: string): string {
  const files = readdirSync(folder).filter((file) => LICENSE_FILE.test(file));
  const texts = files.toSorted().map((file) => trimLines(readFileSync(join(folder, file), 'utf8')));
  if (texts.join('') === '') throw new Error(`Cannot list ${name}: it contains no licence text`);
  return texts.join('\n\n');
}

/**
 * Bun is the program that the bundle is put into. Its package contains no licence, but its types contain the page that
 * lists everything it links; the texts that the LGPL requires are beside this file.
 */
function bun(root: string, version: string): Notice {
  const page = readFileSync(join(root, 'node_modules/bun-types/docs/project/license.mdx'), 'utf8');
  const lgpl = ['LGPL-2.0.txt', 'LGPL-2.1.txt'].map((file) =>
    trimLines(readFileSync(join(root, 'scripts/notices', file), 'utf8')),
  );
  const text = [RELINKED, plainText(page), ...lgpl].join(`\n\n${'-'.repeat(WIDTH)}\n\n`);
  return { name: 'bun', version, license: 'MIT; JavaScriptCore: LGPL-2.0', text };
}

/** All notices as text, in lines of at most 80 characters: a list, then each text. @param root as above */
export function renderNotices(root: string): string {
  const { name, version, license } = readManifest(root);
  const all = notices(root);
  const head = `${name} ${version} is under the ${license} licence. It contains the packages below, whose licences follow.`;
  const wide = Math.max(...all.map((notice) => notice.name.length));
  const list = all.map(
    (notice) => `${notice.name.padEnd(wide)}  ${notice.version.padEnd(8)}  ${notice.license}`,
  );
  const texts = all.map(
    (notice) => `${RULE}\n${notice.name} ${notice.version}, ${notice.license}\n${RULE}\n\n${notice.text}`,
  );
  return `${[head, list.join('\n'), ...texts].map((part) => wrap(part, WIDTH)).join('\n\n')}\n`;
}

/** Called by the bundler, which puts the result into the code as a string. */
export function thirdPartyNotices(): string {
  return renderNotices(join(import.meta.dir, '..'));
}
