/** Runs cases on a separate stage: what they break by themselves, and which of their steps are needed for that. */
import type { Case } from './case.ts';
import type { Seen } from './oracle.ts';
import { makeCase } from './case.ts';
import { complaintsIn } from './complaints.ts';
import { isKnown } from './known.ts';
import { LANES } from './lanes.ts';
import { problemsOf } from './oracle.ts';
import { told } from './proxy.ts';
import { good, healthProblems, runCase, setStage } from './stage.ts';

/** How many cases are rerun to find out which of them caused a problem. */
const MOST_SUSPECTS = 16;

export interface Finding {
  readonly case: Case | undefined;
  readonly problems: readonly string[];
  readonly seen?: Seen;
  /** The steps to keep. */
  readonly keep?: readonly number[];
}

/** Runs a case on a separate stage. @returns the problems that it causes */
export async function alone(
  command: readonly string[],
  fuzzed: Case,
): Promise<{ problems: string[]; seen: Seen; heldMs: number }> {
  await using stage = await setStage(command, [fuzzed.side]);
  // The first requests are slower than all others.
  for (const [at] of LANES.entries()) await good(stage, fuzzed.side, at, 1);
  const proxy = stage.proxies.get(fuzzed.side)!;
  await Bun.sleep(50);
  proxy.slow.length = 0;
  const seen = await runCase(stage, fuzzed);
  await Bun.sleep(150);
  const problems = await problemsOf(fuzzed, seen);
  const said = complaintsIn(told(proxy.complaints));
  if (said && !isKnown(`the proxy complained: ${said}`)) problems.push(`the proxy complained: ${said}`);
  const died = proxy.died();
  if (died) problems.push(`the proxy died: ${died}`);
  else problems.push(...(await healthProblems(stage, 1)));
  return { problems, seen, heldMs: Math.max(0, ...proxy.slow.map(({ heldMs }) => heldMs)) };
}

/**
 * Removes steps one by one, as long as the case still causes a problem. @returns nothing if only the machine was slow
 */
export async function shrunk(command: readonly string[], finding: Finding): Promise<Finding | undefined> {
  const { seed, number, steps } = finding.case!;
  const first = makeCase(seed, number, 0);
  const whole = await alone(command, first);
  if (whole.problems.length === 0) {
    // On a busy machine, providers may be silent for longer than the configuration allows.
    if (finding.problems.every((problem) => /^status 504|timeout/.test(problem))) return undefined;
    return { ...finding, problems: [...finding.problems, '(not when it runs alone)'] };
  }
  let keep = Array.from({ length: steps }, (_, at) => at);
  let last = { case: first, ...whole };
  for (const without of keep.toReversed()) {
    if (keep.length === 1) break;
    const fewer = keep.filter((at) => at !== without);
    const fuzzed = makeCase(seed, number, 0, fewer);
    const { problems, seen } = await alone(command, fuzzed);
    if (!problems.some((problem) => sortOf(problem) === sortOf(whole.problems[0]!))) continue;
    keep = fewer;
    last = { case: fuzzed, problems, seen, heldMs: 0 };
  }
  return { case: last.case, problems: last.problems, seen: last.seen, keep };
}

/** The kind of a problem: numbers and quoted words differ from case to case. */
export function sortOf(problem: string): string {
  return problem.replaceAll(/"[^"]*"|\d+(?:\.\d+)?/g, '…').slice(0, 120);
}

/** Finds the case that causes the same problem when it runs alone. */
export async function blamed(
  command: readonly string[],
  cases: readonly Case[],
  problem: string,
): Promise<Finding | undefined> {
  for (const { seed, number } of cases.slice(0, MOST_SUSPECTS)) {
    const fuzzed = makeCase(seed, number, 0);
    const { problems, seen } = await alone(command, fuzzed);
    if (problems.some((each) => sortOf(each) === sortOf(problem))) return { case: fuzzed, problems, seen };
  }
  return undefined;
}
