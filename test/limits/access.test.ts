import { expect, test } from 'bun:test';
import { accessOf, groupsOf } from '../../src/limits/access.ts';

const NOTHING = { group: undefined, models: undefined, endpoints: undefined, providers: undefined };

test('accessOf() allows everything if there are no lists', () => {
  const access = accessOf(NOTHING, {});
  expect(access.allowsModel('any')).toBe(true);
  expect(access.allowsEndpoint('chat')).toBe(true);
  expect(access.allowsProvider('any')).toBe(true);
  expect(access.narrowsProviders).toBe(false);
});

test('accessOf() allows nothing if the lists are empty', () => {
  const access = accessOf({ ...NOTHING, models: [], endpoints: [], providers: [] }, {});
  expect(access.allowsModel('any')).toBe(false);
  expect(access.allowsEndpoint('chat')).toBe(false);
  expect(access.allowsProvider('any')).toBe(false);
  expect(access.narrowsProviders).toBe(true);
});

const GROUPS: Parameters<typeof accessOf>[1] = {
  acme: { models: ['gpt-*', 'claude-*'], providers: ['openai', 'anthropic'] },
  search: { parent: 'acme', models: ['*-mini', 'claude-*'], endpoints: ['chat', 'images.*'] },
  wide: { parent: 'search', models: ['*'] },
};

test.each([
  ['gpt-4o-mini', 'both lists match', true],
  ['gpt-4o', "not in the group's", false],
  ['o1-mini', "not in the parent's", false],
  ['claude-opus', "in the groups', not in the key's own", false],
])('accessOf() %s: %s', (model, _, allowed) => {
  const { allowsModel } = accessOf({ ...NOTHING, group: 'wide', models: ['gpt-*', 'o1-*'] }, GROUPS);
  expect(allowsModel(model)).toBe(allowed);
  // Also when the answer is cached.
  expect(allowsModel(model)).toBe(allowed);
});

test('accessOf() lets a key narrow what its group allows, but never widen it', () => {
  const access = accessOf({ ...NOTHING, group: 'search', models: ['*'], endpoints: ['*'] }, GROUPS);
  expect(access.allowsModel('mistral')).toBe(false);
  expect(access.allowsEndpoint('images.edits')).toBe(true);
  expect(access.allowsEndpoint('embeddings')).toBe(false);
  expect(access.allowsProvider('openai')).toBe(true);
  expect(access.allowsProvider('mock')).toBe(false);
});

test('accessOf() answers correctly for more names than it caches', () => {
  const { allowsModel } = accessOf({ ...NOTHING, models: ['a*'] }, {});
  for (let index = 0; index < 1_000; index += 1) {
    expect(allowsModel(`a${index}`)).toBe(true);
    expect(allowsModel(`b${index}`)).toBe(false);
  }
  expect(allowsModel(`a${'x'.repeat(5_000)}`)).toBe(true);
});

test('groupsOf() returns the group and its parents up to the root', () => {
  expect(groupsOf('wide', GROUPS)).toEqual([
    { name: 'wide', group: GROUPS.wide! },
    { name: 'search', group: GROUPS.search! },
    { name: 'acme', group: GROUPS.acme! },
  ]);
  expect(groupsOf(undefined, GROUPS)).toEqual([]);
  expect(groupsOf('toString', GROUPS)).toEqual([]);
});
