import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { KeySearch } from '../../src/wire/json-twice.ts';

function keyGivenTwice(text: string): string | undefined {
  const search = new KeySearch(text);
  while (!search.read());
  return search.found;
}

test.each([
  ['{}', undefined],
  ['[1, "a", "a"]', undefined],
  ['{"a": "a", "b": ["a", {"a": {"a": 1}}, {"a": 2}], "c": "\\"a\\": "}', undefined],
  ['{"a": 1, "a": 2}', 'a'],
  ['{"a": 1, "\\u0061": 2}', 'a'],
  ['{"x": [{"b": "}", "c": {}, "b": []}]}', 'b'],
  ['{"\\\\": 1, "\\"": 2, "\\\\": 3}', '\\'],
])('KeySearch finds in %s the key %p', (text, key) => {
  expect(keyGivenTwice(text)).toBe(key);
});

test('KeySearch finds nothing in what JSON.stringify() writes, and every key that is written again', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, which) => {
      const text = JSON.stringify(value);
      expect(keyGivenTwice(text)).toBeUndefined();
      const keys = Object.keys(value);
      const key = keys[which % keys.length]!;
      expect(keyGivenTwice(`${text.slice(0, -1)},${JSON.stringify(key)}:null}`)).toBe(key);
    }),
  );
});

test('KeySearch finds the key among any number of others', () => {
  for (const count of [1, 31, 32, 33, 34, 500]) {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, []])),
    );
    expect(keyGivenTwice(text)).toBeUndefined();
    for (const key of ['k0', `k${count - 1}`])
      expect(keyGivenTwice(`${text.slice(0, -1)},"${key}":0}`)).toBe(key);
  }
});

test('KeySearch refuses more keys than it compares', () => {
  const many = Object.fromEntries(Array.from({ length: 200_001 }, (_, index) => [index, 0]));
  expect(() => keyGivenTwice(JSON.stringify(many))).toThrow('too many fields');
});

test.each([
  ['numbers', `{"a":[${'1,'.repeat(2_000_000)}1]}`],
  ['white space', `{"a":${' '.repeat(4_000_000)}1}`],
  ['escaped quotes', `{"a":"${'\\"'.repeat(2_000_000)}"}`],
  ['a run of backslashes', `{"a":"${'\\'.repeat(4_000_000)}"}`],
  ['runs of backslashes', `{"a":"${`${'\\'.repeat(1_001)}"`.repeat(4_000)}"}`],
  ['short strings', `{"a":[${'"",'.repeat(1_000_000)}1]}`],
  ['keys', `[${'{"a":1,"b":2},'.repeat(90_000)}1]`],
])('KeySearch pauses while it reads %s', (_, text) => {
  let pauses = 0;
  const search = new KeySearch(text);
  while (!search.read()) pauses += 1;
  expect(search.found).toBeUndefined();
  expect(pauses).toBeGreaterThan(10);
});
