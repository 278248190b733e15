import { ProxyError } from '../errors.ts';
import { COMMA, LIST, LIST_END, OBJECT, OBJECT_END, QUOTE } from './json-bytes.ts';

/** More than the longest histories of agents have. */
const MAX_KEYS = 200_000;

/** Up to this many keys, comparing them one by one costs less than a set. */
const FEW = 32;

/** The keys of an object so far; those of a list are never added. */
class Keys {
  readonly isObject: boolean;
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  constructor(isObject: boolean) {
    this.isObject = isObject;
  }

  /** @returns whether it was there already */
  add(key: string): boolean {
    if (this.#many?.has(key) ?? this.#few.includes(key)) return true;
    if (this.#many) this.#many.add(key);
    else if (this.#few.push(key) > FEW) this.#many = new Set(this.#few);
    return false;
  }
}

/** How much is read between two pauses, characters. */
const STRIDE = 256 * 1024;

/** The cost of finding the end of a string or of an escape, in characters read in the same time. */
const SEARCH = 8;

/** The cost of comparing a key with the others. */
const COMPARISON = 64;

/**
 * Searches for a key that an object in JSON has twice. Parsers differ in which of the two counts, and some
 * merge them, so that one may be hidden behind the other. It takes about as long as parsing, and a
 * short text needs no pause.
 */
export class KeySearch {
  readonly #text: string;
  /** The objects and lists around the current position, without the innermost one. */
  readonly #open: Keys[] = [];
  #here: Keys | undefined;
  #expectKey = false;
  #keysLeft = MAX_KEYS;
  #at = 0;
  /** The beginning of the string whose end is being searched for; -1 outside of strings. */
  #start = -1;
  #hasEscapes = false;
  /** The next backslash. */
  #escape: number;
  /** What is left of the current stride, characters. */
  #left = 0;
  #found: string | undefined;

  /** @param text valid JSON */
  constructor(text: string) {
    this.#text = text;
    this.#escape = next(text, '\\', 0);
  }

  /** The key, once `read` has returned true; `undefined` for none. */
  get found(): string | undefined {
    return this.#found;
  }

  /**
   * Reads on.
   * @returns whether the search is over; otherwise it is to be called again after a pause
   * @throws ProxyError `invalid_request` if there are too many keys to compare
   */
  read(): boolean {
    const text = this.#text;
    this.#left = STRIDE;
    while (this.#at < text.length) {
      if (this.#left <= 0) return false;
      if (this.#start >= 0) {
        if (!this.#readString()) return false;
        if (this.#found !== undefined) return true;
      } else this.#readSign(text.charCodeAt(this.#at));
      this.#at += 1;
      this.#left -= 1;
    }
    return true;
  }

  #readSign(char: number): void {
    if (char === QUOTE) {
      this.#start = this.#at + 1;
      // The loop goes on behind the quote that is found here.
      this.#at = next(this.#text, '"', this.#start) - 1;
      this.#hasEscapes = false;
    } else if (char === COMMA) this.#expectKey = this.#here?.isObject ?? false;
    else if (char === OBJECT || char === LIST) {
      if (this.#here) this.#open.push(this.#here);
      this.#here = new Keys(char === OBJECT);
      this.#expectKey = char === OBJECT;
    } else if (char === OBJECT_END || char === LIST_END) {
      this.#here = this.#open.pop();
      this.#expectKey = false;
    }
  }

  /** Reads to the end of a string. @returns false if a pause is due before */
  #readString(): boolean {
    const text = this.#text;
    while (this.#escape < this.#at) {
      // A backslash and the character behind it, which may be a quote.
      const behind = this.#escape + 2;
      if (behind > this.#at) this.#at = next(text, '"', behind);
      this.#escape = next(text, '\\', behind);
      this.#hasEscapes = true;
      if ((this.#left -= SEARCH) <= 0) return false;
    }
    this.#left -= SEARCH;
    const start = this.#start;
    this.#start = -1;
    if (!this.#expectKey) return true;
    this.#expectKey = false;
    const key = this.#hasEscapes
      ? (JSON.parse(text.slice(start - 1, this.#at + 1)) as string)
      : text.slice(start, this.#at);
    if (this.#here!.add(key)) this.#found = key;
    this.#left -= COMPARISON;
    if ((this.#keysLeft -= 1) < 0)
      throw new ProxyError('invalid_request', 'Cannot accept the request: it has too many fields');
    return true;
  }
}

/** The next place of a character, or the end of the text. */
function next(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at < 0 ? text.length : at;
}
