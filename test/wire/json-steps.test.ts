import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JsonBounds } from '../../src/wire/json-bounds.ts';
import { atOnce } from '../../src/turns.ts';
import { concatInSteps, decodeInSteps, decodeStrictly, encodeInSteps } from '../../src/wire/bytes.ts';
import { parseJson } from '../../src/wire/json.ts';
import { TooComplex, TooLong } from '../../src/wire/json-bounds.ts';
import { parseInSteps } from '../../src/wire/json-steps.ts';
import { stringifyInSteps, writeBody } from '../../src/wire/json-write.ts';
import { longestShare } from '../helpers/steps.ts';

const BOUNDS: JsonBounds = {
  maxDepth: 100,
  maxValues: Infinity,
  maxFields: Infinity,
  maxObjectFields: Infinity,
};
/** A small piece size, so that texts do not need megabytes to be parsed in pieces. */
const PIECE = 64 * 1024;
const parse = (text: string, bounds: Partial<JsonBounds> = {}) =>
  atOnce(parseInSteps(text, { ...BOUNDS, ...bounds }, PIECE));

/** The value, or the class of the error that was thrown. */
function tried(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return (error as Error).constructor;
  }
}

/** Longer than a piece, so that everything around it is parsed in pieces. */
const LONG = JSON.stringify('x'.repeat(70_000));
const HUGE = JSON.stringify(`${'é"\\\n'.repeat(200_000)}\u{1f600}${'\ud800'.repeat(50_000)}`);
const GAP = ' \n\t\r'.repeat(50_000);
const many = (count: number, member: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => member(n)).join(',');

