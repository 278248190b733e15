import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { beginCopy, endCopy, writeWhole } from './copy.ts';
import { syncDirectory } from './files.ts';
import { isMissing } from './names.ts';

/**
 * Replaces a file that is no longer written by `<path>.zst`. If another process does the same work, or appends to the
 * file after all, this is detected and nothing changes.
 * @param options.nowMs wall clock, to tell a copy in progress from an abandoned one
 * @param options.signal cancels the work; the unfinished copy is removed
 * @returns whether the file was replaced
 */
export async function compressFile(
  path: string,
  options: { nowMs: number; signal: AbortSignal },
): Promise<boolean> {
  const copy = `${path}.zst.tmp`;
  const handle = await beginCopy(copy, options.nowMs);
  if (!handle) return false;
  try {
    const before = await stat(path);
    await fill(handle, path, options.signal);
    await handle.utimes(before.atimeMs / 1000, before.mtimeMs / 1000);
    if (!(await endCopy(handle, copy))) return false;
    return await replace(path, before.size);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function fill(handle: FileHandle, path: string, signal: AbortSignal): Promise<void> {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const write = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) await writeWhole(handle, chunk);
  };
  await pipeline(createReadStream(path), zstd, write, { signal });
}

/** Puts the copy in place of the original. If the original has grown meanwhile, the copy is deleted instead. */
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
  // A process that still has the original open finds it unlinked after its next write, and writes that batch again.
  if (after) await unlink(path);
  return true;
}
