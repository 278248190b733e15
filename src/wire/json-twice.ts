import { ProxyError } from '../errors.ts';
import { BACKSLASH, COMMA, LIST, LIST_END, OBJECT, OBJECT_END, QUOTE } from './json-bytes.ts';

/** More than any request has whose fields matter. */
const MAX_KEYS = 20_000;

/**
 * A key that an object in JSON has twice; `undefined` for none. Parsers differ in which of the two counts, and some
 * merge them, so that one may be hidden behind the other.
 * @param text valid JSON
 * @throws ProxyError `invalid_request` if it has too many keys to compare
 */
export function keyGivenTwice(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let expectKey = false;
  let left = MAX_KEYS;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = stringEnd(text, at);
      if (expectKey) {
        expectKey = false;
        const written = text.slice(at, end);
        const key = written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
        if ((left -= 1) < 0)
          throw new ProxyError('invalid_request', 'Cannot accept the request: it has too many fields');
      }
      at = end - 1;
    } else if (char === OBJECT || char === LIST) {
      open.push(char === OBJECT ? new Set() : undefined);
      expectKey = char === OBJECT;
    } else if (char === OBJECT_END || char === LIST_END) {
      open.pop();
      expectKey = false;
    } else if (char === COMMA) expectKey = open.at(-1) !== undefined;
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
