import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Conversation } from '../../../../src/export/conversation/conversation.ts';
import { NearIndex } from '../../../../src/export/curate/near/index.ts';
import { MinHasher } from '../../../../src/export/curate/near/minhash.ts';
import {
  countShared,
  SIGNATURE_BYTES,
  SIGNATURE_WORDS,
  VALUES,
} from '../../../../src/export/curate/near/signature.ts';
import { nearText } from '../../../../src/export/curate/near/text.ts';

/** Random numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const wordOf = (random: () => number) => Math.floor(random() * 2e9).toString(36);

function textOf(words: number, random: () => number): string[] {
  return Array.from({ length: words }, () => wordOf(random));
}

/** The words with a share of them replaced, spread evenly. */
function changed(words: readonly string[], part: number, random: () => number): string[] {
  return words.map((word) => (random() < part ? wordOf(random) : word));
}

/** The similarity of two texts according to their signatures, corrected for values that are equal by chance. */
function estimated(a: Uint8Array, b: Uint8Array): number {
  const words = (bytes: Uint8Array) => new Int32Array(bytes.slice().buffer, 0, SIGNATURE_WORDS);
  const part = countShared(words(a), 0, words(b), 0) / VALUES;
  return (part - 1 / 16) / (15 / 16);
}

/** Two texts of `size` words with this similarity: a text has about as many shingles as words. */
function pairOf(similarity: number, size: number, random: () => number): [string, string] {
  // Two texts of n words that share the first s have about s of 2n - s shingles in common.
  const shared = Math.round((2 * size * similarity) / (1 + similarity));
  const same = textOf(shared, random);
  const rest = () => textOf(size - shared, random);
  return [[...same, ...rest()].join(' '), [...same, ...rest()].join(' ')];
}

describe('MinHasher', () => {
  test.each([0, 0.25, 0.5, 0.8, 0.95, 1])('estimates a similarity of %p', (similarity) => {
    const random = generator(7);
    const hasher = new MinHasher({ seed: 1 });
    const estimates = Array.from({ length: 60 }, () => {
      const [a, b] = pairOf(similarity, 400, random);
      return estimated(hasher.signature(a), hasher.signature(b));
    });
    const mean = estimates.reduce((sum, each) => sum + each, 0) / estimates.length;
    // The standard deviation of one estimate is at most 0.034, that of the mean of 60 at most 0.005.
    expect(Math.abs(mean - similarity)).toBeLessThan(0.03);
    for (const each of estimates) expect(Math.abs(each - similarity)).toBeLessThan(0.2);
  });

  test('returns the same signature for the same text and seed, and a different one for another seed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.nat(), (text, seed) => {
        const hasher = new MinHasher({ seed });
        const first = hasher.signature(text);
        hasher.signature(`something else ${text}`);
        expect(hasher.signature(text)).toEqual(first);
        expect(first).toHaveLength(SIGNATURE_BYTES);
      }),
    );
    const text = textOf(50, generator(1)).join(' ');
    const signatures = [1, 2].map((seed) => new MinHasher({ seed }).signature(text));
    expect(estimated(signatures[0]!, signatures[1]!)).toBeLessThan(0.3);
  });

  test.each([
    ['an empty text', ''],
    ['a letter', 'a'],
    ['two words', 'good morning'],
    ['Chinese', '今天天气很好，我们去公园散步吧。'.repeat(4)],
    ['emoji', '🙂🚀👩‍👩‍👧‍👦🇩🇪'.repeat(5)],
    ['half of a surrogate pair', 'a \ud83d b'],
    ['four million letters', 'many words '.repeat(400_000)],
  ])('accepts %s', (_, text) => {
    const hasher = new MinHasher({ seed: 3 });
    expect(estimated(hasher.signature(text), hasher.signature(text))).toBe(1);
  });

  test.each([
    ['case and spaces', 'The quick  brown fox\njumps over it', 'the quick brown fox jumps over it', 1, 1],
    ['other words', 'the quick brown fox jumps over it', 'a slow green turtle sleeps below that', -0.2, 0.2],
    [
      'Chinese text with one sign changed',
      '今天天气很好我们去公园散步吧然后回家吃饭',
      '今天天气很好我们去公园散步吧然后回家睡饭',
      0.5,
      0.95,
    ],
    ['other Chinese text', '今天天气很好我们去公园散步吧', '股票市场昨日大幅下跌投资者担忧', -0.2, 0.2],
  ])('compares %s', (_, a, b, least, most) => {
    const hasher = new MinHasher({ seed: 5 });
    const similarity = estimated(hasher.signature(a), hasher.signature(b));
    expect(similarity).toBeGreaterThanOrEqual(least);
    expect(similarity).toBeLessThanOrEqual(most);
  });
});

