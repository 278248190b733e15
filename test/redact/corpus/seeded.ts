/** Random choices that are the same in every run, and texts that match a pattern. */

export interface Chance {
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  /** This many characters of an alphabet. */
  of(alphabet: string, count: number): string;
  digits(count: number): string;
}

/** @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32) */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  const of = (alphabet: string, count: number) =>
    Array.from({ length: count }, () => alphabet[below(alphabet.length)]!).join('');
  return {
    below,
    of,
    pick: (from) => from[below(from.length)]!,
    digits: (count) => of('0123456789', count),
  };
}

const PRINTED = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
const ESCAPED: Readonly<Record<string, string>> = {
  d: '0123456789',
  w: PRINTED.filter((char) => /\w/.test(char)).join(''),
  s: ' ',
  S: PRINTED.filter((char) => /[\w-]/.test(char)).join(''),
};
const CLASSES = new Map<string, string>();
/** The maximum number of repetitions beyond the minimum, for unbounded quantifiers. */
const MORE = 12;

/**
 * A text that a regular expression matches: literals, classes, groups, alternatives, and repetitions. Assertions such
 * as `\b`, `^` and `$`, and lookahead groups, add nothing; an unrepeated `.` is a full stop.
 */
export function sample(source: string, { below, pick }: Chance): string {
  let at = 0;

  const alternatives = (): string => {
    const all = [sequence()];
    while (source[at] === '|') {
      at += 1;
      all.push(sequence());
    }
    return pick(all);
  };

  const sequence = (): string => {
    let text = '';
    while (at < source.length && source[at] !== '|' && source[at] !== ')') text += repeated();
    return text;
  };

  const repeated = (): string => {
    const from = at;
    let text = atom();
    const end = at;
    const quantifier = /^(?:\{(\d+)(,?)(\d*)\}|[*+?])\??/.exec(source.slice(at));
    if (!quantifier) return text;
    const [whole, least, open, most] = quantifier;
    const low = least === undefined ? (whole.startsWith('+') ? 1 : 0) : Number(least);
    const high = whole.startsWith('?')
      ? 1
      : least !== undefined && open === ''
        ? low
        : most
          ? Number(most)
          : low + MORE;
    const count = low + below(high - low + 1);
    text = '';
    for (let index = 0; index < count; index++) {
      at = from;
      text += atom();
    }
    at = end + whole.length;
    return text;
  };

  const atom = (): string => {
    const char = source[at++]!;
    if (char === '(') return group();
    if (char === '[') return pick([...charClass()]);
    if (char === '\\') return escaped();
    if (char === '.' && /[{*+?]/.test(source[at] ?? '')) return pick([...ESCAPED.w!]);
    return char === '^' || char === '$' ? '' : char;
  };

  const group = (): string => {
    const [head] = /^\?(?::|<?[=!]|P?<\w+>|[a-z]*(?:-[a-z]+)?:)/.exec(source.slice(at)) ?? [''];
    at += head.length;
    const text = alternatives();
    at += 1;
    return /^\?<?[=!]/.test(head) ? '' : text;
  };

  const escaped = (): string => {
    const char = source[at++]!;
    if (char === 'b' || char === 'B' || char === 'z') return '';
    if (char === 'n') return '\n';
    if (char === 't') return '\t';
    if (char === 'x') {
      at += 2;
      return String.fromCharCode(parseInt(source.slice(at - 2, at), 16));
    }
    const set = ESCAPED[char];
    return set === undefined ? char : pick([...set]);
  };

  const charClass = (): string => {
    const close = /^\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*/.exec(source.slice(at))![0];
    at += close.length + 1;
    // However a class is written, the engine itself determines its characters.
    const javascript = close.replaceAll('[:alnum:]', 'A-Za-z0-9');
    let signs = CLASSES.get(javascript);
    if (signs === undefined) {
      const fits = new RegExp(`^[${javascript}]$`);
      signs = PRINTED.filter((char) => fits.test(char)).join('');
      CLASSES.set(javascript, signs);
    }
    return signs;
  };

  return alternatives();
}
