import type { Steps } from '../turns.ts';
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
 * A key that an object in JSON has twice; `undefined` for none. Parsers differ in which of the two counts, and some
 * merge them, so that one may be hidden behind the other. It takes about as long as parsing.
 * @param text valid JSON
 * @throws ProxyError `invalid_request` if it has too many keys to compare
 */
export function* keyGivenTwice(text: string): Steps<string | undefined> {
  const open: Keys[] = [];
  let here: Keys | undefined;
  let expectKey = false;
  let keysLeft = MAX_KEYS;
  let pauseIn = STRIDE;
  let escape = next(text, '\\', 0);
  for (let at = 0; at < text.length; at += 1) {
    if ((pauseIn -= 1) <= 0) {
      pauseIn = STRIDE;
      yield;
    }
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const start = at + 1;
      at = next(text, '"', start);
      const hasEscapes = escape < at;
      while (escape < at) {
        // A backslash and the character behind it, which may be a quote.
        const behind = escape + 2;
        if (behind > at) at = next(text, '"', behind);
        escape = next(text, '\\', behind);
        if ((pauseIn -= SEARCH) > 0) continue;
        pauseIn = STRIDE;
        yield;
      }
      pauseIn -= SEARCH;
      if (!expectKey) continue;
      expectKey = false;
      const key = hasEscapes ? (JSON.parse(text.slice(start - 1, at + 1)) as string) : text.slice(start, at);
      if (here!.add(key)) return key;
      pauseIn -= COMPARISON;
      if ((keysLeft -= 1) < 0)
        throw new ProxyError('invalid_request', 'Cannot accept the request: it has too many fields');
    } else if (char === COMMA) expectKey = here?.isObject ?? false;
    else if (char === OBJECT || char === LIST) {
      if (here) open.push(here);
      here = new Keys(char === OBJECT);
      expectKey = char === OBJECT;
    } else if (char === OBJECT_END || char === LIST_END) {
      here = open.pop();
      expectKey = false;
    }
  }
  return undefined;
}

/** The next place of a character, or the end of the text. */
function next(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at < 0 ? text.length : at;
}
