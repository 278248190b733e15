/** Where a model name leads: names and globs of `models`, and the name of a provider before a slash. */
import { describe, expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { literalLength, starOf } from '../../src/config/globs.ts';
import { running } from '../helpers/proxy.ts';

const mocked = (name: string, models: string[], more: object = {}) => ({
  name,
  type: 'mock',
  models,
  ...more,
});

const CONFIG: ConfigInput = {
  providers: [
    mocked('one', ['m-*']),
    mocked('two', ['n-*', 'exact']),
    mocked('off', ['*'], { enabled: false }),
    mocked('every', ['*'], { priority: 9 }),
    mocked('own', ['off/known', 'one/own-*'], { priority: 8 }),
  ],
  models: {
    'claude-*': 'one/m-large',
    'claude-*-haiku-*': 'two/n-small',
    'claude-opus-1': 'two/exact',
    'gpt-*-codex': 'one/m-*',
    '{a,bb}?': 'one/m-1',
    'two/n-s*': 'one/m-2',
    via: 'claude-opus-1',
    '*-fallback': ['every/*', 'one/m-3'],
  },
};

async function answeredBy(model: string): Promise<string> {
  await using proxy = running(CONFIG);
  const answer = await proxy.post('/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'x' }],
  });
  const body = (await answer.json()) as { error?: { message: string } };
  if (answer.status !== 200) return `${answer.status} ${body.error?.message}`;
  return `${answer.headers.get('x-llmproxy-provider')}/${answer.headers.get('x-llmproxy-model')}`;
}

describe('a model name', () => {
  test.each([
    ['claude-sonnet-4-5-20250929', 'one/m-large', 'a glob'],
    ['claude-3-5-haiku-latest', 'two/n-small', 'the more specific glob'],
    ['claude-opus-1', 'two/exact', 'a name takes precedence over globs'],
    ['gpt-5.1-codex', 'one/m-5.1', 'the text that the star matched'],
    ['bbx', 'one/m-1', 'alternatives and question marks'],
    ['via', 'two/exact', 'a target that is itself a name in models'],
    ['x-fallback', 'every/x', 'the first of several targets'],
    ['m-7', 'one/m-7', 'a model that a provider serves'],
    ['two/n-7', 'two/n-7', 'an explicit provider'],
    ['two/n-s', 'one/m-2', 'a glob that names the provider'],
    ['off/known', 'own/off/known', 'a name that another provider lists literally'],
    ['one/own-1', 'own/one/own-1', 'a glob of another provider with this prefix'],
    ['stranger/model', 'every/stranger/model', 'a prefix that is not the name of a provider'],
  ])('%s leads to %s: %s', async (model, target) => {
    expect(await answeredBy(model)).toBe(target);
  });

  test.each([
    [
      'off/gpt-x',
      '404 Cannot find model "off/gpt-x": provider off is off (not enabled); to request it from every, use "every/off/gpt-x"',
    ],
    [
      'one/z',
      '404 Cannot find model "one/z": provider one does not serve it; to request it from every, use "every/one/z"',
    ],
  ])('%s does not match a wildcard of another provider', async (model, refusal) => {
    expect(await answeredBy(model)).toStartWith(refusal);
  });

  test('works with the tag that Ollama’s clients add to it', async () => {
    await using proxy = running(CONFIG);
    const body = { model: 'via:latest', stream: false, messages: [{ role: 'user', content: 'x' }] };
    const answer = await proxy.post('/api/chat', body);
    expect([answer.status, answer.headers.get('x-llmproxy-model')]).toEqual([200, 'exact']);
  });

  test('is listed, but a glob is not', async () => {
    await using proxy = running(CONFIG);
    const { data } = (await (await fetch(`${proxy.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['claude-opus-1', 'via', 'exact', 'off/known']);
  });
});

test.each([
  ['gpt-*', 4],
  ['*', 0],
  ['{a,bcd}-[xyz]?', 2],
  ['gpt-4o', 6],
])('literalLength(%p) is %p', (pattern, length) => {
  expect(literalLength(pattern)).toBe(length);
});

test('starOf() returns what a single star matches, and nothing for other patterns', () => {
  expect(starOf('gpt-*-codex')?.('gpt-5-codex')).toBe('5');
  expect(starOf('*')?.('a/b')).toBe('a/b');
  for (const pattern of ['gpt-*-*', 'gpt-?', 'gpt-4o', '{a,b}*']) expect(starOf(pattern)).toBeUndefined();
});
