import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { YAML } from 'bun';
import { loadConfig } from '../../src/config/load.ts';
import { schema } from '../../src/config/schema.ts';
import { isObject } from '../../src/wire/json.ts';

const ROOT = join(import.meta.dir, '../..');

/** The examples of a page that are a configuration, or some sections of one; those of other programs are not. */
function examples(page: string): object[] {
  const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm);
  return [...blocks].flatMap(([, indent = '', text = '']) => {
    const value = YAML.parse(text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')) as unknown;
    const ours = isObject(value) && Object.keys(value).every((key) => key in schema.shape);
    return ours ? [value] : [];
  });
}

test.each([
  ['README.md', 1],
  ['docs/mock.md', 1],
  ['docs/keys.md', 4],
  ['docs/realtime.md', 1],
  ['docs/passthrough.md', 1],
  ['docs/security.md', 2],
])('the %s shows configurations that are valid', (page, count) => {
  const found = examples(page);
  expect(found.length).toBeGreaterThanOrEqual(count);
  const providers = [{ name: 'mock', type: 'mock' }];
  // Keys that the examples take from the environment.
  const env = new Proxy<Record<string, string>>({}, { get: () => 'a-secret-of-some-length' });
  for (const example of found) {
    const text = JSON.stringify({ providers, ...example });
    const { problems } = loadConfig({ path: page, text, env });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
});
