import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { JsonCursor } from '../../src/logs/json-cursor.ts';
import { JsonKeys } from '../../src/logs/json-keys.ts';

/** Whether the text is exactly one value. A line end follows it, as in a log. */
function isValue(text: string): boolean {
  const block = Buffer.from(`${text}\n`);
  const cursor = new JsonCursor(block);
  return cursor.value() && cursor.at === block.length - 1;
}

/** The names of all fields. */
function namesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(namesOf)];
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('JsonCursor', () => {
  test('accepts everything that JSON.stringify writes without numeric escapes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent).replaceAll('\n', ' ');
        fc.pre(namesOf(value).every((name) => !JSON.stringify(name).includes('\\')));
        // A backslash that is itself escaped begins no other escape.
        expect(isValue(text)).toBe(!text.replaceAll('\\\\', '').includes('\\u'));
      }),
    );
  });

  test('rejects invalid JSON', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '-',
      '0',
      '1',
      '.',
      'e',
      'null',
      'tru',
      ' ',
      '\t',
      '\u0001',
      '"a":',
    );
    const spoiled = fc
      .tuple(fc.jsonValue(), fc.nat(), fc.nat(3), pieces)
      .map(([value, at, length, piece]) => {
        const text = JSON.stringify(value);
        const from = at % text.length;
        return text.slice(0, from) + piece + text.slice(from + length);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          spoiled,
          fc.array(pieces).map((all) => all.join('')),
        ),
        (text) => {
          if (isValue(text)) expect(parses(text)).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('string() finds each byte that ends a string or begins an escape, at any position in memory', () => {
    const [quote, backslash] = [0x22, 0x5c];
    for (let shift = 0; shift < 4; shift++)
      for (let place = 0; place < 9; place++)
        for (let byte = 0; byte < 256; byte++) {
          const memory = Buffer.from(`${' '.repeat(shift)}"${'\x7f\xe9'.repeat(8)}"\n`, 'latin1');
          const cursor = new JsonCursor(memory.subarray(shift));
          memory[shift + 1 + place] = byte;
          expect(cursor.string()).toBe(byte >= 0x20);
          if (byte < 0x20) continue;
          expect(cursor.to).toBe(byte === quote ? 1 + place : 17);
          expect(cursor.escaped).toBe(byte === backslash);
          expect(cursor.unusual).toBe(byte === backslash);
        }
  });

  test('rejects values that are nested deeper than any that a log writer produces', () => {
    expect(isValue('['.repeat(60) + ']'.repeat(60))).toBe(true);
    expect(isValue('['.repeat(100_000) + ']'.repeat(100_000))).toBe(false);
  });
});

describe('JsonKeys', () => {
  test('distinguishes its words from all others', () => {
    const keys = new JsonKeys(['role', 'content', '']);
    const of = (word: string) =>
      keys.of(Buffer.from(`"${word}"`), { from: 1, to: 1 + Buffer.byteLength(word) });
    for (const word of ['role', 'content', ''] as const) expect(of(word)).toBe(word);
    // The first has the same hash as "role".
    for (const word of ['sPle', 'Role', 'roles', 'rol', 'größe']) expect(of(word)).toBeUndefined();
  });

  test('finds each word, whatever was found before it', () => {
    const words = ['role', 'content', 'rule', ''] as const;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words, 'sPle', 'contend', 'co'), { maxLength: 30 }),
        (asked) => {
          const keys = new JsonKeys(words);
          const found = asked.map((word) => keys.of(Buffer.from(word), { from: 0, to: word.length }));
          expect(found).toEqual(asked.map((word) => words.find((known) => known === word)));
        },
      ),
    );
  });

  test('rejects words that it could not distinguish', () => {
    expect(() => new JsonKeys(['role', 'role'])).toThrow('Cannot tell role from another word');
  });
});
