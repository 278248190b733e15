import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import { Glob } from 'bun';
import { CHAT, running } from '../helpers/proxy.ts';
import { readPage, ROOT } from './pages.ts';

/** Headers that llmproxy uses only internally. */
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

test('web pages may read every header of answers that docs/http-api.md names', async () => {
  const [, answers = ''] = /## Response headers\n([\s\S]*?)\n## /.exec(readPage('docs/http-api.md')) ?? [];
  const named = [...answers.matchAll(/`([a-z]+(?:-[a-z]+)+)(?::[^`]*)?`/g)].map(([, name]) => name!);
  const cors = { origins: ['https://app.example'] };
  await using proxy = running({ server: { cors }, providers: [{ name: 'mock', type: 'mock' }] });
  const answer = await proxy.post('/v1/chat/completions', CHAT, {
    headers: { origin: 'https://app.example' },
  });
  const exposed = answer.headers.get('access-control-expose-headers')!.split(',');
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !exposed.includes(name))).toEqual([]);
});
