import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { MinHasher } from '../../../../src/export/curate/near/minhash.ts';
import { cutShingles } from '../../../../src/export/curate/near/shingles.ts';
import { SIGNATURE_BYTES, VALUES } from '../../../../src/export/curate/near/signature.ts';
import { changed, estimated, generator, jaccard, shinglesOf, words } from './texts.ts';

/** The similarity of two texts by their shingles, and by their signatures. */
function compared(a: string, b: string): { truth: number; estimate: number } {
  const hasher = new MinHasher({ seed: 1 });
  return {
    truth: jaccard(shinglesOf(a), shinglesOf(b)),
    estimate: estimated(hasher.signature(a), hasher.signature(b)),
  };
}

/** Shingles as strings, computed slowly and simply, of units that are words: of up to 16 words or from 64 on. */
function plainShingles(units: readonly string[], between: string): Set<string> {
  const shingles = new Set<string>();
  // Text before the first letter is a word too, here an empty one.
  const all = ['', ...units];
  for (let at = 5; at <= all.length; at++) shingles.add(`w ${all.slice(at - 5, at).join(' ')}`);
  const text = units.join(between);
  if (all.length <= 16) for (let at = 9; at <= text.length; at++) shingles.add(`c ${text.slice(at - 9, at)}`);
  return shingles.add(`t ${units.join(' ')}`);
}

const few = fc.constantFrom('a', 'bc', 'Straße', 'x_1', 'книга', 'é');
const han = fc.constantFrom('天', '気', 'は', '東', '京', 'ไ', 'ノ');
const lengths = fc.oneof(fc.nat(15), fc.integer({ min: 63, max: 150 }));
const several = (unit: fc.Arbitrary<string>) =>
  lengths.chain((length) => fc.array(unit, { minLength: length, maxLength: length }));

/** An edit of a list, by shares of its length. */
const edits = fc.array(
  fc.record({
    kind: fc.constantFrom('cut', 'move', 'double', 'replace'),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.double({ min: 0, max: 0.3, noNaN: true }),
  }),
  { maxLength: 3 },
);
type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function edited(text: readonly string[], changes: Edits): string[] {
  let made = [...text];
  for (const { kind, from, length } of changes) {
    const at = Math.floor(from * made.length);
    const piece = made.splice(at, Math.ceil(length * made.length));
    if (kind === 'move') made = [...piece, ...made];
    if (kind === 'double') made.splice(at, 0, ...piece, ...piece);
    if (kind === 'replace') made.splice(at, 0, ...piece.map((unit) => (unit === '新' ? '旧' : '新')));
  }
  return made;
}

