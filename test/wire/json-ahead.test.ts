import { expect, test } from 'bun:test';
import { atOnce } from '../../src/turns.ts';
import { readBefore, readingFirst } from '../../src/wire/json-ahead.ts';
import { argumentsObject, areBroken, parseExactJson, parseJson, PIECE_BOUNDS } from '../../src/wire/json.ts';
import { longestShare } from '../helpers/steps.ts';

const fields = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n])));
const LONG = fields(20_000);
const BROKEN = LONG.slice(0, -1);
const INEXACT = LONG.replace('{', '{"id":12345678901234567890,');
const TOO_MANY = fields(60_000);

test('readingFirst() does not change what is read', () => {
  const texts = [LONG, '{"a":1}', BROKEN, INEXACT, TOO_MANY, 'no JSON', '', LONG];
  const read = () =>
    texts.map((text) => [parseJson(text), parseExactJson(text), argumentsObject(text), areBroken(text)]);
  const plain = read();
  expect(atOnce(readingFirst(texts, PIECE_BOUNDS, read))).toEqual(plain);
  expect(plain.map(([value]) => value !== undefined)).toEqual([
    true,
    true,
    false,
    true,
    false,
    false,
    false,
    true,
  ]);
  expect(plain.map(([, exact]) => exact !== undefined)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    true,
  ]);
});

test('readingFirst() forgets what it read even if the work throws', () => {
  const work = () => {
    expect(readBefore(LONG)?.exact).toBe(true);
    throw new Error('stop');
  };
  expect(() => atOnce(readingFirst([LONG], PIECE_BOUNDS, work))).toThrow('stop');
  expect(readBefore(LONG)).toBeUndefined();
});

test('readingFirst() works in small steps', () => {
  const texts = Array.from({ length: 20 }, (_, n) => LONG.replace('k0', `first${n}`));
  const work = () => texts.map((text) => argumentsObject(text)).length;
  expect(longestShare(() => readingFirst(texts, PIECE_BOUNDS, work))).toBeLessThan(1 / 2);
});
