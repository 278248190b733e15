import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedMemory } from '../limits/shared-memory.ts';

/** Where a worker finds the file of what all share: behind stdin, stdout and stderr. */
export const MEMORY_FD = 3;

export interface SharedFile {
  readonly fd: number;
  readonly memory: SharedMemory;
  close(): void;
}

/** Makes the file that the parent and its workers map. It has no name, so that nothing is left of it at the end. */
export function makeSharedFile(processes: number): SharedFile {
  // In memory where that can be: a file on a disk would be written out from time to time.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'llmproxy-'));
  const path = join(folder, 'limits');
  const fd = openSync(path, 'wx+', 0o600);
  rmSync(folder, { recursive: true });
  ftruncateSync(fd, SharedMemory.bytes(processes));
  return { fd, memory: mapShared(fd, processes), close: () => closeSync(fd) };
}

/** The same file as another process meets it. @param fd open in this process */
export function mapShared(fd: number, processes: number): SharedMemory {
  return new SharedMemory(Bun.mmap(`/proc/self/fd/${fd}`, { shared: true }), processes);
}

/**
 * What is to be added to this process's monotonic clock for one that all processes of the machine share,
 * milliseconds. Takes up to 10 ms: the system tells its time in such steps, and one begins when it changes.
 */
export function clockOffsetMs(monotonic: () => number): number {
  const begun = uptime();
  const untilMs = monotonic() + 20;
  let now = begun;
  while (now === begun && monotonic() < untilMs) now = uptime();
  return Number(now) * 1_000 - monotonic();
}

const uptime = () => readFileSync('/proc/uptime', 'latin1').split(' ')[0]!;
