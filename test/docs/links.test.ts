import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'bun:test';
import { PAGES, readPage, ROOT } from './pages.ts';

/** The anchor of a heading in rendered Markdown. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

const anchors = (page: string) => [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, text]) => slug(text!));

/** Links within the checkout, as [file, anchor]. */
function links(page: string): [string, string | undefined][] {
  const text = readPage(page)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split('#') as [string, string?];
      return [path === '' ? page : normalize(join(dirname(page), path)), anchor];
    });
}

test.each(PAGES)('the links of %s lead somewhere', (page) => {
  const broken = links(page).filter(([path, anchor]) => {
    if (!existsSync(join(ROOT, path))) return true;
    if (anchor === undefined || statSync(join(ROOT, path)).isDirectory()) return false;
    return path.endsWith('.md') && !anchors(path).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page is reachable by links from README.md', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    if (!page.endsWith('.md') || !existsSync(join(ROOT, page))) continue;
    for (const [path] of links(page)) reached.add(path);
  }
  expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
});
