import { basename, dirname } from 'node:path';
import type { LogInput } from '../input.ts';
import { parseLogName } from '../names.ts';

/** Files whose records are in the order in which their answers ended, last file first. */
export type Chain = readonly LogInput[];

/**
 * Groups files so that each group is in order: one group per worker of a directory, since workers write at the same
 * time, and one for files with other names.
 * @param inputs oldest first, as returned by `findInputs`
 */
export function chainsOf(inputs: readonly LogInput[]): Chain[] {
  const groups = Map.groupBy(inputs, ({ path }) => {
    const log = parseLogName(basename(path));
    return log ? `${dirname(path)}\n${log.worker}` : '';
  });
  return [...groups.values()].map((chain) => chain.toReversed());
}

/** The UTC day in the name of a file; `undefined` if the name has none. */
export function dayOf({ path }: LogInput): string | undefined {
  return parseLogName(basename(path))?.day;
}
