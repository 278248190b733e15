/** Calls whose arguments Vertex AI streams, in pieces by their paths. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { CallPieces } from '../../src/wire/gemini/call-pieces.ts';

const piece = (partialArgs: readonly object[], willContinue = true): JsonObject => ({
  functionCall: { partialArgs, ...(willContinue ? { willContinue } : {}) },
});
const text = (jsonPath: string, stringValue: string, willContinue = true) => ({
  jsonPath,
  stringValue,
  ...(willContinue ? { willContinue } : {}),
});
const BEGIN = { functionCall: { name: 'f', willContinue: true }, thoughtSignature: 'c2ln' };

function whole(...parts: readonly JsonObject[]): JsonObject[] {
  const pieces = new CallPieces();
  const complete = parts.flatMap((part) => pieces.push(part));
  expect(pieces.isOpen).toBe(false);
  return complete;
}

/** The arguments of a call with these values. */
const argsOf = (...values: readonly object[]) => {
  const [part] = whole(BEGIN, ...values.map((value) => piece([value])), { functionCall: {} });
  return (part!.functionCall as JsonObject).args;
};

test('a call is complete with the part that does not continue, and keeps its signature', () => {
  const parts = [
    BEGIN,
    piece([text('$.city', 'Par')]),
    piece([text('$.city', 'is', false)]),
    piece([], false),
  ];
  expect(whole(...parts)).toEqual([
    { functionCall: { name: 'f', args: { city: 'Paris' } }, thoughtSignature: 'c2ln' },
  ]);
  const pieces = new CallPieces();
  expect(parts.slice(0, -1).flatMap((part) => pieces.push(part))).toEqual([]);
  expect(pieces.isOpen).toBe(true);
});

test('a call ends with the beginning of the next one, and whole calls pass', () => {
  const next = { functionCall: { name: 'g', args: { a: 1 } } };
  const bare = { functionCall: { name: 'h' } };
  expect(whole(BEGIN, piece([text('$.a', 'x')]), next, bare)).toEqual([
    { ...BEGIN, functionCall: { name: 'f', args: { a: 'x' } } },
    next,
    bare,
  ]);
});

test('a piece without a call is ignored', () => {
  expect(whole(piece([text('$.a', 'x')]), { functionCall: {} })).toEqual([]);
});

describe('arguments', () => {
  test.each<[string, readonly object[], unknown]>([
    [
      'of all types',
      [
        { jsonPath: '$.n', numberValue: 0.5 },
        { jsonPath: '$.b', boolValue: false },
        { jsonPath: '$.z', nullValue: 'NULL_VALUE' },
        { jsonPath: '$.s', stringValue: '' },
      ],
      { n: 0.5, b: false, z: null, s: '' },
    ],
    [
      'in lists and objects',
      [
        text('$.list[0].name', 'a', false),
        text('$.list[1].name', 'b', false),
        text('$.grid[0][0]', 'c', false),
        text('$.grid[0][1]', 'd', false),
      ],
      { list: [{ name: 'a' }, { name: 'b' }], grid: [['c', 'd']] },
    ],
    [
      'with quoted names',
      [text("$['a b'].c", 'x', false), text('$["d\\"e"]', 'y', false)],
      { 'a b': { c: 'x' }, 'd"e': 'y' },
    ],
    [
      'replaced unless the text goes on',
      [text('$.a', 'old', false), text('$.a', 'new', false)],
      { a: 'new' },
    ],
    ['beyond a gap in a list', [text('$.list[5]', 'x', false)], { list: [] }],
    ['within what was a text', [text('$.a', 'x', false), text('$.a.b', 'y', false)], { a: { b: 'y' } }],
    [
      'at no path',
      [text('', 'x'), text('$', 'x'), text('a.b', 'x'), text('$[0]', 'x'), text('$.a[', 'x')],
      {},
    ],
    ['too deep', [text(`$${'.a'.repeat(65)}`, 'x')], {}],
  ])('%s', (_, values, expected) => {
    expect(argsOf(...values)).toEqual(expected);
  });

  test('named as members of all objects are fields like any other', () => {
    const args = argsOf(text('$.__proto__.polluted', 'x', false), text('$.constructor', 'y', false));
    expect(JSON.stringify(args)).toBe('{"__proto__":{"polluted":"x"},"constructor":"y"}');
    expect(({} as JsonObject).polluted).toBeUndefined();
  });
});
