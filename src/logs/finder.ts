/** Finds many short texts in a block of bytes in one pass, regardless of their number. */

/** The number of bytes examined in one step. */
const WORD = 4;
/** A text of this length contains a whole aligned word at any position. */
const MIN_LENGTH = 2 * WORD - 1;
/** Converts the capital letters in each byte of a word to lower case; some other bytes become equal as well. */
const FOLD = 0x20202020;
/** @see Knuth, The Art of Computer Programming, section 6.4: multiplicative hashing */
const GOLDEN = 0x9e3779b1;
/** The number of table entries per word: one in this many words passes by chance. */
const MARKS_PER_WORD = 64;
const MAX_BITS = 24;

/** A text to search for, and the offset within it of the word that identified it. */
interface Trace {
  readonly text: Uint8Array;
  readonly offset: number;
}

/** Searchable memory, as bytes and as words. */
export interface Searchable {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

/** Allocates memory of at least this many bytes. */
export function searchable(size: number): Searchable {
  const memory = new ArrayBuffer(Math.ceil(size / WORD) * WORD);
  return { bytes: Buffer.from(memory), words: new Int32Array(memory) };
}

/**
 * Finds where any of several texts occurs, ignoring the case of ASCII letters. It may report false positives, since
 * letters are compared without their fifth bit, but never misses an occurrence. Every word of the block is looked up in
 * a table, and compared only on a hit. This costs about 0.4 ns per byte, a separate search for each text 0.03 ns per
 * byte and text.
 */
export class Finder {
  /** One entry per hash; 1 where some word has it. */
  readonly #marks: Uint8Array;
  readonly #shift: number;
  readonly #traces = new Map<number, Trace[]>();
  /** Texts that are too short for words, in every combination of cases. */
  readonly #short: readonly Buffer[];

  /** @param texts whose case may vary only in ASCII letters */
  constructor(texts: readonly string[]) {
    const all = texts.map((text) => Buffer.from(text));
    for (const text of all) if (text.length >= MIN_LENGTH) this.#trace(text);
    this.#short = texts
      .filter((_, n) => all[n]!.length < MIN_LENGTH)
      .flatMap(spellings)
      .map((text) => Buffer.from(text));
    const bits = Math.ceil(Math.log2(this.#traces.size * MARKS_PER_WORD + 1));
    this.#shift = 32 - Math.min(MAX_BITS, Math.max(1, bits));
    this.#marks = new Uint8Array(2 ** (32 - this.#shift));
    for (const word of this.#traces.keys()) this.#marks[this.#hash(word)] = 1;
  }

  /** Reports the positions at which a text begins in the first `length` bytes, in no particular order. */
  find({ bytes, words }: Searchable, length: number, tell: (at: number) => void): void {
    const marks = this.#marks;
    const shift = this.#shift;
    const end = Math.floor(length / WORD);
    for (let n = 0; n < end; n++) {
      const word = words[n]! | FOLD;
      if (marks[Math.imul(word, GOLDEN) >>> shift] === 0) continue;
      const traces = this.#traces.get(word);
      if (traces === undefined) continue;
      for (const { text, offset } of traces) {
        const at = n * WORD - offset;
        if (at >= 0 && at + text.length <= length && standsAt(bytes, at, text)) tell(at);
      }
    }
    if (this.#short.length === 0) return;
    const block = bytes.subarray(0, length);
    for (const text of this.#short)
      for (let at = block.indexOf(text); at >= 0; at = block.indexOf(text, at + 1)) tell(at);
  }

  #trace(text: Uint8Array): void {
    const { bytes, words } = searchable(WORD);
    for (let offset = 0; offset < WORD; offset++) {
      bytes.set(text.subarray(offset, offset + WORD));
      const word = words[0]! | FOLD;
      const traces = this.#traces.get(word);
      if (traces) traces.push({ text, offset });
      else this.#traces.set(word, [{ text, offset }]);
    }
  }

  #hash(word: number): number {
    return Math.imul(word, GOLDEN) >>> this.#shift;
  }
}

function standsAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let n = 0; n < text.length; n++)
    if (((bytes[at + n]! ^ text[n]!) & ~(FOLD & 0xff)) !== 0) return false;
  return true;
}

/** A short text in every combination of upper and lower case. */
function spellings(text: string): string[] {
  let all = [''];
  for (const char of text) {
    const ways = [...new Set([char, char.toLowerCase(), char.toUpperCase()])];
    all = all.flatMap((start) => ways.map((way) => start + way));
  }
  return all;
}