describe('NearIndex', () => {
  test.each([0.5, 0.8, 0.95])('finds pairs above a threshold of %p, and few below', (threshold) => {
    const random = generator(11);
    const hasher = new MinHasher({ seed: 1 });
    const index = new NearIndex({ threshold, seed: 1 });
    const pairs = 150;
    const count = { above: 0, far: 0 };
    const above = Math.min(1, threshold + 0.04);
    const far = threshold - 0.2;
    for (let pair = 0; pair < pairs; pair++) {
      for (const [name, similarity] of [
        ['above', above],
        ['far', far],
      ] as const) {
        const [a, b] = pairOf(similarity, 300, random).map((text) => hasher.signature(text));
        index.add(a!);
        if (index.find(b!).length > 0) count[name] += 1;
      }
    }
    expect(count.above / pairs).toBeGreaterThan(0.93);
    expect(count.far / pairs).toBeLessThan(0.03);
  });

  test('agrees with comparing all pairs, except for a few near the threshold', () => {
    const random = generator(23);
    const hasher = new MinHasher({ seed: 1 });
    const originals = Array.from({ length: 60 }, () => textOf(120, random));
    const texts = originals.flatMap((words) =>
      [0.005, 0.01, 0.02, 0.06, 0.3].map((part) => changed(words, part, random).join(' ')),
    );
    const signatures = texts.map((text) => hasher.signature(text));
    const index = new NearIndex({ threshold: 0.8, seed: 9 });
    let [found, missed, wrong] = [0, 0, 0];
    for (const [row, signature] of signatures.entries()) {
      const near = new Set(index.add(signature));
      for (let other = 0; other < row; other++) {
        const similarity = estimated(signature, signatures[other]!);
        if (near.has(other)) found += 1;
        if (near.has(other) && similarity < 0.7) wrong += 1;
        if (!near.has(other) && similarity > 0.85) missed += 1;
      }
    }
    expect(found).toBeGreaterThan(90);
    expect(wrong).toBe(0);
    expect(missed / found).toBeLessThan(0.05);
  });

  test('returns the nearest first, the earlier one of equals, and at most 16', () => {
    const random = generator(31);
    const hasher = new MinHasher({ seed: 1 });
    const words = textOf(200, random);
    const index = new NearIndex({ threshold: 0.6, seed: 1 });
    const shares = Array.from({ length: 40 }, () => {
      const signature = hasher.signature(changed(words, 0.05, random).join(' '));
      index.add(signature);
      return estimated(signature, hasher.signature(words.join(' ')));
    });
    const nearest = shares.map((_, row) => row).toSorted((a, b) => shares[b]! - shares[a]! || a - b);
    expect(index.find(hasher.signature(words.join(' ')))).toEqual(nearest.slice(0, 16));
  });

  test('returns the first of equal rows, and similar rows beside any number of these', () => {
    const random = generator(31);
    const hasher = new MinHasher({ seed: 1 });
    const words = textOf(200, random);
    const index = new NearIndex({ threshold: 0.6, seed: 1 });
    index.add(hasher.signature(changed(words, 0.03, random).join(' ')));
    for (let copy = 0; copy < 40; copy++) index.add(hasher.signature(words.join(' ')));
    expect(index.find(hasher.signature(words.join(' ')))).toEqual([1, 0]);
  });

  test('stays within its memory, forgets the oldest rows, and still finds the newest', () => {
    const random = generator(41);
    const hasher = new MinHasher({ seed: 1 });
    const index = new NearIndex({ threshold: 0.8, seed: 1, maxBytes: 1024 ** 2 });
    const rows = 6_000;
    let last = hasher.signature('');
    for (let row = 0; row < rows; row++) {
      last = hasher.signature(textOf(12, random).join(' '));
      index.add(last);
      expect(index.bytes).toBeLessThanOrEqual(1024 ** 2);
    }
    expect(index.forgotten).toBeGreaterThan(0);
    expect(index.forgotten).toBeLessThan(rows - 1_000);
    expect(index.find(last)).toEqual([rows - 1]);
  });

  test('compares a bounded number of rows, however many resemble each other', () => {
    const hasher = new MinHasher({ seed: 1 });
    const index = new NearIndex({ threshold: 0.9, seed: 1 });
    const signature = hasher.signature(textOf(30, generator(43)).join(' '));
    for (let row = 0; row < 3_000; row++) index.add(signature);
    expect(index.compared).toBeLessThanOrEqual(3_000 * 64);
  });

  test('rejects an invalid signature', () => {
    expect(() => new NearIndex({ threshold: 0.8, seed: 1 }).find(new Uint8Array(3))).toThrow(RangeError);
  });
});

describe('nearText()', () => {
  const conversation: Conversation = {
    prompt: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'what is this?' },
      {
        role: 'assistant',
        content: 'let me look',
        reasoning: 'hm',
        tool_calls: [{ id: '1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'a cat' },
    ],
    answer: { role: 'assistant', content: 'a cat', reasoning: 'clear' },
    tools: [{ type: 'function', function: { name: 'look', description: 'looks' } }],
  };

  test('contains texts and calls, without system prompts, tool definitions and reasoning', () => {
    expect(nearText(conversation)).toBe('what is this?\nlet me look\nlook\n{"at":1}\na cat\na cat');
  });

  test('distinguishes images by their URL', () => {
    const showing = (url: string) =>
      nearText({
        ...conversation,
        prompt: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      });
    expect(showing('https://a/1')).toBe(showing('https://a/1'));
    expect(showing('https://a/1')).not.toBe(showing('https://a/2'));
    expect(showing('data:image/png;base64,AAAA')).not.toContain('AAAA');
  });
});
