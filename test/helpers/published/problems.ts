import type { z } from 'zod';

/** The problems of a value according to the schema that its protocol publishes. */
export function publishedProblems(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap((issue) => told(issue, []));
}

/** If a value matches no member of a union, the problems are those of the member that comes nearest. */
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
