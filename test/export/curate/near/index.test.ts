import { describe, expect, test } from 'bun:test';
import { NearIndex } from '../../../../src/export/curate/near/index.ts';
import { MinHasher } from '../../../../src/export/curate/near/minhash.ts';
import { SIGNATURE_BYTES } from '../../../../src/export/curate/near/signature.ts';
import { changed, generator, jaccard, shinglesOf, words } from './texts.ts';

const THRESHOLDS = [0.5, 0.8, 0.95];

/** The shares of each text's words that are replaced. */
const CHANGES = [0, 0, 0.004, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4];

/** 40 texts of 20 to 300 words with all their changes, in random order. */
function planted(): string[] {
  const random = generator(17);
  const texts = Array.from({ length: 40 }, () => {
    const original = words(20 + Math.floor(280 * random()), random);
    return CHANGES.map((part) => {
      const count = Math.round(part * original.length);
      const at = Math.floor(random() * (original.length - count));
      return changed(original, { at, count }, random).join(' ');
    });
  }).flat();
  const order = texts.map(() => random());
  return [...texts.keys()].toSorted((a, b) => order[a]! - order[b]!).map((place) => texts[place]!);
}

/** The planted texts, their signatures, and the true similarity of any two. */
function truths() {
  const texts = planted();
  const hasher = new MinHasher({ seed: 1 });
  const shingles = texts.map(shinglesOf);
  const similarity = shingles.map((mine, row) => shingles.slice(0, row).map((other) => jaccard(mine, other)));
  return { signatures: texts.map((text) => hasher.signature(text)), similarity };
}

/** For each signature, the first equal one, which is found in its place. */
function firstsOf(all: readonly Uint8Array[]): number[] {
  const firsts = new Map<string, number>();
  return all.map((signature, row) => firsts.getOrInsert(signature.toHex(), row));
}

/** The signature of a random text, which resembles no other. */
function noise(random: () => number): Uint8Array {
  return Uint8Array.from({ length: SIGNATURE_BYTES }, () => Math.floor(256 * random()));
}

describe('NearIndex', () => {
  const { signatures, similarity } = truths();
  const firsts = firstsOf(signatures);

  test.each(THRESHOLDS)(
    'finds the pairs that an exhaustive comparison finds, at a threshold of %p',
    (threshold) => {
      const index = new NearIndex({ threshold, seed: 1 });
      const found = signatures.map((signature) => new Set(index.add(signature)));
      /** How many pairs there are in a range of similarity, and how many of them were found. */
      const pairs = (from: number, to: number) => {
        let [all, hits] = [0, 0];
        for (const [row, others] of similarity.entries())
          for (const [other, truth] of others.entries()) {
            if (truth < from || truth >= to) continue;
            all += 1;
            if (found[row]!.has(firsts[other]!)) hits += 1;
          }
        return { all, hits, part: hits / all };
      };
      const above = pairs(threshold, Infinity);
      expect(above.all).toBeGreaterThan(80);
      expect(above.part).toBeGreaterThan(0.97);
      const barely = pairs(threshold, threshold + 0.05);
      expect(barely.all).toBeGreaterThan(10);
      expect(barely.part).toBeGreaterThan(0.85);
      const { hits } = pairs(-1, Infinity);
      expect(pairs(threshold - 0.06, Infinity).hits / hits).toBeGreaterThan(0.93);
      expect(pairs(-1, threshold - 0.12).hits).toBe(0);
      expect(pairs(-1, 0.3).all).toBeGreaterThan(70_000);
    },
  );

  test.each(THRESHOLDS)('keeps the first of each cluster, at a threshold of %p', (threshold) => {
    const index = new NearIndex({ threshold, seed: 1 });
    const kept: number[] = [];
    const order: number[] = [];
    for (const [row, signature] of signatures.entries()) {
      const near = index.find(signature);
      const truly = kept.map((other) => similarity[row]![other]!);
      const most = Math.max(0, ...truly);
      // In between, the estimates may go either way.
      if (most >= threshold + 0.12) expect([row, near.length > 0]).toEqual([row, true]);
      if (most < threshold - 0.12) expect([row, near]).toEqual([row, []]);
      for (const number of near) expect(truly[number]!).toBeGreaterThan(threshold - 0.12);
      order.push(...near.slice(0, 1).map((number) => most - truly[number]!));
      if (near.length > 0) continue;
      index.add(signature);
      kept.push(row);
    }
    expect(kept[0]).toBe(0);
    expect(kept.length).toBeGreaterThanOrEqual(40);
    // The first result is the nearest one, or hardly less similar than that.
    for (const short of order) expect(short).toBeLessThan(0.12);
  });

  test('returns the same for the same rows, whatever was searched in between', () => {
    const answers = (asks: boolean) => {
      const index = new NearIndex({ threshold: 0.8, seed: 1 });
      return signatures.map((signature, row) => {
        if (asks) index.find(signatures[(row * 7) % signatures.length]!);
        return index.add(signature);
      });
    };
    const first = answers(false);
    expect(answers(false)).toEqual(first);
    expect(answers(true)).toEqual(first);
  });

  test('copies a signature, so that the next may be in the same memory', () => {
    const index = new NearIndex({ threshold: 0.8, seed: 1 });
    const memory = signatures[0]!.slice();
    index.add(memory);
    memory.set(signatures[1]!);
    index.add(memory);
    memory.fill(0);
    expect([index.find(signatures[0]!)[0], index.find(signatures[1]!)[0]]).toEqual([0, 1]);
  });

  // A row takes 128 bytes for its signature, and for each band 4 bytes and up to 8 bytes of slots.
  test.each([
    [0.5, 700],
    [0.8, 390],
    [0.95, 300],
  ])('uses memory in proportion to its rows, at a threshold of %p %d bytes each', (threshold, bytes) => {
    const random = generator(29);
    const index = new NearIndex({ threshold, seed: 1 });
    expect(index.bytes).toBeLessThan(16 * 1024);
    for (let row = 0; row < 8_192; row++) index.add(noise(random));
    expect(index.bytes / 8_192).toBeLessThan(bytes);
    expect(index.forgotten).toBe(0);
  });

  test.each(THRESHOLDS)('makes good use of its maximum memory, at a threshold of %p', (threshold) => {
    const random = generator(31);
    const maxBytes = 512 * 1024;
    const index = new NearIndex({ threshold, seed: 1, maxBytes });
    const last = Array.from({ length: 500 }, () => noise(random));
    for (let row = 0; row < 2_500; row++) index.add(noise(random));
    for (const signature of last) index.add(signature);
    expect(index.bytes).toBeLessThanOrEqual(maxBytes);
    expect(index.bytes).toBeGreaterThan(0.75 * maxBytes);
    expect(3_000 - index.forgotten).toBeGreaterThan(maxBytes / 600);
    for (const [at, signature] of last.entries()) expect(index.find(signature)).toEqual([2_500 + at]);
  });

  test('compares hardly any rows that do not resemble each other, however many there are', () => {
    const random = generator(37);
    const index = new NearIndex({ threshold: 0.8, seed: 1 });
    for (let row = 0; row < 5_000; row++) expect(index.add(noise(random))).toEqual([]);
    const before = index.compared;
    for (let row = 0; row < 200; row++) index.find(noise(random));
    // By chance, there is one in each band, with as many slots as rows.
    expect((index.compared - before) / 200).toBeLessThan(30);
  });
});
