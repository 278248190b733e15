import { basename, dirname } from 'node:path';
import type { LogInput } from '../input.ts';
import { parseLogName } from '../names.ts';

/** Files in which records stand in the order in which their answers ended, the last file first. */
export type Chain = readonly LogInput[];

/**
 * Groups files so that each group is in order: one for each worker of a directory, as workers write at the same time, and one
 * for files with other names.
 * @param inputs oldest first, as `findInputs` gives them
 */
export function chainsOf(inputs: readonly LogInput[]): Chain[] {
  const groups = Map.groupBy(inputs, ({ path }) => {
    const log = parseLogName(basename(path));
    return log ? `${dirname(path)}\n${log.worker}` : '';
  });
  return [...groups.values()].map((chain) => chain.toReversed());
}

/** The UTC day that a file is of, by its name; `undefined` where the name says nothing. */
export function dayOf({ path }: LogInput): string | undefined {
  return parseLogName(basename(path))?.day;
}
