import type { Steps } from '../turns.ts';
import { QUOTE, COMMA, LIST, BACKSLASH, LIST_END, OBJECT, OBJECT_END } from './json-bytes.ts';

/** The length of an escaped letter: \u0061. */
const ESCAPED = 6;

/** How many characters are scanned between two pauses. */
const STRIDE = 256 * 1024;
const MAX_QUOTES = 32 * 1024;

/** The position of a string in JSON, including its quotes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds all occurrences of certain top-level keys of an object, in any spelling.
 * @param text a JSON object @param names of the keys, in ASCII
 */
export function* topKeys<Name extends string>(
  text: string,
  names: readonly Name[],
): Steps<Readonly<Record<Name, readonly Span[]>>> {
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Span[]>;
  const longest = '""'.length + ESCAPED * Math.max(...names.map(({ length }) => length));
  let depth = 0;
  let expectKey = false;
  let pauseAt = STRIDE;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = yield* stringEnd(text, at);
      if (depth === 1 && expectKey) {
        expectKey = false;
        const key = end - at <= longest ? (JSON.parse(text.slice(at, end)) as string) : '';
        if (Object.hasOwn(found, key)) found[key as Name].push({ start: at, end });
      }
      at = end - 1;
    } else if (char === OBJECT || char === LIST) {
      depth += 1;
      expectKey = depth === 1 && char === OBJECT;
    } else if (char === OBJECT_END || char === LIST_END) depth -= 1;
    else if (char === COMMA && depth === 1) expectKey = true;
    if (at > pauseAt) {
      pauseAt = at + STRIDE;
      yield;
    }
  }
  return found;
}

/** The index after the closing quote of the string that begins at `at`. */
export function* stringEnd(text: string, at: number): Steps<number> {
  let quotes = 0;
  let looked = 0;
  for (let quote = text.indexOf('"', at + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) {
      slashes += 1;
      if (++looked % STRIDE === 0) yield;
    }
    if (slashes % 2 === 0) return quote + 1;
    if (++quotes % MAX_QUOTES === 0) yield;
  }
  return text.length;
}
