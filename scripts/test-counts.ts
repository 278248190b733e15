export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * What `bun test` counted, from the summary it writes to stderr. An error outside of any test (a file that does
 * not load, a throw after the last test) counts as a failure, and so does a run that ended without a summary.
 */
export function countTests(stderr: string): TestCounts {
  const text = Bun.stripANSI(stderr);
  const sum = (word: RegExp) =>
    [...text.matchAll(word)].reduce((total, [, count]) => total + Number(count), 0);
  if (!/^Ran \d+ tests? across /m.test(text)) return { passed: 0, failed: 1 };
  return { passed: sum(/^ *(\d+) pass$/gm), failed: sum(/^ *(\d+) (?:fail|errors?)$/gm) };
}
