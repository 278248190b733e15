import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import project from '../../package.json';
import { notices, renderNotices } from '../../scripts/notices.ts';
import { plainText, wrap } from '../../scripts/notices/text.ts';

const ROOT = join(import.meta.dir, '../..');
const trees: string[] = [];

afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
});

/** A checkout whose only dependency, `alpha`, needs `beta`, with these files in `beta`. */
function checkout(files: Readonly<Record<string, string>>, license: string | undefined = 'MIT'): string {
  const root = mkdtempSync(join(tmpdir(), 'llmproxy-notices-'));
  trees.push(root);
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const entry = (spec: string, dependencies: object) => [spec, '', { dependencies }, 'sha512-AA=='];
  const packages = {
    alpha: entry('alpha@1.0.0', { beta: '^2.0.0' }),
    beta: entry('beta@2.1.0', {}),
    bun: entry('bun@1.0.0', {}),
    unused: entry('unused@1.0.0', {}),
  };
  const dependencies = { alpha: '1.0.0' };
  write('bun.lock', JSON.stringify({ packages }));
  write('package.json', JSON.stringify({ name: 'own', version: '3.0.0', license: 'MIT', dependencies }));
  write('node_modules/alpha/package.json', '{"name":"alpha","license":"ISC"}');
  write('node_modules/alpha/LICENSE', '\n  Text of alpha\n');
  write('node_modules/beta/package.json', JSON.stringify({ name: 'beta', license }));
  for (const [name, text] of Object.entries(files)) write(`node_modules/beta/${name}`, text);
  write('node_modules/bun-types/docs/project/license.mdx', 'Page of Bun\n');
  write('scripts/notices/LGPL-2.0.txt', 'Two\n');
  write('scripts/notices/LGPL-2.1.txt', 'Two point one\n');
  return root;
}

describe('notices()', () => {
  test('finds a text and a licence for every package in the binary', () => {
    const found = notices(ROOT);
    const names = found.map(({ name }) => name);
    expect(Object.keys(project.dependencies).filter((name) => !names.includes(name))).toEqual([]);
    expect(names).not.toContain('oxlint');
    expect(names).toEqual(expect.arrayContaining(['gitleaks-rules', 'libphonenumber-metadata']));
    expect(found.filter(({ text, license, version }) => text.length < 500 || !license || !version)).toEqual(
      [],
    );
  });

  test('states that Bun contains JavaScriptCore, with the text of its licence', () => {
    const bun = notices(ROOT).at(-1)!;
    expect([bun.name, bun.version]).toEqual(['bun', project.devDependencies.bun]);
    expect(bun.license).toContain('LGPL');
    expect(bun.text).toContain('statically links JavaScriptCore');
    expect(bun.text).toContain('GNU LIBRARY GENERAL PUBLIC LICENSE');
    expect(bun.text).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
  });

  test('includes all licence files of all dependencies, however deep', () => {
    const root = checkout({ 'license.md': 'Text of beta', NOTICE: 'Made by beta', 'README.md': 'Read me' });
    expect(notices(root).slice(0, -1)).toEqual([
      { name: 'alpha', version: '1.0.0', license: 'ISC', text: '  Text of alpha' },
      { name: 'beta', version: '2.1.0', license: 'MIT', text: 'Made by beta\n\nText of beta' },
    ]);
  });

  test.each([
    ['no file', {}],
    ['an empty file', { LICENSE: ' \n' }],
    ['a file of another name', { 'README.md': 'MIT' }],
  ])('refuses a package that has %s with the text', (_, files) => {
    expect(() => notices(checkout(files))).toThrow('Cannot list beta: it contains no licence text');
  });

  test('refuses a package that names no licence', () => {
    expect(() => notices(checkout({ LICENSE: 'Text' }, ''))).toThrow('Cannot list beta');
  });
});

test('renderNotices() lists all, then prints all texts in full, in lines of 80 bytes at most', () => {
  const text = renderNotices(ROOT);
  const [list = ''] = text.split('====', 1);
  const squeezed = (part: string) => part.replaceAll(/\s+/g, '');
  for (const notice of notices(ROOT)) {
    expect(list).toMatch(new RegExp(`^${notice.name.replaceAll('/', '\\/')} +${notice.version} +\\S`, 'm'));
    expect(squeezed(text)).toContain(squeezed(notice.text));
  }
  expect(text.split('\n').filter((line) => Buffer.byteLength(line) > 80)).toEqual([]);
  expect(text).toEndWith(readFileSync(join(ROOT, 'scripts/notices/LGPL-2.1.txt'), 'utf8').slice(-40));
});

describe('wrap()', () => {
  test.each([
    ['short', 'short'],
    ['one two three', 'one two\nthree'],
    ['  one two three', '  one two\n  three'],
    ['- one two three', '- one two\n  three'],
    ['onetwothreefour', 'onetwothre\nefour'],
    ['1234567890 x', '1234567890\nx'],
    ['one\r\ntwo\fthree  ', 'one\ntwo\nthree'],
    ['  onetwothreefour', '  onetwoth\n  reefour'],
  ])('%j', (text, wrapped) => expect(wrap(text, 10)).toBe(wrapped));
});

test('plainText() keeps the words and addresses of Markdown', () => {
  const page = [
    '---\ntitle: T\n---',
    '## Head',
    '| A | B |\n| --- | :-: |\n| [`x`](https://x) | MIT |\n| y | BSD |',
    'See `z`.',
  ];
  expect(plainText(page.join('\n\n'))).toBe('## Head\n\n- x <https://x>: MIT\n- y: BSD\n\nSee z.');
});
