import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import { Glob } from 'bun';
import { readPage, ROOT } from './pages.ts';

/** Headers between parts of llmproxy itself. */
const OWN = ['x-llmproxy-via', 'x-llmproxy-page', 'x-llmproxy-certificate'];

test('docs/http-api.md names every header that llmproxy reads or writes for its clients', () => {
  const reference = readPage('docs/http-api.md');
  const sources = [...new Glob('src/{server,pipeline,limits,wire}/**/*.ts').scanSync(ROOT)];
  const ours = sources.flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return [
      ...text.matchAll(/'(x-llmproxy-[a-z-]+|x-request-[a-z-]+|x-[a-z-]*(?:session|conversation)-id)'/g),
    ];
  });
  const names = [...new Set(ours.map(([, name]) => name!))].filter((name) => !OWN.includes(name));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !reference.includes(`\`${name}`))).toEqual([]);
});