describe('cutShingles()', () => {
  test.each([
    ['words', few, ' '],
    ['signs of scripts without spaces', han, ''],
  ])('cuts %s as a simple implementation does', (_, unit, between) => {
    fc.assert(
      fc.property(several(unit), several(unit), edits, fc.boolean(), (a, other, changes, related) => {
        const b = related ? edited(a, changes) : other;
        // Where runs of characters are thinned out, the hash decides.
        fc.pre(b.length < 16 || b.length > 62);
        const [mine, theirs] = [a, b].map((units) => shinglesOf(units.join(between)));
        const lower = (units: string[]) => units.map((each) => each.toLowerCase());
        const [plainMine, plainTheirs] = [a, b].map((units) => plainShingles(lower(units), between));
        expect(mine!.size).toBe(plainMine!.size);
        expect(theirs!.size).toBe(plainTheirs!.size);
        expect(jaccard(mine!, theirs!)).toBe(jaccard(plainMine!, plainTheirs!));
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  test('ignores case, white space, and the layout of JSON', () => {
    const value = { Name: ['x', { deep: 'größer' }], count: 12, said: 'more than sixteen words '.repeat(20) };
    const plain = shinglesOf(JSON.stringify(value));
    expect(shinglesOf(` \n${JSON.stringify(value, null, '\t')}\u3000`)).toEqual(plain);
    expect(shinglesOf(JSON.stringify({ ...value, said: value.said.toUpperCase() }))).toEqual(plain);
    expect(shinglesOf(JSON.stringify({ ...value, count: 13 }))).not.toEqual(plain);
    expect(shinglesOf('  One\ttwo  three\n')).toEqual(shinglesOf('one two three'));
  });

  test('keeps nearly the same runs of characters in texts of nearly the same length', () => {
    const random = generator(3);
    for (let count = 14; count < 70; count++) {
      const text = words(count, random);
      expect(jaccard(shinglesOf(text.join(' ')), shinglesOf([...text, 'end'].join(' ')))).toBeGreaterThan(
        0.75,
      );
    }
  });

  test('passes on small blocks, however long the text is', () => {
    let [shingles, longest] = [0, 0];
    const blocks = new Set<Int32Array>();
    cutShingles('one two three four '.repeat(50_000), (block, count) => {
      blocks.add(block);
      shingles += count;
      longest = Math.max(longest, block.length);
    });
    // A run from each of 200,001 words but the first four, and the text.
    expect([shingles, blocks.size]).toEqual([200_001 - 4 + 1, 1]);
    expect(longest).toBeLessThanOrEqual(1_024);
  });
});

describe('MinHasher', () => {
  test('estimates the true similarity of any two texts', () => {
    const word = fc.oneof(few, han, fc.string({ minLength: 1, maxLength: 8 }), fc.nat(9_999).map(String));
    const text = fc
      .oneof(fc.nat(20), fc.nat(100), fc.nat(700))
      .chain((length) => fc.array(word, { minLength: length, maxLength: length }));
    const errors: number[] = [];
    const truths: number[] = [];
    fc.assert(
      fc.property(text, edits, (a, changes) => {
        const { truth, estimate } = compared(a.join(' '), edited(a, changes).join(' '));
        // The standard deviation is at most 0.034.
        expect(Math.abs(estimate - truth)).toBeLessThan(0.17);
        if (truth === 1) expect(estimate).toBe(1);
        errors.push(estimate - truth);
        truths.push(truth);
      }),
      { seed: 2, numRuns: 500 },
    );
    const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    expect(Math.abs(mean(errors))).toBeLessThan(0.008);
    expect(Math.sqrt(mean(errors.map((error) => error ** 2)))).toBeLessThan(0.04);
    // There were pairs of all kinds.
    for (const [from, to] of [
      [0, 0.4],
      [0.4, 0.8],
      [0.8, 1],
    ] as const)
      expect(truths.filter((truth) => truth >= from && truth < to).length).toBeGreaterThan(20);
  });

  test('distinguishes texts that are shorter than a run from all but their equals', () => {
    const hasher = new MinHasher({ seed: 1 });
    const all = [
      '',
      'a',
      'b',
      'ab',
      'a b',
      'b a',
      'no',
      'yes',
      '.',
      '42',
      '天',
      '天気',
      '🙂',
      '🚀',
      '\ud83d',
    ];
    const signatures = all.map((text) => hasher.signature(text));
    for (const [a, first] of signatures.entries())
      for (const [b, second] of signatures.entries()) {
        if (a === b) continue;
        expect([all[a], all[b], estimated(first, second) < 0.25]).toEqual([all[a], all[b], true]);
      }
    expect(estimated(hasher.signature(' \n'), hasher.signature(''))).toBe(1);
    expect(estimated(hasher.signature(' Yes\n'), hasher.signature('yes'))).toBe(1);
  });

  const emoji = Array.from({ length: 64 }, (_, index) => String.fromCodePoint(0x1f600 + index));
  const signs = Array.from({ length: 900 }, (_, index) => String.fromCharCode(0x4e00 + 7 * index));
  test.each([
    ['emoji', emoji],
    ['Chinese', signs],
  ])('compares texts that consist only of %s', (_, alphabet) => {
    const random = generator(5);
    const text = () => Array.from({ length: 120 }, () => alphabet[Math.floor(random() * alphabet.length)]!);
    const [one, other] = [text(), text()];
    const near = one.with(60, alphabet[(alphabet.indexOf(one[60]!) + 1) % alphabet.length]!);
    for (const [b, least, most] of [
      [near, 0.85, 0.99],
      [other, 0, 0.05],
    ] as const) {
      const { truth, estimate } = compared(one.join(''), b.join(''));
      expect(truth).toBeGreaterThanOrEqual(least);
      expect(truth).toBeLessThanOrEqual(most);
      expect(Math.abs(estimate - truth)).toBeLessThan(0.15);
    }
  });

  test('estimates the similarity of texts of megabytes', () => {
    const random = generator(9);
    const text = words(400_000, random);
    const other = changed(text, { at: 150_000, count: 80_000 }, random);
    const [a, b] = [text.join(' '), other.join(' ')];
    expect(a.length).toBeGreaterThan(2 * 1024 ** 2);
    const hasher = new MinHasher({ seed: 1 });
    // Of 480,000 runs of words in total, 320,000 are in both.
    expect(Math.abs(estimated(hasher.signature(a), hasher.signature(b)) - 2 / 3)).toBeLessThan(0.17);
    expect(hasher.signature(a)).toHaveLength(SIGNATURE_BYTES);
  });

  test('keeps no state from one text to the next', () => {
    const random = generator(13);
    const texts = [0, 1, 3, 20, 60, 300, 3_000].map((count) => words(count, random).join(' '));
    const alone = texts.map((text) => new MinHasher({ seed: 7 }).signature(text));
    const hasher = new MinHasher({ seed: 7 });
    for (const order of [texts, texts.toReversed(), texts])
      for (const text of order) expect(hasher.signature(text)).toEqual(alone[texts.indexOf(text)]!);
  });

  test('returns the same signatures on every machine, so that a dataset does not depend on the machine', () => {
    const hasher = new MinHasher({ seed: 0 });
    const digest = (text: string) => Bun.hash.crc32(hasher.signature(text).subarray(0, VALUES / 2));
    expect(['', 'What is this?', '東京は日本の首都です。', 'a longer text '.repeat(50)].map(digest))
      .toMatchInlineSnapshot(`
        [
          3474036825,
          2294297702,
          1523634515,
          1937590556,
        ]
      `);
  });
});
