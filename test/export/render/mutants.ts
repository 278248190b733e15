/** The source of a checker without one of its rules. */
export interface Mutant {
  readonly line: number;
  /** The rule that was removed. */
  readonly rule: string;
  readonly mutant: string;
}

/** Calls that return problems: `...textProblems(value, path)`. */
const CALL = /\.\.\.(?:\w*[pP]roblems|unknownKeys)\(/g;
/** Functions that return problems. */
const FUNCTION = /function (\w+)\((?:(?!function )[^])*?\): (?:Problems|string\[\]) \{\n/g;
/** Calls whose problems come first in a list, and calls that return items beside problems. */
const FIRST = /(?:= |return )(?=(?:\w*[pP]roblems|unknownKeys)\()/g;
const ITEMS = /(?<=\} = )objectsIn\(/g;
/** Functions that a format calls, and whose problems are separate rules. */
const ENTRY = /^\w*(?:check|chatRowProblems)$/;

/** Every rule that can be removed from a source, each in a copy. */
export function* mutantsOf(source: string): Generator<Mutant> {
  const made = (from: number, to: number, rule: string, instead = ''): Mutant => ({
    line: source.slice(0, from).split('\n').length,
    rule: rule.replaceAll(/\s+/g, ' '),
    mutant: source.slice(0, from) + instead + source.slice(to),
  });
  for (const [from, to] of literals(source)) {
    const text = source.slice(from, to);
    if (isProblem(source, from, to)) yield made(...withComma(source, from, to), text);
  }
  for (const match of source.matchAll(CALL)) {
    const to = closing(source, match.index + match[0].length - 1) + 1;
    yield made(...withComma(source, match.index, to), source.slice(match.index, to));
  }
  for (const match of source.matchAll(FIRST)) {
    const from = match.index + match[0].length;
    const to = closing(source, source.indexOf('(', from)) + 1;
    yield made(from, to, source.slice(from, to), '([] as string[])');
  }
  for (const match of source.matchAll(ITEMS)) {
    const to = closing(source, match.index + match[0].length - 1) + 1;
    const call = source.slice(match.index, to);
    yield made(match.index, to, `the problems of ${call}`, `({ ...${call}, problems: [] as string[] })`);
  }
  for (const match of source.matchAll(FUNCTION)) {
    const body = match.index + match[0].length;
    if (!ENTRY.test(match[1]!)) yield made(body, body, `${match[1]}()`, '  return [];\n');
  }
}

/**
 * Whether a text is an item of a list of problems, or is pushed to one. Paths, which are arguments too, contain no
 * spaces.
 */
function isProblem(source: string, from: number, to: number): boolean {
  const text = source.slice(from, to);
  const before = source.slice(0, from).trimEnd();
  const after = source.slice(to).trimStart();
  const listed = /[[,]$|push\($/.test(before) && /^[\],)]/.test(after);
  return listed && / /.test(text.replaceAll(/\$\{[^}]*\}/g, ''));
}

/** The range with the comma after it, or otherwise the one before it. */
function withComma(source: string, from: number, to: number): readonly [number, number] {
  const behind = /^\s*,/.exec(source.slice(to));
  if (behind) return [from, to + behind[0].length];
  const before = /,\s*$/.exec(source.slice(0, from));
  return before ? [from - before[0].length, to] : [from, to];
}

/** The ranges of strings and templates. */
function* literals(source: string): Generator<readonly [from: number, to: number]> {
  for (let at = 0; at < source.length; at++) {
    if (source.startsWith('//', at)) at = source.indexOf('\n', at);
    else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 1;
    else if (/['"`]/.test(source[at]!)) {
      const to = literalEnd(source, at);
      yield [at, to];
      at = to - 1;
    }
  }
}

function literalEnd(source: string, from: number): number {
  const quote = source[from];
  let at = from + 1;
  for (; source[at] !== quote; at++) {
    if (source[at] === '\\') at += 1;
    else if (quote === '`' && source.startsWith('${', at)) at = closing(source, at + 1);
  }
  return at + 1;
}

/** The position of the matching closing bracket. */
function closing(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    const letter = source[at]!;
    if (/['"`]/.test(letter)) at = literalEnd(source, at) - 1;
    else if ('([{'.includes(letter)) depth += 1;
    else if (')]}'.includes(letter) && (depth -= 1) === 0) return at;
  }
  throw new Error('Cannot find the closing bracket');
}
