/** A secret that is recognized by a word in it, before it or near it. */

/** How far before and after its word a secret is searched for, characters. */
const BEFORE = 100;
const BEHIND = 600;

/** The position of a secret. */
export type Found = readonly [from: number, to: number];

export interface SecretRule {
  /** In lower case. */
  readonly words: readonly string[];
  /** @param from the start of one of the words; @param to its end */
  readonly find: (text: string, from: number, to: number) => Found | undefined;
}

/** What a pattern matches at a position: its first group that matched, otherwise the whole match. */
export function stickyAt(pattern: RegExp, text: string, at: number): Found | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match ? foundIn(match) : undefined;
}

/** Quotes around it, which some published rules include, are not part of the secret. */
export function foundIn(match: RegExpExecArray): Found {
  const [whole] = match;
  const found = match.find((part, index) => index > 0 && part !== undefined) ?? whole;
  const from = match.index + (found === whole ? 0 : whole.lastIndexOf(found));
  const quote = /^(["'`]).+\1$/s.test(found) ? 1 : 0;
  return [from + quote, from + found.length - quote];
}

/** The first match in the surroundings of a word that is a secret. */
export function around(
  pattern: RegExp,
  text: string,
  from: number,
  to: number,
  is: (found: string) => boolean,
): Found | undefined {
  const start = Math.max(0, from - BEFORE);
  const near = text.slice(start, to + BEHIND);
  pattern.lastIndex = 0;
  for (let match = pattern.exec(near); match; match = pattern.exec(near)) {
    const [begin, end] = foundIn(match);
    if (is(near.slice(begin, end))) return [begin + start, end + start];
    if (match[0] === '') pattern.lastIndex += 1;
  }
  return undefined;
}

/** The Shannon entropy of a text, bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
