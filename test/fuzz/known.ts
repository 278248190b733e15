/** What is known to be wrong and is not told again, each with why. */

interface Known {
  readonly problem: RegExp;
  readonly why: string;
}

export const KNOWN: readonly Known[] = [
  {
    problem:
      /^the proxy complained: ProxyError: Cannot (?:reach|wait|read|complete|use|finish|answer) .* \| at reworded /,
    why: 'an answer that is passed on unread, such as of audio, breaks its connection when it is cut, and Bun writes the error of such a body on stderr',
  },
];

export function isKnown(problem: string): boolean {
  return KNOWN.some((known) => known.problem.test(problem));
}
