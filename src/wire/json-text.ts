import type { Steps } from '../turns.ts';

/** How many characters of a string are parsed at once. */
const PIECE = 512 * 1024;

/** How many characters without escapes are processed at once. */
const COPIED = 4 * 1024 * 1024;

/** The length of the longest escape minus one: \u00e9. */
const ESCAPE = 6;

const BACKSLASH = 0x5c;

/**
 * Decodes a long JSON string, without its quotes, in steps of a few milliseconds: each escape costs as much as a
 * hundred other characters.
 * @throws SyntaxError
 */
export function* textInSteps(json: string, start: number, end: number): Steps<string> {
  const slash = json.indexOf('\\', start);
  if (slash < 0 || slash >= end) return yield* plainInSteps(json, start, end);
  let text = '';
  for (let at = start; at < end;) {
    const cut = at + PIECE < end ? outsideEscape(json, at, at + PIECE) : end;
    text += JSON.parse(`"${json.slice(at, cut)}"`) as string;
    at = cut;
    yield;
  }
  return text;
}

/** A string without escapes, such as an image. It is copied, which is quick. */
function* plainInSteps(json: string, start: number, end: number): Steps<string> {
  if (end - start <= COPIED) return JSON.parse(json.slice(start - 1, end + 1)) as string;
  // Even a copy takes long here: the string is scanned in pieces, and shares memory with its source.
  for (let at = start; at < end; at += COPIED) {
    JSON.parse(`"${json.slice(at, Math.min(end, at + COPIED))}"`);
    yield;
  }
  return json.slice(start, end);
}

/** The last position up to `wanted` that is not within an escape. @param from a position that is not */
function outsideEscape(json: string, from: number, wanted: number): number {
  for (let slash = wanted - 1; slash > wanted - ESCAPE; slash -= 1) {
    if (json.charCodeAt(slash) !== BACKSLASH) continue;
    let first = slash;
    while (first > from && json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    // In a run of backslashes, each second one begins an escape.
    const begins = slash - ((slash - first) % 2);
    const length = json[begins + 1] === 'u' ? ESCAPE : 2;
    return begins + length > wanted ? begins : wanted;
  }
  return wanted;
}