describe('parseInSteps(), like JSON.parse(),', () => {
  test.each([
    ['a small object', '{"a":[1,2,{"b":null}],"c":"\\u0041"}'],
    ['a text', '"abc"'],
    ['a number', ' -1.5e3 '],
    ['many objects', `{"messages":[${many(20_000, (n) => `{"role":"user","content":"${n}"}`)}]}`],
    ['many fields', `{${many(20_000, (n) => `"k${n % 9_999}" : ${n}`)}}`],
    ['lists in lists', `[[${many(30_000, () => '[1,[2]]')}],[[[${many(30_000, () => 'true')}]]]]`],
    ['names that are special in objects', `{"a":${LONG},"__proto__":{"x":${LONG},"y":[1]},"b":1}`],
    ['duplicate names', `{"a":[${LONG},1],"a":[${LONG},2],"b":${LONG},"a":3}`],
    ['a text of megabytes', `{"a":[${HUGE},1],"b":${HUGE}}`],
    ['a text of megabytes without escapes', `{"a":"${'x'.repeat(2_000_000)}","b":[1]}`],
    ['a text of escapes', `["${String.raw`\u00e9`.repeat(300_000)}${String.raw`\\`.repeat(900_000)}"]`],
    ['white space', `{ "a" :\n[${' '.repeat(70_000)}1 ,\t{ } , [ ]${' '.repeat(70_000)}] } \r\n`],
    ['empty lists and objects after a long text', `[${LONG},[],{},[[]],${LONG}]`],
    ['a text of megabytes alone', ` ${HUGE}\n`],
    [
      'long blanks everywhere',
      ['', '{', '"a"', ':', '[', '1', ',', 'true', ']', ',', '"b"', ':', LONG, '}'].join(GAP),
    ],
    ['long blanks before a text of megabytes', `[1,${GAP}${HUGE}${GAP},{"a"${GAP}:${GAP}${HUGE}}${GAP},2]`],
    ['long blanks around what is empty', `[${GAP}[${GAP}]${GAP},{${GAP}}${GAP}]`],
    ['a name of a megabyte', `{"a":1,"${'n'.repeat(1_000_000)}":{"b":[${LONG},2]}}`],
    ['long names in each other', `${`{"${'n'.repeat(200_000)}":`.repeat(20)}1${'}'.repeat(20)}`],
  ])('parses %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('parses the name __proto__ as an own property', () => {
    const value = parse(`{"a":${LONG},"b":${LONG},"__proto__":{"x":1}}`) as object;
    expect([Object.hasOwn(value, '__proto__'), Object.getPrototypeOf(value)]).toEqual([
      true,
      Object.prototype,
    ]);
  });

  test.each([
    ['nothing', ''],
    ['a comma too many', '[1,]'],
    ['no comma', '{"a":1 "b":2}'],
    ['two commas', '[1,,2]'],
    ['the wrong bracket', '{"a":[1}'],
    ['more behind the end', '{"a":1}{'],
    ['a text without an end', '{"a":"x'],
    ['a name without a value', '{"a":}'],
    ['no name', '{[1]}'],
    ['an end too many', '[1]]'],
    ['a control character', '["\u0001"]'],
  ])('refuses %s, long or short', (_, text) => {
    expect(tried(() => parse(text))).toBe(SyntaxError);
    // The same within a value that is parsed in pieces.
    const long = `[${LONG},${LONG},${text},${LONG}]`;
    expect(tried(() => parse(long))).toBe(SyntaxError);
    expect(tried(() => parse(`{"a":${LONG},"b":${LONG},"c":${text},"d":${LONG}}`))).toBe(SyntaxError);
  });

  test.each([
    ['a comma too many', `[${LONG},]`],
    ['a comma too many in an object', `{"a":${LONG},}`],
    ['two commas', `[${LONG},,${LONG}]`],
    ['no comma behind a list', `[[${LONG},1] 2]`],
    ['no comma behind a list, and one later', `[[${LONG},1] 2,3]`],
    ['no comma between lists', `[[${LONG},1] [${LONG},2]]`],
    ['no comma between a list and a long text', `[[${LONG},1] ${HUGE}]`],
    ['no comma behind an object', `{"a":{"b":${LONG},"c":1} "d":1}`],
    ['a name in a list', `[${LONG},"a":[${LONG},1]]`],
    ['no name in an object', `{"a":${LONG},[${LONG},1]}`],
    ['something before the beginning', `1[${LONG},1]`],
    ['something before a text of megabytes', `1${HUGE}`],
    ['something behind a text of megabytes', `${HUGE}1`],
    ['a name in a list before a text of megabytes', `["a":${HUGE}]`],
    ['two numbers with blanks between them', `[1${GAP}2,${LONG}]`],
    ['a list without a comma behind long blanks', `[[${LONG},1]${GAP}2]`],
    ['what is no blank', `[1,${GAP}\u00a0${GAP}2]`],
    ['a word without an end', `{"a":${'x'.repeat(2_000_000)}}`],
  ])('refuses %s in a text that is parsed in pieces', (_, text) => {
    expect(tried(() => parse(text))).toBe(SyntaxError);
  });

  test('parses or refuses any sequence of tokens', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"a"',
      '"b":',
      '1',
      ' ',
      LONG,
      `${LONG}:`,
      '[1]',
      '{"x":2}',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        expect(tried(() => parse(text))).toEqual(tried(() => JSON.parse(text)));
      }),
      { numRuns: 1_500 },
    );
  });

  test('parses any value', () => {
    const value = fc.jsonValue({ maxDepth: 6 });
    fc.assert(
      fc.property(
        value,
        fc.array(value, { maxLength: 5 }),
        fc.constantFrom(undefined, 1, '\t'),
        (one, others, space) => {
          const text = JSON.stringify(
            [one, 'x'.repeat(70_000), { one, y: 'y'.repeat(70_000), others }, one],
            null,
            space,
          );
          expect(parse(text)).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('parseInSteps() with limits', () => {
  test.each([
    ['maxDepth', '[[[1]]]', 3],
    ['maxDepth', `{"a":{"b":[${LONG}]}}`, 3],
    // A list, its first value, and one for each comma.
    ['maxValues', '[1,2,{"a":[]},4]', 6],
    ['maxFields', '[{},{"a":1,"b":{"c":2}}]', 6],
    ['maxObjectFields', '[{"a":{"b":1,"c":2},"d":3,"e":4},{"f":5}]', 3],
    ['maxObjectFields', `{"a":1,"b":{"c":${LONG}},"d":3}`, 3],
  ] as const)('enforces %s in %s', (bound, text, size) => {
    expect(parse(text, { [bound]: size })).toEqual(JSON.parse(text));
    const refused = () => parse(text, { [bound]: size - 1 });
    expect(refused).toThrow(TooComplex);
    expect(refused).toThrow(bound);
  });

  test('ignores characters within strings', () => {
    expect(parse('{"a":"[[[{{{,,,:::"}', { maxDepth: 1, maxValues: 1, maxFields: 2 })).toEqual({
      a: '[[[{{{,,,:::',
    });
    const bounds = { maxDepth: 1, maxValues: 100, maxFields: 100 };
    expect(parse('{"a":"]]]}}}"}', bounds)).toEqual({ a: ']]]}}}' });
    expect(() => parse('{"a":["]]]}}}"]}', bounds)).toThrow(TooComplex);
  });
});

test.each([
  [
    'a name of more than a megabyte',
    `{"a":1,"${'n'.repeat(1_100_000)}":1}`,
    'a name of more than 1048576 characters',
  ],
  [
    'such a name of escapes',
    `{"${String.raw`\n`.repeat(1_100_000)}":1}`,
    'a name of more than 1048576 characters',
  ],
  ['a long number', `[1,-${'1'.repeat(70_000)}]`, 'a number of more than 65536 characters'],
  ['a long number alone', '1'.repeat(70_000), 'a number of more than 65536 characters'],
])('parseInSteps() reports what is too long: %s', (_, text, words) => {
  const refused = () => parse(text);
  expect(refused).toThrow(TooLong);
  expect(refused).toThrow(words);
});

const ESCAPES = String.raw`\n`.repeat(4_000_000);
const QUOTES = String.raw`\"`.repeat(30_000);

/** A single step can take half of the total time; work that is done at once takes nearly all of it. */
test.each([
  ['blanks in a list', `[1,${' '.repeat(16_000_000)}2]`],
  ['blanks in an object', `{"a"${' '.repeat(8_000_000)}:${' '.repeat(8_000_000)}2}`],
  ['blanks at the end of an object', `{"a":[1]${' '.repeat(16_000_000)}}`],
  ['a text of escapes alone', `"${ESCAPES}"`],
  ['a text of escapes', `{"a":"${ESCAPES}"}`],
  ['texts of escapes', `[${many(16, () => `"${ESCAPES.slice(0, 500_000)}"`)}]`],
  ['names of escapes', `{${many(16, (n) => `"${n}${ESCAPES.slice(0, 500_000)}":1`)}}`],
  ['names of escapes in each other', `${`{"${ESCAPES.slice(0, 500_000)}":`.repeat(16)}1${'}'.repeat(16)}`],
  ['texts of quotes', `[${many(200, () => `"${QUOTES}"`)}]`],
  ['a text of backslashes', `{"a":"${String.raw`\\`.repeat(4_000_000)}"}`],
  ['rows of backslashes', `{"a":"${`${String.raw`\\`.repeat(500)}\\"`.repeat(8_000)}"}`],
  ['distinct names', `{${many(200_000, (n) => `"name ${n}":1`)}}`],
  ['many numbers', `[${many(1_000_000, (n) => `${n}.5`)}]`],
])('parseInSteps() works in small steps: %s', (_, text) => {
  expect(longestShare(() => parseInSteps(text, BOUNDS))).toBeLessThan(1 / 2);
});

test.each([
  ['many values', `[${many(400_000, () => '{}')}]`],
  ['escapes', `{"a":"${String.raw`\n`.repeat(4_000_000)}"}`],
  ['quotes', `{"a":"${String.raw`\"`.repeat(500_000)}"}`],
  ['backslashes', `{"a":"${String.raw`\\`.repeat(4_000_000)}"}`],
  ['white space', `[${' '.repeat(8_000_000)}]`],
])('parseInSteps() pauses within %s', (_, text) => {
  expect(Array.from(parseInSteps(text, BOUNDS)).length).toBeGreaterThan(6);
});

test('parseJson() returns undefined for values that are too deep or have too many elements', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(parseJson(nested(512))).toBeDefined();
  expect(parseJson(nested(513))).toBeUndefined();
  expect(parseJson(nested(200_000))).toBeUndefined();
  expect(parseJson(`[${many(99_000, () => '1')}]`)).toBeDefined();
  expect(parseJson(`[${many(101_000, () => '1')}]`)).toBeUndefined();
});

describe('stringifyInSteps() writes the same as JSON.stringify()', () => {
  test('for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
        expect(atOnce(stringifyInSteps(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  test('for long texts, long lists and undefined values', () => {
    const list = Array.from({ length: 5_000 }, (_, n) => n / 7);
    const text = `${'a'.repeat(4 * 1024 * 1024 - 1)}\u{1f600}"\ud800`;
    const value = {
      text,
      list,
      none: undefined,
      deep: [[list, undefined, null, { a: undefined }]],
      empty: {},
    };
    expect(atOnce(stringifyInSteps(value)) === JSON.stringify(value)).toBe(true);
    expect(Array.from(stringifyInSteps(value)).length).toBeGreaterThan(4);
  });
});

test.each<[string, unknown]>([
  ['texts of escapes', Array.from({ length: 8 }, () => ({ text: '\n'.repeat(1_000_000) }))],
  ['a text of escapes', { text: '\n'.repeat(8_000_000) }],
  ['many small objects', Array.from({ length: 200_000 }, (_, n) => ({ role: 'user', content: `${n}` }))],
  ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, { n }]))],
  ['what lies deep', Array.from({ length: 40 }).reduce((inner) => [inner], Array(1_000_000).fill(0.5))],
])('writeBody() works in small steps: %s', (_, value) => {
  expect(longestShare(() => writeBody(value as object))).toBeLessThan(1 / 2);
});

