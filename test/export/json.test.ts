import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { toLine, wellFormed } from '../../src/export/json.ts';

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
