import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  holdsInfinity,
  jsonText,
  parseRow,
  toLine,
  toLoadableLine,
  loadable,
  wellFormedJson,
} from '../../../src/export/conversation/json.ts';
import { duplicateKey } from '../../../src/export/check/keys.ts';
import { numberProblem } from '../../../src/export/check/numbers.ts';
import { parseLongNumbers } from '../../../src/wire/long-numbers.ts';

test('toLine() returns one line of well-formed JSON for any value', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud83d', 'a\udc00b', '\\ud83d', '\u2028', '__proto__'),
  );
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.integer(),
      fc.array(tie('any')),
      fc.dictionary(text, tie('any')),
    ),
  })).any;
  fc.assert(
    fc.property(value, (any) => {
      const line = toLine(any);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const parsed: unknown = JSON.parse(line);
      expect(JSON.stringify(parsed)).toBe(JSON.stringify(loadable(any)));
      expect(line.includes('\\ud') && !line.includes('\\\\ud')).toBe(false);
    }),
  );
});

test('loadable() keeps well-formed text, and a key named __proto__', () => {
  const value: unknown = JSON.parse('{"__proto__":{"a":["\\ud83d\\ude00","\\ud83d"]},"\\udc00":1,"n":null}');
  expect(JSON.stringify(loadable(value))).toBe(
    '{"__proto__":{"a":["\u{1f600}","\ufffd"]},"\ufffd":1,"n":null}',
  );
});

test('parseLongNumbers() keeps 64-bit integers as they are written, and parses everything else as JSON', () => {
  const text = '{"id":123456789012345678,"under":[-9007199254740993],"short":7,"half":0.1234567890123456789}';
  expect(toLine(parseLongNumbers(text))).toBe(
    '{"id":123456789012345678,"under":[-9007199254740993],"short":7,"half":0.12345678901234568}\n',
  );
  expect(toLine(['\ud83d', parseLongNumbers('12345678901234567')])).toBe('["\ufffd",12345678901234567]\n');
  expect(parseLongNumbers('{"a":["1234567890123456"]}')).toEqual({ a: ['1234567890123456'] });
  expect(() => parseLongNumbers('{"a":1234567890123456')).toThrow(SyntaxError);
});

test.each([
  ['9223372036854775807', true],
  ['-9223372036854775808', true],
  ['9223372036854775808', true],
  ['18446744073709551615', true],
  ['12345678901234567890', true],
  ['18446744073709551616', false],
  ['-9223372036854775809', false],
  ['123456789012345678901', false],
])('parseLongNumbers() keeps %s: %p', (text, kept) => {
  expect(toLine(parseLongNumbers(`[${text}]`)) === `[${text}]\n`).toBe(kept);
});

test.each([
  ['{"a":[1e400]}', true],
  ['{"a":-1E+999}', true],
  [`[${'9'.repeat(310)}]`, true],
  ['{"a":1e300,"b":"1e400"}', false],
  ['{"a":1e-400}', false],
])('holdsInfinity() of %s: %p', (text, beyond) => {
  expect(holdsInfinity(text)).toBe(beyond);
});

// Numbers for which datasets 5.2 reports "Value is too big" or "too small", and numbers that it accepts.
test.each([
  ['18446744073709551615', '18446744073709551615'],
  ['18446744073709551616', '1.8446744073709552e+19'],
  ['100000000000000000000', '1e+20'],
  ['999999999999999999999', '1e+21'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['-9223372036854775809', '-9.223372036854776e+18'],
  ['-100000000000000000000', '-1e+20'],
  ['1e20', '1e+20'],
  ['123456789012345678901234567890.5', '1.2345678901234568e+29'],
  ['0.5', '0.5'],
])('toLine() writes %s as %s, at any depth', (number, written) => {
  const row = { a: [{ b: parseLongNumbers(number) }], text: number };
  expect(toLine(row)).toBe(`{"a":[{"b":${written}}],"text":"${number}"}\n`);
  expect(toLine(parseRow(toLine(row)))).toBe(toLine(row));
});

test('toLoadableLine() widens computed numbers', () => {
  expect(toLoadableLine([2 ** 63, 2 ** 64, -(2 ** 63), 2 ** 53])).toBe(
    '[9223372036854776000,1.8446744073709552e+19,-9.223372036854776e+18,9007199254740992]\n',
  );
});

test.each(['\ud83d', 'a\udc00', '\ud83d\ud83d'])(
  'jsonText() stays well-formed when it is parsed: %j',
  (text) => {
    const inner = jsonText({ [text]: [{ text }] });
    expect(JSON.stringify(JSON.parse(inner))).not.toMatch(/\\ud/i);
    expect(toLine({ inner })).not.toMatch(/\\ud/i);
  },
);

test.each([
  ['{ "a":"\\ud83d", "n":1e400 }', '{ "a":"\ufffd", "n":1e400 }'],
  ['["\\ud83d\\ude00"]', '["\\ud83d\\ude00"]'],
  ['["\\\\ud83d"]', '["\\\\ud83d"]'],
  ['{"\\udc00":12345678901234567890}', '{"\ufffd":12345678901234567890}'],
  [JSON.stringify({ a: '{"b":"\\uD83D"}' }), JSON.stringify({ a: '{"b":"\ufffd"}' })],
  ['an escape such as "\\ud83d"', 'an escape such as "\\ud83d"'],
  ['"\\ud83d"', '"\\ud83d"'],
  ['{"a":"\ud83d"', '{"a":"\ufffd"'],
])('wellFormedJson() of %j', (text, expected) => {
  expect(wellFormedJson(text)).toBe(expected);
});

// On strings of this length, a regular expression silently finds nothing.
describe('a string of megabytes', () => {
  const long = 'x'.repeat(5_000_000);

  test('is made well-formed like any other', () => {
    expect(wellFormedJson(`{"a":"${long}\\ud83d","b":"\\ud83d"}`)).toBe(`{"a":"${long}\ufffd","b":"\ufffd"}`);
  });

  test('does not hide a duplicate key or a number that is too large', () => {
    expect(duplicateKey(`{"a":"${long}","b":{"c":"\\"","c":1}}`)).toBe('c');
    expect(duplicateKey(`{"a":"${long}","b":{"a":["a"]},"c":"a"}`)).toBeUndefined();
    expect(numberProblem(`{"a":"${long}","b":99999999999999999999}`)).toContain('more than 64 bits');
    expect(numberProblem(`{"a":"${long}","b":"99999999999999999999"}`)).toBeUndefined();
  });
});
