/** Determines which log files are no longer written. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogName } from './names.ts';
import { endOfDay, isMissing, listLogs, utcDay } from './names.ts';

/** After this time past midnight every worker has certainly closed its file of the previous day. */
const LEAVE_MS = 60_000;

export interface FoundLog extends LogName {
  readonly size: number;
  readonly mtimeMs: number;
}

/** The log files of a directory with their sizes and times, oldest first. */
export async function findLogs(directory: string): Promise<FoundLog[]> {
  const found: FoundLog[] = [];
  for (const log of await listLogs(directory)) {
    const stats = await stat(join(directory, log.name)).catch((error: unknown) => {
      // Another process has already removed it.
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (stats?.isFile()) found.push({ ...log, size: stats.size, mtimeMs: stats.mtimeMs });
  }
  return found;
}

/**
 * Files that no process should have open: either the same worker has a newer file for that day, or the day is over.
 * Other workers get a minute to notice a newer file.
 * @param writer the worker that asks, and the file it writes
 */
export function closedAmong(
  found: readonly FoundLog[],
  nowMs: number,
  writer: { readonly worker: number; readonly current: string | undefined },
): FoundLog[] {
  const files = found.filter((file) => file.kind !== 'tmp');
  const today = utcDay(nowMs);
  const newest = new Map<string, number>();
  for (const { day, worker, sequence } of files) {
    const hand = `${day} ${worker}`;
    newest.set(hand, Math.max(sequence, newest.get(hand) ?? 0));
  }
  return files.filter(({ name, day, worker, sequence }) => {
    if (name === writer.current) return false;
    if (newest.get(`${day} ${worker}`)! > sequence) return true;
    return worker === writer.worker ? day < today : nowMs - endOfDay(day) >= LEAVE_MS;
  });
}

/** An upper bound for the time of the newest record in a file. A copied file has a later mtime than that. */
export function newestMs({ mtimeMs, day }: FoundLog): number {
  return Math.min(mtimeMs, endOfDay(day));
}
