/** The configuration as YAML, written in steps. */
import { expect, test } from 'bun:test';
import { atOnce } from '../../src/turns.ts';
import { yamlText } from '../../src/server/page/yaml-text.ts';

const same = (part: unknown) => part;
const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

const SHORT = {
  providers: [{ name: 'a', models: ['x', '*'] }],
  'a: b': { c: null, d: [] },
  text: 'two\n\nlines',
};
const LONG = {
  ...SHORT,
  auth: {
    issuers: [],
    keys: many(9_000, (n) => ({ name: `key-${n}`, note: 'two\n\nlines', limits: [{ n }] })),
  },
  models: Object.fromEntries(many(9_000, (n) => [`name ${n}: x`, [`m${n}`]])),
  last: { text: 'x'.repeat(300_000) },
};

test.each([
  ['a short value', SHORT],
  ['a long value', LONG],
  ['an empty one', {}],
])('yamlText() writes %s as Bun does', (_, value) => {
  const text = atOnce(yamlText(value, same));
  expect(Bun.YAML.parse(text) ?? {}).toEqual(value);
  if (Object.keys(value).length > 0) expect(text).toBe(Bun.YAML.stringify(value, null, 2));
});

test('yamlText() writes long lists and objects in steps, wherever they are', () => {
  let longest = 0;
  const shown = (part: unknown) => {
    longest = Math.max(longest, JSON.stringify(part).length);
    return part;
  };
  const { auth, models } = LONG;
  const text = atOnce(yamlText({ auth, deep: { deeper: { models } } }, shown));
  expect(Bun.YAML.parse(text)).toEqual({ auth, deep: { deeper: { models } } });
  expect(longest).toBeLessThan(JSON.stringify(auth).length / 4);
});
