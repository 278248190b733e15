import type { z } from 'zod';

/** What is wrong with a value by what its protocol publishes. */
export function publishedProblems(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap((issue) => told(issue, []));
}

/** Of the members of a union that a value is none of, the one that it comes nearest to says what is wrong. */
function told(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): string[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0)
    return [`${path.map(String).join('.')}: ${issue.message}`];
  const nearest = issue.errors.toSorted((a, b) => deepest(b) - deepest(a) || a.length - b.length)[0]!;
  return nearest.flatMap((each) => told(each, path));
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  const isType = issues.some(({ path }) => path[0] === 'type');
  return isType ? 0 : Math.max(...issues.map(({ path }) => path.length + 1));
}