test('writeBody() writes long values as bytes and short ones as text', () => {
  const short = { list: [1, 'é', null, { b: [] }] };
  expect(atOnce(writeBody(short))).toBe(JSON.stringify(short));
  const value = { text: 'é\u{1f600}"\\\ud800'.repeat(200_000), ...short };
  const bytes = atOnce(writeBody(value));
  expect(new TextDecoder().decode(bytes as Uint8Array) === JSON.stringify(value)).toBe(true);
});

describe('encodeInSteps() and decodeInSteps()', () => {
  const text = `${'a'.repeat(4 * 1024 * 1024 - 1)}\u{1f600}é`;

  test('convert long texts to bytes and back', () => {
    const bytes = atOnce(encodeInSteps(text));
    expect(Buffer.compare(bytes, Buffer.from(text))).toBe(0);
    expect(atOnce(decodeInSteps(bytes, true)) === text).toBe(true);
    const longer = Buffer.concat(Array<Uint8Array>(9).fill(bytes));
    expect(atOnce(decodeInSteps(longer, true)) === text.repeat(9)).toBe(true);
  });

  test('refuse invalid UTF-8, or replace it', () => {
    const bytes = Buffer.from([0x61, 0xff]);
    expect(() => atOnce(decodeInSteps(bytes, true))).toThrow(TypeError);
    expect(atOnce(decodeInSteps(bytes, false))).toBe('a\ufffd');
  });

  test('refuse long invalid UTF-8 without decoding it, or replace it in small steps', () => {
    // Characters of three bytes, which no size of a step divides.
    const bytes = Buffer.concat([Buffer.from('€'.repeat(1_500_000)), Buffer.from([0xc3])]);
    expect(() => decodeInSteps(bytes, true).next()).toThrow('expected valid UTF-8');
    expect(() => decodeStrictly(bytes)).toThrow('expected valid UTF-8');
    expect(decodeStrictly(bytes.subarray(0, -1)) === '€'.repeat(1_500_000)).toBe(true);
    const steps = decodeInSteps(bytes, false);
    let count = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) count += 1;
    expect(count).toBeGreaterThanOrEqual(8);
    expect(step.value === `${'€'.repeat(1_500_000)}\ufffd`).toBe(true);
  });
});

test('concatInSteps() joins all pieces in order', () => {
  const pieces = [1, 0, 5 * 1024 * 1024, 3, 9 * 1024 * 1024].map((length, n) =>
    new Uint8Array(length).fill(n),
  );
  const steps = concatInSteps(pieces);
  expect(Buffer.compare(atOnce(steps), Buffer.concat(pieces))).toBe(0);
  expect(Array.from(concatInSteps(pieces)).length).toBeGreaterThan(2);
});

test.each([
  ['before', (blanks: string) => `${blanks}{"a":1}`],
  ['after', (blanks: string) => `{"a":1}${blanks}`],
])('parseInSteps() pauses within megabytes of white space %s a value', (_, text) => {
  const steps = parseInSteps(text(' \n\r\t'.repeat(1024 * 1024)), BOUNDS);
  let pauses = 0;
  for (;;) {
    const { done, value } = steps.next();
    if (done) {
      expect(value).toEqual({ a: 1 });
      break;
    }
    pauses += 1;
  }
  expect(pauses).toBeGreaterThan(2);
});
