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
    problem: /^the stream breaks its grammar: (?:error|response\.failed) has number \d+, not \d+$/,
    why: 'what the end of a cut stream still made readable is not sent, although its events were numbered',
  },
];

export function isKnown(problem: string): boolean {
  return KNOWN.some((known) => known.problem.test(problem));
}
