/** Temporary copies that replace a log file once they are complete. */
import type { FileHandle } from 'node:fs/promises';
import { open, stat, unlink } from 'node:fs/promises';

/** An unfinished copy of this age was left behind by a process that died, milliseconds. */
export const STALE_MS = 10 * 60_000;

/**
 * Begins a copy. Its existence is the lock: `undefined` when another process holds it.
 * @param nowMs wall clock, to tell a copy in progress from an abandoned one
 */
export async function beginCopy(path: string, nowMs: number): Promise<FileHandle | undefined> {
  const create = () => open(path, 'wx', 0o600);
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs < STALE_MS) return undefined;
    await unlink(path);
    return create();
  }
}

/**
 * Forces a copy to disk. @returns whether it is still ours: another process may take over after a long pause of this
 * one
 */
export async function endCopy(handle: FileHandle, path: string): Promise<boolean> {
  await handle.sync();
  return (await handle.stat()).ino === (await stat(path)).ino;
}

export async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await handle.write(chunk, written)).bytesWritten;
  }
}
