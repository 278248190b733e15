/** Breaks a copy of the project in one way after another, and checks whether the examples notice. */
import type { Mutation } from './mutation.ts';
import type { Copy } from './copy.ts';
import { EXAMPLE_JOBS } from '../examples/jobs.ts';
import { freshNeeded } from '../jobs.ts';
import { openLab } from '../lab/lab.ts';
import { serveSource } from '../lab/serve.ts';
import { kindOf, shownFailure } from '../report.ts';
import { run } from '../run.ts';

export interface Tried {
  readonly mutation: Mutation;
  /**
   * Kinds of failures of its aspect that the unbroken project does not have, each with its first; empty if it went
   * unnoticed.
   */
  readonly noticed: readonly string[];
  /** Why it could not be tried: its place no longer exists. */
  readonly unfit?: string;
}

/** The failures of the copy in its current state, by kind, each with its first. */
async function failuresOf(copy: Copy): Promise<Map<string, string>> {
  const lab = await openLab({ serve: serveSource(copy.main), fresh: freshNeeded(EXAMPLE_JOBS) });
  try {
    const { failures } = await run(lab, EXAMPLE_JOBS, 1);
    return new Map(failures.toReversed().map((failure) => [kindOf(failure), shownFailure(failure)]));
  } finally {
    await lab[Symbol.asyncDispose]();
  }
}

/** @yields each mutation as soon as it was tried */
export async function* tryMutations(copy: Copy, mutations: readonly Mutation[]): AsyncGenerator<Tried> {
  const known = await failuresOf(copy);
  for (const mutation of mutations) {
    try {
      yield { mutation, ...(await tried(copy, mutation, known)) };
    } finally {
      copy.restore();
    }
  }
}

async function tried(
  copy: Copy,
  mutation: Mutation,
  known: ReadonlyMap<string, string>,
): Promise<Omit<Tried, 'mutation'>> {
  try {
    copy.apply(mutation);
  } catch (cause) {
    return { noticed: [], unfit: (cause as Error).message };
  }
  const noticed = [...(await failuresOf(copy))]
    .filter(
      ([kind]) => !known.has(kind) && [mutation.aspect].flat().some((aspect) => kind.endsWith(`: ${aspect}`)),
    )
    .map(([kind, first]) => `${kind}: ${first}`);
  return { noticed };
}
