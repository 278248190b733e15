import picomatch from 'picomatch';

/** Whether a model name is a pattern. */
export function isGlob(name: string): boolean {
  return /[*?[\]{}!]/.test(name);
}

/**
 * A name or pattern as limits compare it. Some providers ignore the case of a name, and spaces around it: other
 * spellings must not evade a limit.
 */
export function foldedName(name: string): string {
  return name.trim().toLowerCase();
}

/** How specific a pattern is: the number of its literal characters. Of alternatives, `{a,bc}`, the shortest counts. */
export function literalLength(pattern: string): number {
  const choices = pattern.replace(/\{([^{}]*)\}/g, (_, words: string) =>
    words.split(',').reduce((least, word) => (word.length < least.length ? word : least)),
  );
  return choices.replace(/\[[^\]]*\]|[*?!{}()@+]/g, '').length;
}

/**
 * The part of a matching name that the star of a pattern stands for; `undefined` if there are more wildcards than one
 * star.
 */
export function starOf(pattern: string): ((name: string) => string) | undefined {
  const [, before = '', after = ''] = /^([^*?[\]{}!]*)\*([^*?[\]{}!]*)$/.exec(pattern) ?? [undefined];
  if (!pattern.includes('*') || before.length + after.length + 1 !== pattern.length) return undefined;
  return (name) => name.slice(before.length, name.length - after.length);
}

/**
 * The syntax handled here: stars, question marks, sets, alternatives and literals. Everything else is left to
 * picomatch.
 */
const SIMPLE = /^!?(?:[\w.:@/* ?,-]|\[[\w.:@^-]+\]|\{[\w.:@/*?,-]*\})+$/;
/** Characters that picomatch treats as parts of paths. */
const PATH = /\*\*|^\.\/|^!?\/|\.\.|\{[^,]*\}/;

/**
 * Creates a matcher for model names. `*` matches slashes as well, since model names contain them and are not paths.
 * Clients can send any name, so the time is linear in its length, regardless of the number of stars.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  if (!SIMPLE.test(pattern) || PATH.test(pattern)) {
    const matches = picomatch(pattern, { bash: true, dot: true });
    return (name) => matches(name);
  }
  const negated = pattern.startsWith('!');
  const choices = choicesOf(negated ? pattern.slice(1) : pattern).map(partsOf);
  return (name) => choices.some((parts) => matches(parts, name)) !== negated;
}

/** Whether some name may match both of two patterns or names; also true where that cannot be told. */
export function globsOverlap(one: string, other: string): boolean {
  if (!isGlob(one)) return isGlob(other) ? globMatcher(other)(one) : one === other;
  if (!isGlob(other)) return globMatcher(one)(other);
  if ([one, other].some((pattern) => !SIMPLE.test(pattern) || PATH.test(pattern) || pattern.startsWith('!')))
    return true;
  const others = choicesOf(other).map(signsOf);
  return choicesOf(one).some((choice) => {
    const signs = signsOf(choice);
    return others.some((each) => overlap(signs, each));
  });
}

/** The characters of a pattern; those of a set are not distinguished from any other. */
function signsOf(pattern: string): string[] {
  return Array.from(pattern.matchAll(/\[[^\]]+\]|[^]/g), ([sign]) => (sign.length > 1 ? '?' : sign));
}

/** Compares all beginnings of two patterns: each row is about one more sign of the first. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  let row = [true];
  for (const [at, sign] of other.entries()) row.push(sign === '*' && row[at]!);
  for (const sign of one) {
    const next = [sign === '*' && row[0]!];
    for (const [at, facing] of other.entries()) {
      // A star takes the sign that faces it, or nothing.
      if (sign === '*' || facing === '*') next.push(row[at + 1]! || next[at]!);
      else next.push(row[at]! && (sign === facing || sign === '?' || facing === '?'));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** Expands `a{b,c}` to `ab` and `ac`. */
function choicesOf(pattern: string): string[] {
  const group = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (!group) return [pattern];
  const [, before = '', words = '', after = ''] = group;
  return choicesOf(after).flatMap((rest) => words.split(',').map((word) => before + word + rest));
}

/** A literal part between two stars. */
interface Part {
  readonly length: number;
  fitsAt(name: string, at: number): boolean;
  /** The first position, from the given one on, at which the part matches; -1 for none. */
  find(name: string, from: number): number;
}

function partsOf(pattern: string): Part[] {
  return pattern.split(/\*+/).map((part) => (/[?[]/.test(part) ? partOfSets(part) : plainPart(part)));
}

function plainPart(text: string): Part {
  return {
    length: text.length,
    fitsAt: (name, at) => name.startsWith(text, at),
    find: (name, from) => name.indexOf(text, from),
  };
}

/** Characters outside ASCII are treated alike: no set contains one. */
const OTHERS = 0x80;

function partOfSets(pattern: string): Part {
  const places = Array.from(pattern.matchAll(/\[[^\]]+\]|[^]/g), ([place]) => {
    const set = place === '?' ? /^[^/]$/ : place.length > 1 ? new RegExp(`^(?!/)${place}$`) : undefined;
    // A lookup table, since a name may have thousands of characters and is compared with hundreds of patterns.
    return Array.from({ length: OTHERS + 1 }, (_, code) => {
      const char = String.fromCharCode(code);
      return set ? set.test(char) : char === place;
    });
  });
  const fitsAt = (name: string, at: number): boolean => {
    for (let n = 0; n < places.length; n += 1)
      if (!places[n]![Math.min(OTHERS, name.charCodeAt(at + n))]) return false;
    return true;
  };
  const find = (name: string, from: number): number => {
    for (let at = from; at <= name.length - places.length; at += 1) if (fitsAt(name, at)) return at;
    return -1;
  };
  return { length: places.length, fitsAt, find };
}

/** Each part is matched at the first possible position, which leaves the most room to the parts after the next star. */
function matches(parts: readonly Part[], name: string): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (parts.length === 1) return name.length === first.length && first.fitsAt(name, 0);
  const end = name.length - last.length;
  if (end < first.length || !first.fitsAt(name, 0) || !last.fitsAt(name, end)) return false;
  let at = first.length;
  for (let n = 1; n < parts.length - 1; n += 1) {
    const part = parts[n]!;
    const found = part.find(name, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}
