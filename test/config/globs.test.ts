import { expect, test } from 'bun:test';
import picomatch from 'picomatch';
import { globMatcher, globsOverlap, isGlob } from '../../src/config/globs.ts';

/** All texts of up to `most` of these parts. */
function textsOf(parts: readonly string[], most: number): string[] {
  if (most === 0) return [''];
  return [
    ...new Set(textsOf(parts, most - 1).flatMap((text) => [text, ...parts.map((part) => text + part)])),
  ];
}

/** Names that picomatch treats as paths; no model has such a name. */
const PATH = /(?:^|\/)\.{1,2}(?:\/|$)|^\/|\/\/|\/$|\.$/;

test('globMatcher() matches the names that picomatch matches', () => {
  const parts = ['a', 'b', '*', '/', '-', '.', '?', '[ab]', '[^a]', '[a-b]', '{a,b*}', '{,a}', '!'];
  const patterns = textsOf(parts, 3).filter(isGlob);
  const names = textsOf(['a', 'b', '/', '-', '.'], 4).filter((name) => name !== '' && !PATH.test(name));
  const different: string[] = [];
  for (const pattern of patterns) {
    const ours = globMatcher(pattern);
    const theirs = picomatch(pattern, { bash: true, dot: true });
    for (const name of names) if (ours(name) !== theirs(name)) different.push(`${pattern} ${name}`);
  }
  expect(different).toEqual([]);
});

test.each([
  ['gpt-4*', 'gpt-4o', true],
  ['gpt-4*', 'gpt-4', true],
  ['*', 'anthropic/claude-sonnet-4:beta', true],
  ['*/llama-*', 'meta/llama-3', true],
  ['*/llama-*', 'llama-3', false],
  ['{gpt,o[13]}-*', 'o3-mini', true],
  ['{gpt,o[13]}-*', 'o2-mini', false],
  ['!gpt-*', 'claude', true],
  ['@(gpt|claude)-*', 'claude-x', true],
])('globMatcher(%j) of %j is %p', (pattern, name, expected) => {
  expect(globMatcher(pattern)(name)).toBe(expected);
});

test('a long name is matched fast, however many stars a pattern has', () => {
  const matches = globMatcher(`${'a*-'.repeat(20)}b`);
  expect(matches(`a${'-a'.repeat(100_000)}`)).toBe(false);
  expect(globMatcher(`{${'*a'.repeat(20)}?,x}`)('a'.repeat(100_000))).toBe(true);
});

test('globsOverlap() finds a name that two patterns share, where there is one', () => {
  // Two stars may match slashes differently, and are not analysed.
  const parts = ['a', 'b', '*', '?', '[ab]', '{a,bb}'];
  const patterns = textsOf(parts, 3).filter((pattern) => !pattern.includes('**'));
  const names = textsOf(['a', 'b'], 6);
  const matching = patterns.map((pattern) => {
    const matches = isGlob(pattern) ? globMatcher(pattern) : (name: string) => name === pattern;
    return new Set(names.filter(matches));
  });
  const different: string[] = [];
  for (const [at, one] of patterns.entries()) {
    for (const [place, other] of patterns.entries()) {
      const share = !matching[at]!.isDisjointFrom(matching[place]!);
      if (globsOverlap(one, other) !== share) different.push(`${one} ${other} ${share}`);
    }
  }
  expect(different).toEqual([]);
  // Patterns that are not analysed are assumed to match.
  expect(globsOverlap('!gpt-*', 'gpt-4o')).toBe(false);
  expect(globsOverlap('!gpt-*', 'gpt-4*')).toBe(true);
  expect(globsOverlap('gpt-[45]*', 'claude-*')).toBe(false);
});
