export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * The counts in the summary that `bun test` writes to stderr. An error outside of any test (a file that does not load,
 * a throw after the last test) counts as a failure, and so does a run that ended without a summary.
 */
export function countTests(stderr: string): TestCounts {
  const text = Bun.stripANSI(stderr);
  const sum = (word: RegExp) =>
    [...text.matchAll(word)].reduce((total, [, count]) => total + Number(count), 0);
  if (!/^Ran \d+ tests? across /m.test(text)) return { passed: 0, failed: 1 };
  return { passed: sum(/^ *(\d+) pass$/gm), failed: sum(/^ *(\d+) (?:fail|errors?)$/gm) };
}

/** The number of failed tests by file, from the headings that `bun test` writes to stderr. */
export function failuresByFile(stderr: string): ReadonlyMap<string, number> {
  const failures = new Map<string, number>();
  let file: string | undefined;
  for (const line of Bun.stripANSI(stderr).split('\n')) {
    // At its end, a long run lists its failures again.
    if (/^\d+ tests? failed:$/.test(line)) break;
    const heading = /^(\S+\.test\.tsx?):$/.exec(line);
    if (heading) file = heading[1];
    else if (file !== undefined && line.startsWith('(fail) '))
      failures.set(file, (failures.get(file) ?? 0) + 1);
  }
  return failures;
}
