import { expect, test } from 'bun:test';
import { YAML } from 'bun';
import { loadConfig } from '../../src/config/load.ts';
import { schema } from '../../src/config/schema.ts';
import { isObject } from '../../src/wire/json.ts';
import { fences, PAGES } from './pages.ts';

/** The examples on a page that are a configuration, or sections of one; other YAML is left out. */
function examples(page: string): object[] {
  return fences(page, 'yaml').flatMap((text) => {
    const value = YAML.parse(text) as unknown;
    const ours = isObject(value) && Object.keys(value).every((key) => key in schema.shape);
    return ours ? [value] : [];
  });
}

/** Providers that examples refer to without defining them. */
const VENDORS = ['openai', 'anthropic', 'openrouter', 'groq', 'mock'];
/** Values for the environment variables in the examples, each of them another. */
const env = new Proxy<Record<string, string>>({}, { get: (_, name) => `the-secret-in-${String(name)}` });

const shown = PAGES.map((page) => [page, examples(page)] as const).filter(([, found]) => found.length > 0);

test.each(shown)('the configurations that %s shows are valid', (page, found) => {
  const providers = VENDORS.map((name) => ({ name, type: name }));
  for (const example of found) {
    const text = JSON.stringify({ providers, ...example });
    const { problems } = loadConfig({ path: page, text, env });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
});

test('configurations are shown on the expected pages', () => {
  expect(shown.map(([page]) => page)).toEqual(
    expect.arrayContaining([
      'README.md',
      'docs/clients/README.md',
      'docs/keys.md',
      'docs/mock.md',
      'docs/passthrough.md',
      'docs/realtime.md',
      'docs/security.md',
    ]),
  );
});
