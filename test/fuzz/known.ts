/** Known defects, which are not reported again, each with the reason. */

interface Known {
  readonly problem: RegExp;
  readonly why: string;
}

export const KNOWN: readonly Known[] = [
  {
    problem: /^the stream breaks its grammar: Response\/incomplete_details(?:\/reason)? must be/,
    why: 'a reason that the provider names and nobody knows is told as it is, which says more than the wrong one of two',
  },
];

export function isKnown(problem: string): boolean {
  return KNOWN.some((known) => known.problem.test(problem));
}
