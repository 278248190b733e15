import { expect, test } from 'bun:test';
import { accessOf, groupsOf } from '../../src/limits/access.ts';

const NOTHING = { group: undefined, models: undefined, endpoints: undefined, providers: undefined };

test('accessOf() allows everything where nothing is listed', () => {
  const access = accessOf(NOTHING, {});
  expect(access.allowsModel('any')).toBe(true);
  expect(access.allowsEndpoint('chat')).toBe(true);
  expect(access.allowsProvider('any')).toBe(true);
  expect(access.narrowsProviders).toBe(false);
});

test('accessOf() allows nothing where a list is empty', () => {
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
  ['gpt-4o-mini', 'both lists fit', true],
  ['gpt-4o', "not in the group's", false],
  ['o1-mini', "not in the parent's", false],
  ['claude-opus', "in the groups', not in the key's own", false],
])('accessOf() %s: %s', (model, _, allowed) => {
  const { allowsModel } = accessOf({ ...NOTHING, group: 'wide', models: ['gpt-*', 'o1-*'] }, GROUPS);
  expect(allowsModel(model)).toBe(allowed);
  // Also when it is remembered.
  expect(allowsModel(model)).toBe(allowed);
});

test('accessOf() lets a key narrow what its group allows, and never widen it', () => {
  const access = accessOf({ ...NOTHING, group: 'search', models: ['*'], endpoints: ['*'] }, GROUPS);
  expect(access.allowsModel('mistral')).toBe(false);
  expect(access.allowsEndpoint('images.edits')).toBe(true);
  expect(access.allowsEndpoint('embeddings')).toBe(false);
  expect(access.allowsProvider('openai')).toBe(true);
  expect(access.allowsProvider('mock')).toBe(false);
});

test('accessOf() answers right for more names than it remembers', () => {
  const { allowsModel } = accessOf({ ...NOTHING, models: ['a*'] }, {});
  for (let index = 0; index < 1_000; index += 1) {
    expect(allowsModel(`a${index}`)).toBe(true);
    expect(allowsModel(`b${index}`)).toBe(false);
  }
  expect(allowsModel(`a${'x'.repeat(5_000)}`)).toBe(true);
});

test('groupsOf() goes from the group to the root', () => {
  expect(groupsOf('wide', GROUPS)).toEqual([
    { name: 'wide', group: GROUPS.wide! },
    { name: 'search', group: GROUPS.search! },
    { name: 'acme', group: GROUPS.acme! },
  ]);
  expect(groupsOf(undefined, GROUPS)).toEqual([]);
  expect(groupsOf('toString', GROUPS)).toEqual([]);
});
