import { describe, expect, test } from 'bun:test';
import { argumentsObject, parseExactJson } from '../../src/wire/json.ts';

describe('parseExactJson()', () => {
  test.each([
    ['{"a":1.5,"id":"218922995834555169026"}', { a: 1.5, id: '218922995834555169026' }],
    ['"\\"12345678901234567"', '"12345678901234567'],
    ['123456789012345', 123_456_789_012_345],
    ['218922995834555169026', undefined],
    ['{"id":1234567890123456789}', undefined],
    ['1e400', undefined],
    ['plain', undefined],
  ])('parses %s only if it can represent the numbers exactly', (text, value) => {
    expect(parseExactJson(text)).toEqual(value);
  });
});

describe('argumentsObject()', () => {
  test.each([
    ['{"a":1}', { a: 1 }],
    ['', {}],
    [undefined, {}],
    ['[]', {}],
    ['[1]', undefined],
    ['{"a', undefined],
    ['null', undefined],
  ])('parses %p only if it is an object, or empty', (text, value) => {
    expect(argumentsObject(text)).toEqual(value);
  });
});
