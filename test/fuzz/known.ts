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
  {
    problem: /^the stream breaks its grammar: Response\/incomplete_details(?:\/reason)? must be/,
    why: 'a reason that the provider names and nobody knows is told as it is, which says more than the wrong one of two',
  },
];

export function isKnown(problem: string): boolean {
  return KNOWN.some((known) => known.problem.test(problem));
}
