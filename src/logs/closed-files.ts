/** Which files of the log nobody writes any more. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogName } from './names.ts';
import { endOfDay, isMissing, listLogs, utcDay } from './names.ts';

/** How long after the end of a day each worker has closed its file of that day for certain. */
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
      // Another process was faster.
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (stats?.isFile()) found.push({ ...log, size: stats.size, mtimeMs: stats.mtimeMs });
  }
  return found;
}

/**
 * Files that nobody has open by rights: the same worker has a newer one of the day, or the day is over. Another worker is
 * given a minute to notice that.
 * @param writer who asks, and the file that it writes
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

/** When the newest record of a file was written, at the latest. A copied file has a later mtime than that. */
export function newestMs({ mtimeMs, day }: FoundLog): number {
  return Math.min(mtimeMs, endOfDay(day));
}
