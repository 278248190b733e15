/**
 * A text as a set of shingles, each a 32-bit hash: the similarity of two texts is measured by the shingles that they
 * share. Case and white space are ignored.
 */
import { CODE, KIND, letterOf } from './char-class.ts';
import { fmix32 } from './fmix32.ts';

/** The number of words per shingle. */
const WORDS = 5;
/** The number of characters per shingle of a short text, in UTF-16 code units. */
const CHARACTERS = 9;
/**
 * Up to this number of words a text keeps all shingles of characters: one changed word would change most of the others.
 */
const SHORT = 16;
/** From this number of words on a text has no shingles of characters. */
export const LONG = 64;

const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const BASE = 0x2c1b3c6d;
/** The factors that remove a word, or a character, from the rolling hash of a run. */
const WORD_OUT = power(BASE, WORDS);
const CHARACTER_OUT = power(BASE, CHARACTERS);
const SPACE = 32;
/** The size of a ring that is longer than any run. */
const RING = 15;

/** Receives the first `count` shingles of a block, which is then reused. A shingle may occur more than once. */
export type TakeShingles = (block: Int32Array, count: number) => void;

/** A text that was cut into shingles. */
export interface Cut {
  /** The number of its words. */
  readonly words: number;
  /** The shingle that is the text as a whole. */
  readonly whole: number;
}

const block = new Int32Array(1_024);

/**
 * Splits a text into shingles: runs of five words, in a short text also runs of nine characters, and the text as a
 * whole, so that every text has a shingle, and a text that is shorter than a run only resembles equal ones. The share
 * of character runs that is kept, selected by their hash, decreases with the length of the text: texts of nearly the
 * same length keep nearly the same ones.
 */
export function cutShingles(text: string, take: TakeShingles): Cut {
  const cut = cutWords(text, take);
  const { words } = cut;
  if (words < LONG) cutCharacters(text, Math.min(1, (LONG - words) / (LONG - SHORT)), take);
  return cut;
}

/**
 * A word begins with a letter after something else, and includes the marks that follow, so that the layout of JSON and
 * code does not matter. The first word is what precedes the first letter, usually nothing.
 */
function cutWords(text: string, take: TakeShingles): Cut {
  const ring = new Int32Array(RING + 1);
  let [words, count, run, whole] = [0, 0, 0, 0];
  let word = FNV_BASIS;
  let before: number = KIND.character;
  // One additional step ends the last word.
  for (let at = 0; at <= text.length; at++) {
    const letter = at < text.length ? letterOf(text.charCodeAt(at)) : KIND.character;
    const kind = letter & ~CODE;
    if (kind !== KIND.space) {
      if (kind === KIND.character || (kind === KIND.letter && before !== KIND.letter)) {
        const hash = fmix32(word);
        run = (Math.imul(run, BASE) + hash - Math.imul(ring[(words - WORDS) & RING]!, WORD_OUT)) | 0;
        ring[words & RING] = hash;
        whole = Math.imul(whole ^ hash, FNV_PRIME);
        words += 1;
        if (words >= WORDS) block[count++] = fmix32(run);
        if (count === block.length) count = handOver(take, count);
        word = FNV_BASIS;
      }
      word = Math.imul(word ^ letter, FNV_PRIME);
    }
    before = kind;
  }
  const all = fmix32(whole ^ words);
  block[count++] = all;
  handOver(take, count);
  return { words, whole: all };
}

/** @param share of the shingles that is kept, from 0 to 1 */
function cutCharacters(text: string, share: number, take: TakeShingles): void {
  const ring = new Int32Array(RING + 1);
  const bound = share * 2 ** 32;
  let [characters, count, run] = [0, 0, 0];
  let before: number = KIND.space;
  // Leading and trailing white space does not count.
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at++) {
    const letter = letterOf(text.charCodeAt(at));
    const kind = letter & ~CODE;
    if (kind !== KIND.space || before !== KIND.space) {
      const code = kind === KIND.space ? SPACE : letter & CODE;
      run =
        (Math.imul(run, BASE) + code - Math.imul(ring[(characters - CHARACTERS) & RING]!, CHARACTER_OUT)) | 0;
      ring[characters & RING] = code;
      characters += 1;
      const hash = fmix32(run);
      if (characters >= CHARACTERS && hash >>> 0 < bound) block[count++] = hash;
      if (count === block.length) count = handOver(take, count);
    }
    before = kind;
  }
  handOver(take, count);
}

/** @returns how much is left in the block: nothing */
function handOver(take: TakeShingles, count: number): 0 {
  take(block, count);
  return 0;
}

/** An integer power in 32-bit arithmetic. */
function power(base: number, exponent: number): number {
  return exponent === 0 ? 1 : Math.imul(base, power(base, exponent - 1));
}
