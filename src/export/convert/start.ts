import { availableParallelism } from 'node:os';
import type { Converters } from './converters.ts';
import type { Plan } from './plan.ts';
import { wantedBy } from './converter.ts';
import { Growing } from './growing.ts';
import { Inline } from './inline.ts';
import { Pool } from './pool.ts';

/** More threads than these wait for the one that takes their rows. */
const MOST_THREADS = 8;

interface Work {
  /** 0 for none but this one; when left out, as many as pay. */
  readonly threads: number | undefined;
  /** The bytes of all inputs on disk; `undefined` when a pipe is among them. */
  readonly totalBytes: number | undefined;
  /** Those that were read so far. */
  readonly bytesRead: () => number;
}

/**
 * What converts the lines of the inputs.
 * @throws ExportError of kind `usage` when the selection of the plan makes no sense
 */
export async function startConverters(
  plan: Plan,
  { threads, totalBytes, bytesRead }: Work,
): Promise<Converters> {
  const most = threads ?? Math.min(MOST_THREADS, availableParallelism());
  if (most === 0 || (threads === undefined && most === 1)) return Inline.create(plan);
  if (threads !== undefined || totalBytes === undefined) return pool(plan, most);
  return new Growing(plan, await Inline.create(plan), { threads: most - 1, totalBytes, bytesRead });
}

async function pool(plan: Plan, threads: number): Promise<Pool> {
  // What is wrong with it is told here: an error that comes from a thread has lost its kind.
  await wantedBy(plan);
  const started = new Pool(plan, threads);
  await started.ready();
  return started;
}
