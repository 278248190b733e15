import { ProxyError } from '../errors.ts';
import { BACKSLASH, COMMA, LIST, LIST_END, OBJECT, OBJECT_END, QUOTE } from './json-bytes.ts';

/** More than any request has whose fields matter. */
const MAX_KEYS = 20_000;

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

/**
 * A key that an object in JSON has twice; `undefined` for none. Parsers differ in which of the two counts, and some
 * merge them, so that one may be hidden behind the other. It takes about as long as parsing.
 * @param text valid JSON
 * @throws ProxyError `invalid_request` if it has too many keys to compare
 */
export function keyGivenTwice(text: string): string | undefined {
  const open: Keys[] = [];
  let here: Keys | undefined;
  let expectKey = false;
  let left = MAX_KEYS;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = stringEnd(text, at);
      if (expectKey) {
        expectKey = false;
        const written = text.slice(at + 1, end - 1);
        const key = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
        if (here!.add(key)) return key;
        if ((left -= 1) < 0)
          throw new ProxyError('invalid_request', 'Cannot accept the request: it has too many fields');
      }
      at = end - 1;
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

/** The index after the closing quote of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
