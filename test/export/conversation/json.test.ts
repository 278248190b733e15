import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  holdsInfinity,
  parseLongNumbers,
  toLine,
  wellFormed,
} from '../../../src/export/conversation/json.ts';

test('toLine() is one line of well-formed JSON for any value', () => {
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
      expect(JSON.stringify(parsed)).toBe(JSON.stringify(wellFormed(any)));
      expect(line.includes('\\ud') && !line.includes('\\\\ud')).toBe(false);
    }),
  );
});

test('wellFormed() keeps what is well-formed, and a key named __proto__', () => {
  const value: unknown = JSON.parse('{"__proto__":{"a":["\\ud83d\\ude00","\\ud83d"]},"\\udc00":1,"n":null}');
  expect(JSON.stringify(wellFormed(value))).toBe(
    '{"__proto__":{"a":["\u{1f600}","\ufffd"]},"\ufffd":1,"n":null}',
  );
});

test('parseLongNumbers() keeps whole numbers of 64 bits as they are written, and reads all else as JSON', () => {
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
  ['9223372036854775808', false],
  ['-9223372036854775809', false],
  ['12345678901234567890', false],
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
