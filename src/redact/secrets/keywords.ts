/** Finds many words in a text at once, case-insensitively. */

/** Five bits of each of three characters. They are the same for both cases of a letter. */
const PLACES = 1 << 15;

interface Entry<T> {
  readonly word: string;
  readonly value: T;
}

/**
 * An index of words by their first three characters. A text is read once, and words are compared only where three
 * characters match.
 */
export class KeywordIndex<T> {
  readonly #may = new Uint8Array(PLACES);
  readonly #entries = new Map<number, Entry<T>[]>();

  /** @param words in lower case, at least three characters long; a word may have several values */
  constructor(words: Iterable<readonly [word: string, value: T]>) {
    for (const [word, value] of words) {
      if (word.length < 3) throw new RangeError(`Cannot index ${word}: it has fewer than three characters`);
      const place = placeOf(word, 0);
      this.#may[place] = 1;
      const entries = this.#entries.get(place) ?? [];
      entries.push({ word, value });
      this.#entries.set(place, entries);
    }
  }

  /** @param tell called with the values of each word that is found, and with its start and end, in order */
  scan(text: string, tell: (value: T, from: number, to: number) => void): void {
    const may = this.#may;
    let place = 0;
    for (let at = 0; at < text.length; at++) {
      place = ((place << 5) | (text.charCodeAt(at) & 31)) & (PLACES - 1);
      if (may[place] === 0 || at < 2) continue;
      const from = at - 2;
      for (const { word, value } of this.#entries.get(place)!)
        if (standsAt(text, from, word)) tell(value, from, from + word.length);
    }
  }
}

function placeOf(word: string, at: number): number {
  const bits = (offset: number) => word.charCodeAt(at + offset) & 31;
  return (bits(0) << 10) | (bits(1) << 5) | bits(2);
}

function standsAt(text: string, from: number, word: string): boolean {
  if (from + word.length > text.length) return false;
  for (let at = 0; at < word.length; at++) {
    const code = text.charCodeAt(from + at);
    const small = code >= 0x41 && code <= 0x5a ? code + 32 : code;
    if (small !== word.charCodeAt(at)) return false;
  }
  return true;
}
