/** Removes the content of requests and answers from log files that are no longer written. */
import type { FileHandle } from 'node:fs/promises';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { turns } from '../turns.ts';
import type { JsonObject } from '../wire/json.ts';
import { readBlocks } from './blocks.ts';
import { DamagedInput } from './unpacked.ts';
import { beginCopy, endCopy, writeWhole } from './copy.ts';
import { syncDirectory } from './files.ts';
import { headRecord } from './head-record.ts';
import { LineBeginnings } from './line-beginnings.ts';
import { isMissing } from './names.ts';

/** The size of one write, characters. */
const WRITE_CHARS = 64 * 1024;

export interface ExpireOptions {
  /** Wall clock, to tell a copy in progress from an abandoned one, milliseconds since the epoch. */
  readonly nowMs: number;
  /** Cancels the work; the unfinished copy is removed. */
  readonly signal: AbortSignal;
}

/** The result for one file. */
export interface Expired {
  /** The number of lines that were dropped: no records, or cut off within their heads. */
  lost: number;
  /** Whether compressed data was damaged, so that everything after it was dropped. */
  damaged: boolean;
}

/** Whether a file holds only heads, judged by its first record. */
export async function isExpired(path: string, signal: AbortSignal): Promise<boolean> {
  const lines = new LineBeginnings();
  try {
    for await (const block of readBlocks(inputOf(path), { signal })) {
      for (const line of lines.push(block)) {
        const head = headRecord(line);
        if (head) return isSame(head, line);
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
  }
  const last = lines.end();
  const head = last && headRecord(last);
  return last === undefined || (head !== undefined && isSame(head, last));
}

/** Whether a line consists of its head only. */
function isSame(head: JsonObject, line: Buffer): boolean {
  return JSON.stringify(head) === line.toString();
}

/**
 * Replaces a file by one that holds only the heads of its lines, with the same name, mode and modification time,
 * compressed if the original was. At any moment, also after a crash, one complete file is in place: the old or the new
 * one. If another process does the same work, or appends to the file after all, this is detected and nothing changes.
 * @returns `undefined` if nothing changed
 */
export async function expireFile(path: string, options: ExpireOptions): Promise<Expired | undefined> {
  const copy = `${path}.heads.tmp`;
  const handle = await beginCopy(copy, options.nowMs);
  if (!handle) return undefined;
  let ours = true;
  try {
    const before = await stat(path);
    const expired = { lost: 0, damaged: false };
    await fill(handle, path, expired, options.signal);
    await handle.chmod(before.mode & 0o777);
    await handle.utimes(before.atimeMs / 1000, before.mtimeMs / 1000);
    ours = await endCopy(handle, copy);
    if (!ours || !(await isStill(path, before))) return undefined;
    await rename(copy, path);
    ours = false;
    await syncDirectory(dirname(path));
    return expired;
  } finally {
    await handle.close();
    if (ours) await rm(copy, { force: true });
  }
}

function inputOf(path: string) {
  return { name: path, path, bytes: undefined };
}

async function fill(handle: FileHandle, path: string, expired: Expired, signal: AbortSignal): Promise<void> {
  const heads = Readable.from(headsOf(readBlocks(inputOf(path), { signal }), expired));
  const write = async (chunks: AsyncIterable<Buffer | string>) => {
    for await (const chunk of chunks) await writeWhole(handle, Buffer.from(chunk));
  };
  if (!path.endsWith('.zst')) return pipeline(heads, write, { signal });
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  return pipeline(heads, zstd, write, { signal });
}

/** The heads of the lines, a few at a time, yielding to the event loop in between. */
async function* headsOf(blocks: AsyncIterable<Buffer>, expired: Expired): AsyncGenerator<string> {
  const lines = new LineBeginnings();
  let heads = '';
  const add = (line: Buffer) => {
    const record = headRecord(line);
    if (record) heads += `${JSON.stringify(record)}\n`;
    else expired.lost += 1;
  };
  try {
    for await (const block of blocks) {
      for (const line of lines.push(block)) {
        add(line);
        await turns.pause();
        if (heads.length < WRITE_CHARS) continue;
        yield heads;
        heads = '';
      }
    }
    const last = lines.end();
    if (last) add(last);
  } catch (error) {
    if (!(error instanceof DamagedInput)) throw error;
    expired.damaged = true;
  }
  if (heads !== '') yield heads;
}

/** Whether the file at the path is the one that was read, with the same size. */
async function isStill(
  path: string,
  before: { readonly ino: number; readonly size: number },
): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    // Another process has compressed or deleted it.
    if (isMissing(error)) return undefined;
    throw error;
  });
  return found?.ino === before.ino && found.size === before.size;
}
