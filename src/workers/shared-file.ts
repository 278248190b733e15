import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedMemory } from '../limits/shared-memory.ts';

/** The file descriptor of the shared file in a worker: after stdin, stdout and stderr. */
export const MEMORY_FD = 3;

export interface SharedFile {
  readonly fd: number;
  readonly memory: SharedMemory;
  close(): void;
}

/** Creates the file that the parent and its workers map. It has no name, so that nothing is left behind. */
export function makeSharedFile(processes: number): SharedFile {
  // In memory if possible: a file on disk would be written back from time to time.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'llmproxy-'));
  const path = join(folder, 'limits');
  const fd = openSync(path, 'wx+', 0o600);
  rmSync(folder, { recursive: true });
  ftruncateSync(fd, SharedMemory.bytes(processes));
  return { fd, memory: mapShared(fd, processes), close: () => closeSync(fd) };
}

/** The path of the same file for another process. @param fd open in this process */
export function mapShared(fd: number, processes: number): SharedMemory {
  return new SharedMemory(Bun.mmap(`/proc/self/fd/${fd}`, { shared: true }), processes);
}

/**
 * The offset from this process's monotonic clock to one that all processes of the machine share, milliseconds.
 * Determining it takes up to 10 ms: the system reports its uptime in such steps, and an exact moment is known only when
 * it changes.
 */
export function clockOffsetMs(monotonic: () => number): number {
  const begun = uptime();
  const untilMs = monotonic() + 20;
  let now = begun;
  while (now === begun && monotonic() < untilMs) now = uptime();
  return Number(now) * 1_000 - monotonic();
}

const uptime = () => readFileSync('/proc/uptime', 'latin1').split(' ')[0]!;
