/** The results of a run, for people. */
import type { Plan } from './jobs.ts';
import type { Failure, Outcome } from './run.ts';

/** The kind of a failure: its way and its aspect. */
export function kindOf({ way, aspect }: Failure): string {
  return `${way}: ${aspect}`;
}

/** A table of ways, the reasons for what was skipped or excused, and the failures by kind. */
export function report({ skipped, unknown }: Plan, { ways, rules, failures }: Outcome): string {
  const kinds = Map.groupBy(failures, kindOf);
  return [
    '  ASKED FAILED  WAY',
    ...[...ways]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([way, { asked, failed }]) => `${pad(asked)}${pad(failed)}  ${way}`),
    '',
    'left out, by kind:',
    ...rows(skipped),
    'excused, by rule:',
    ...rows(rules),
    ...unknown.map((name) => `of a kind that nobody has looked at: ${name}`),
    `${failures.length} failures, by kind, each with its first:`,
    ...[...kinds]
      .toSorted(([, a], [, b]) => b.length - a.length)
      .map(
        ([kind, [first, ...more]]) =>
          `${pad(more.length + 1)}  ${kind}\n${' '.repeat(9)}${shownFailure(first!)}`,
      ),
    '',
  ].join('\n');
}

function rows(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([reason, count]) => `${pad(count)}  ${reason}`);
}

function pad(count: number): string {
  return String(count).padStart(7);
}

export function shownFailure({ where, text }: Failure): string {
  return `${where}: ${text.replaceAll('\n', ' ').slice(0, 300)}`;
}
