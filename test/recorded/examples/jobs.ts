/** The requests to the binary for the examples. */
import type { Job } from '../jobs.ts';
import type { ForSome } from './examples.ts';
import { plan } from '../jobs.ts';
import { EXAMPLES, FOR_SOME } from './examples.ts';

type AnswerJob = Job & { kind: 'answer' | 'broken' | 'failure' };

/** The jobs of an answer for these clients only. */
export function jobsFor({ recorded, clients }: ForSome): AnswerJob[] {
  const { jobs } = plan([recorded]);
  return jobs.filter((job): job is AnswerJob => job.kind === 'answer' && clients.includes(job.client));
}

export const PLANNED = plan(EXAMPLES);

export const EXAMPLE_JOBS: readonly Job[] = [...PLANNED.jobs, ...FOR_SOME.flatMap(jobsFor)];
