/** The pages of the documentation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob } from 'bun';

export const ROOT = join(import.meta.dir, '../..');

/** Paths of all pages, relative to the root of the checkout. */
export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...[...new Glob('docs/**/*.md').scanSync(ROOT)].toSorted(),
];

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The contents of a page's code blocks in a language, without their indentation. */
export function fences(page: string, language: string): string[] {
  const pattern = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm');
  return [...readPage(page).matchAll(pattern)].map(([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}
