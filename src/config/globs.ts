import picomatch from 'picomatch';

/** Whether a model name is a pattern. */
export function isGlob(name: string): boolean {
  return /[*?[\]{}!]/.test(name);
}

/** What is read here: stars, question marks, sets of characters, choices, and plain characters. The rest is picomatch's. */
const SIMPLE = /^!?(?:[\w.:@/* ?,-]|\[[\w.:@^-]+\]|\{[\w.:@/*?,-]*\})+$/;
/** What it takes for parts of paths. */
const PATH = /\*\*|^\.\/|^!?\/|\.\.|\{[^,]*\}/;

/**
 * A test for model names. `*` crosses slashes, because model names have them and are no paths. Clients can name
 * anything: the time grows with the name's length, however many stars a pattern has.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  if (!SIMPLE.test(pattern) || PATH.test(pattern)) {
    const matches = picomatch(pattern, { bash: true, dot: true });
    return (name) => matches(name);
  }
  const negated = pattern.startsWith('!');
  const choices = choicesOf(negated ? pattern.slice(1) : pattern).map(tokensOf);
  return (name) => choices.some((tokens) => matches(tokens, name)) !== negated;
}

/** `a{b,c}` as `ab` and `ac`. */
function choicesOf(pattern: string): string[] {
  const group = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (!group) return [pattern];
  const [, before = '', words = '', after = ''] = group;
  return choicesOf(after).flatMap((rest) => words.split(',').map((word) => before + word + rest));
}

type Token = '*' | { readonly fits: (char: string) => boolean };

function tokensOf(pattern: string): Token[] {
  return Array.from(pattern.matchAll(/\*+|\[[^\]]+\]|[^]/g), ([piece]): Token => {
    if (piece.startsWith('*')) return '*';
    if (piece === '?') return { fits: (char) => char !== '/' };
    if (piece.length === 1) return { fits: (char) => char === piece };
    const set = new RegExp(`^${piece}$`);
    return { fits: (char) => char !== '/' && set.test(char) };
  });
}

/** A star takes as little as it can; when that does not work out, only the last one has to take more. */
function matches(tokens: readonly Token[], name: string): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const wanted = tokens[token];
    if (wanted === '*') {
      star = token++;
      starAt = at;
    } else if (wanted?.fits(name[at]!)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (tokens[token] === '*') token += 1;
  return token === tokens.length;
}
