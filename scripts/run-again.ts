/** Runs failed test files once more, since a test that waits for a real event can time out on a busy machine. */
import { countTests, failuresByFile } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

/** A run of `bun test` that has ended. */
export interface TestRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunAgain {
  /** The counts of the first run, in which the second result of a file replaces its first one. */
  readonly counts: TestCounts;
  /** What happened the second time: everything that the files that failed twice wrote, and the names of all files. */
  readonly report: string;
}

/** A few files may fail because the machine is busy; more than that is no coincidence. */
const MOST_AGAIN = 4;

/**
 * Runs the files that failed in a run once more, one after another, each in a process of its own and with nothing
 * beside it. A file that fails again counts as failed.
 * @param first the run in which they failed
 * @param runFile runs one file; its path is relative, as `bun test` printed it
 * @returns `undefined` if running them again could not show that the first run passed: too many failed, or a failure
 *   belongs to no file
 */
export async function runAgain(
  first: TestRun,
  runFile: (file: string) => Promise<TestRun>,
): Promise<RunAgain | undefined> {
  const counts = countTests(first.err);
  const failures = failuresByFile(first.err);
  const named = failures.values().reduce((total, count) => total + count, 0);
  // An error outside of any test belongs to no file that could be run again.
  if (failures.size === 0 || failures.size > MOST_AGAIN || named < counts.failed) return undefined;
  const reports: string[] = [];
  let { passed, failed } = counts;
  for (const [file, before] of failures) {
    const { code, out, err } = await runFile(file);
    const second = countTests(err);
    // A test that ends the process ends it with exit code 0 and without a summary, which is not a success.
    const passes = code === 0 && second.failed === 0 && second.passed > 0;
    const still = passes ? 0 : Math.max(second.failed, 1);
    passed += Math.max(before - still, 0);
    failed += still - before;
    reports.push(
      passes
        ? `Passed only when run again alone: ${file}\n`
        : `${out}${err}\nFailed again when run alone: ${file}\n`,
    );
  }
  return { counts: { passed, failed }, report: reports.join('') };
}
