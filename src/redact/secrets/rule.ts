/** What tells a secret by a word that stands in it, before it, or near it. */

/** How far before and behind its word a secret is looked for, characters. */
const BEFORE = 100;
const BEHIND = 600;

/** Where a secret stands. */
export type Found = readonly [from: number, to: number];

export interface SecretRule {
  /** In small letters. */
  readonly words: readonly string[];
  /** @param from where one of the words begins; @param to where it ends */
  readonly find: (text: string, from: number, to: number) => Found | undefined;
}

/** What a pattern finds that begins at a place: its first group that is there, else all of it. */
export function stickyAt(pattern: RegExp, text: string, at: number): Found | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match ? foundIn(match) : undefined;
}

export function foundIn(match: RegExpExecArray): Found {
  const group = match.find((part, index) => index > 0 && part !== undefined);
  if (group === undefined || group === match[0]) return [match.index, match.index + match[0].length];
  const from = match.index + match[0].lastIndexOf(group);
  return [from, from + group.length];
}

/** The first that is one in the surroundings of a word. */
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

/** Bits of information in a character, on the average, by Shannon. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
