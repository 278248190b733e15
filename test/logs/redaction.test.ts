import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Finder, searchable } from '../../src/logs/finder.ts';
import { LineBlock, lineOf } from '../../src/logs/line-block.ts';
import { REDACTED_KEYS } from '../../src/logs/redact.ts';
import { Redaction } from '../../src/logs/redaction.ts';
import { logRecord, plainRedaction } from '../helpers/log-record.ts';

function found(texts: readonly string[], block: string, length?: number): number[] {
  const bytes = Buffer.from(block);
  const memory = searchable(bytes.length);
  memory.bytes.set(bytes);
  const places: number[] = [];
  new Finder(texts).find(memory, length ?? bytes.length, (at) => places.push(at));
  return [...new Set(places)].toSorted((a, b) => a - b);
}

/** Texts of about the length of a machine word, some of which contain others. */
const texts = fc.array(fc.string({ unit: fc.constantFrom(...'ab-Z"é'), minLength: 4, maxLength: 12 }), {
  minLength: 1,
  maxLength: 8,
});
const filling = fc.string({ unit: fc.constantFrom(...'ab-z"é\n'), maxLength: 15 });

test('Finder finds every text, wherever it is', () => {
  fc.assert(
    fc.property(texts, fc.array(filling, { minLength: 2, maxLength: 6 }), (searched, between) => {
      const block = between.map((part, n) => part + (searched[n] ?? '')).join('');
      const bytes = Buffer.from(block);
      const places = found(searched, block);
      for (const text of searched) {
        const needle = Buffer.from(text);
        for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1))
          expect(places).toContain(at);
      }
    }),
    { numRuns: 500 },
  );
});

test.each(['"pin"', '"password"'])('Finder finds %s in upper and lower case', (name) => {
  const block = `{${name},${name.toUpperCase()},${name.replace('p', 'P')}}`;
  expect(found([name], block)).toEqual([0, 1, 2].map((n) => 1 + n * (name.length + 1)));
});

test('Finder searches no more than the given length', () => {
  expect(found(['secret-text', 'short'], 'x secret-text short', 12)).toEqual([]);
  expect(found(['secret-text', 'short'], 'x secret-text short', 13)).toEqual([2]);
});

test('Finder finds any of thousands of texts', () => {
  const many = Array.from({ length: 5_000 }, (_, n) => `key-${Bun.hash(`${n}`).toString(36)}`);
  for (const text of many.slice(0, 50)) expect(found(many, `some words, ${text}!`)).toContain(12);
});

/** Text that could slip between the search of bytes and the redaction of lines. */
const piece = fc.oneof(
  fc.constantFrom(...REDACTED_KEYS, ...REDACTED_KEYS.map((key) => key.toUpperCase())),
  fc.constantFrom('the-secret', 'pa"ss/wörd', 'sk-', 'Bearer ', 'abcdefghij0123456789', '{"Pin":"1"}', 'PIN'),
  fc.constantFrom('GEHEIMNÄS', 'geheimnäs', '\n', '\\', '"', 'é', '語', '\ud800', ':', ','),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const words = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));
const value = fc.oneof(words, fc.dictionary(words, words, { maxKeys: 4 }), fc.array(words, { maxLength: 3 }));
const recorded = fc
  .record({
    error: fc.option(words),
    user: fc.option(words),
    tags: fc.option(fc.dictionary(words, words, { maxKeys: 2 })),
    request: fc.option(
      value.map((each) => JSON.stringify(each)),
      { nil: undefined },
    ),
    response: fc.option(
      value.map((each) => JSON.stringify(each, null, 2)),
      { nil: undefined },
    ),
  })
  .map(logRecord);

/** Hides nothing. */
const nothing = Object.assign(new Redaction({ secrets: [], keys: [] }), { suspects: () => [] });

test.each([[['pin']], [['geheimnäs']]])(
  'redacting a block of lines gives the same as redacting each line, keys %p',
  (keys) => {
    const redaction = new Redaction({ secrets: ['the-secret', 'pa"ss/wörd', 'sk-abc'], keys });
    fc.assert(
      fc.property(fc.array(recorded, { maxLength: 6 }), (records) => {
        const block = new LineBlock(1_000_000);
        for (const each of records) expect(block.add(each)).toBe(true);
        const expected = records.map((each) => redaction.redact(lineOf(each, nothing).toString()));
        const lines = block.redacted(redaction, () => expect.unreachable('a line was lost'));
        expect(lines.toString()).toBe(expected.join(''));
      }),
      { numRuns: 300 },
    );
  },
);

test('a block accepts any record while it is empty, and reports when it is full', () => {
  const block = new LineBlock(10_000);
  const small = logRecord({ request: `"${'x'.repeat(500)}"` });
  expect(block.add(small)).toBe(true);
  expect(block.add(logRecord({ request: `"${'語'.repeat(5_000)}"` }))).toBe(false);
  block.clear();
  const large = logRecord({ request: `"${'語'.repeat(5_000)}"` });
  expect(block.add(large)).toBe(true);
  const line = block.redacted(plainRedaction, () => expect.unreachable('a line was lost')).toString();
  expect(JSON.parse(line)).toMatchObject({ request: '語'.repeat(5_000) });
});

test('a line whose redaction fails is left out, and the others are not', () => {
  const redaction = new Redaction({ secrets: ['the-secret'], keys: [] });
  Object.assign(redaction, {
    redact: (line: string) => {
      throw new RangeError(line);
    },
  });
  const block = new LineBlock(10_000);
  for (const id of ['a', 'the-secret', 'c']) block.add(logRecord({ id }));
  const lost: unknown[] = [];
  const lines = block.redacted(redaction, (line, error) => lost.push([line, (error as Error).name]));
  expect(lines.toString().match(/"id":"\w+"/g)).toEqual(['"id":"a"', '"id":"c"']);
  expect(lost).toEqual([[1, 'RangeError']]);
});
