import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { syncDirectory } from './files.ts';
import { isMissing } from './names.ts';

/** A copy this old that nobody finished was left by a process that died. */
export const STALE_MS = 10 * 60_000;

/**
 * Replaces a file that is no longer written by `<path>.zst`. Another process at the same work, or one that
 * appends after all, is noticed, and then nothing changes.
 * @param options.nowMs wall clock, to tell a copy in progress from one that was abandoned
 * @param options.signal ends the work; the half-made copy is removed
 * @returns whether the file was replaced
 */
export async function compressFile(
  path: string,
  options: { nowMs: number; signal: AbortSignal },
): Promise<boolean> {
  const copy = `${path}.zst.tmp`;
  const handle = await lock(copy, options.nowMs);
  if (!handle) return false;
  try {
    const before = await stat(path);
    await fill(handle, path, options.signal);
    await handle.utimes(before.atimeMs / 1000, before.mtimeMs / 1000);
    await handle.sync();
    // Another process may have taken over when this one slept for long.
    const own = (await handle.stat()).ino === (await stat(copy)).ino;
    if (!own) return false;
    return await replace(path, before.size);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** The copy's existence is the lock. `undefined` when another process holds it. */
async function lock(copy: string, nowMs: number): Promise<FileHandle | undefined> {
  const create = () => open(copy, 'wx', 0o600);
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const { mtimeMs } = await stat(copy);
    if (nowMs - mtimeMs < STALE_MS) return undefined;
    await unlink(copy);
    return create();
  }
}

async function fill(handle: FileHandle, path: string, signal: AbortSignal): Promise<void> {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const write = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) await writeWhole(handle, chunk);
  };
  await pipeline(createReadStream(path), zstd, write, { signal });
}

async function writeWhole(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await handle.write(chunk, written)).bytesWritten;
  }
}

/** Puts the copy in place of the original, unless that grew meanwhile: then the copy goes. */
async function replace(path: string, size: number): Promise<boolean> {
  await rename(`${path}.zst.tmp`, `${path}.zst`);
  await syncDirectory(dirname(path));
  const after = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (after && after.size !== size) {
    await unlink(`${path}.zst`);
    return false;
  }
  // Whoever still has the original open finds it unlinked after his next write and writes that again.
  if (after) await unlink(path);
  return true;
}
