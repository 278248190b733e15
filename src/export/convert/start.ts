import { availableParallelism } from 'node:os';
import type { Converters } from './converters.ts';
import type { Plan } from './plan.ts';
import { wantedBy } from './converter.ts';
import { Growing } from './growing.ts';
import { Inline } from './inline.ts';
import { Pool } from './pool.ts';

/** More threads than these would wait for the one that receives their rows. */
const MOST_THREADS = 8;

interface Work {
  /** 0 for the calling thread only; by default as many as pay off. */
  readonly threads: number | undefined;
  /** The total size of the inputs on disk, bytes; `undefined` if one of them is a pipe. */
  readonly totalBytes: number | undefined;
  /** The number of bytes read so far. */
  readonly bytesRead: () => number;
}

/**
 * Creates the converter of the inputs' lines.
 * @throws ExportError of kind `usage` when the plan's selection is invalid
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
  // Its errors are thrown here: an error that is sent by a thread loses its class.
  await wantedBy(plan);
  const started = new Pool(plan, threads);
  await started.ready();
  return started;
}
