/**
 * The request log file that is being appended to. A file is never renamed while it is written. Each worker writes
 * files of its own; separate processes append to the newest file of the day, so that they can share a directory.
 */
import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import type { LogName } from './names.ts';
import { fileReason, isMissing, listLogs, logName, utcDay } from './names.ts';

export interface LogFileOptions {
  readonly directory: string;
  /** The number of the worker that writes, from 1; 0 where a single process serves. */
  readonly worker: number;
  /** The size at which a new file is started, bytes; 0 for no limit. */
  readonly rotateSize: number;
  /** Whether to fsync a file and its directory entry when moving on to the next. */
  readonly durable: boolean;
  readonly clock: Clock;
  /** Called with the name and the day of each file that is opened. */
  readonly onOpen: (name: string, day: string) => void;
  readonly onProblem: (message: string) => void;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly day: string;
  readonly inode: number;
  readonly device: number;
  /** Whether the file system counts links, so that a count of 0 means that the file was deleted. */
  readonly countsLinks: boolean;
  size: number;
  /** Whether the file ends within a line because a process died there or the disk was full. */
  torn: boolean;
  unsynced: boolean;
  checkedMs: number;
}

/** The interval at which the path is checked: the file may have been moved, or extended by another process. */
const CHECK_MS = 250;
const NEWLINE = Buffer.from('\n');
/** The number of trailing bytes by which a partially written line is recognised. */
const TAIL_BYTES = 4_096;

/** The file that batches are appended to. Calls must not overlap. */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #directory: string;
  #file: OpenFile | undefined;
  #path: string;
  #syncFails = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#directory = resolve(options.directory);
    this.#path = this.#directory;
  }

  /** The file written last, or the one that could not be opened. */
  get path(): string {
    return this.#path;
  }

  /**
   * Appends whole lines with one write to the newest file of the day that is below the rotation size. Never rejects.
   * @param from where to continue: the position at which the last attempt to write these lines stopped. A line that was
   *   cut there is completed if it is still at the end of the file, and otherwise written again on a line of its own.
   * @returns how far the lines were written, and the error that prevented the rest
   */
  async append(lines: Buffer, from = 0): Promise<{ bytes: number; error?: unknown }> {
    const progress = { bytes: from };
    try {
      for (let round = 0; round < 3; round++) {
        const file = await this.#current();
        progress.bytes = await beginAt(file, lines, from);
        await writeLines(file, lines, progress);
        const { size, nlink } = fstatSync(file.handle.fd);
        file.size = size;
        if (nlink > 0 || !file.countsLinks) return progress;
        // The file was deleted while it was open: its last write is lost, so the batch is written again to a new file.
        await this.close();
        progress.bytes = from;
      }
      return { ...progress, error: new Error('it is deleted as soon as it is created') };
    } catch (error) {
      // Reopening shows whether the file ends within a line, and helps when the disk was replaced.
      await this.close();
      return { ...progress, error };
    }
  }

  /** Forces appended data to disk. Does not throw; a failure is reported once until a sync succeeds again. */
  async sync(): Promise<void> {
    const file = this.#file;
    if (!file?.unsynced) return;
    file.unsynced = false;
    const error = await file.handle.datasync().catch((error: unknown) => error);
    if (error && !this.#syncFails) {
      this.#options.onProblem(`Cannot force the request log ${file.path} to disk: ${fileReason(error)}`);
    }
    this.#syncFails = Boolean(error);
  }

  /** Closes the file when its day is over. @returns whether it did */
  async leave(): Promise<boolean> {
    const over = this.#file !== undefined && this.#file.day < utcDay(this.#options.clock.now());
    if (over) await this.close();
    return over;
  }

  async close(): Promise<void> {
    if (this.#options.durable) await this.sync();
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch((error: unknown) => {
      this.#options.onProblem(`Cannot close the request log ${file.path}: ${fileReason(error)}`);
    });
  }

  async #current(): Promise<OpenFile> {
    const { clock, rotateSize } = this.#options;
    const day = utcDay(clock.now());
    const file = this.#file;
    if (file && file.day === day && !(await this.#moved(file)) && below(file.size, rotateSize)) return file;
    await this.close();
    this.#file = await this.#openDay(day);
    return this.#file;
  }

  /** Whether the path no longer leads to this file. Also accounts for data that other processes appended. */
  async #moved(file: OpenFile): Promise<boolean> {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - file.checkedMs < CHECK_MS) return false;
    file.checkedMs = nowMs;
    const found = await statIfThere(file.path);
    if (found?.ino !== file.inode || found.dev !== file.device) return true;
    if (found.size !== file.size) {
      file.size = found.size;
      file.torn = await endsTorn(file.handle);
    }
    return false;
  }

  async #openDay(day: string): Promise<OpenFile> {
    const { worker, rotateSize, durable, clock, onOpen } = this.#options;
    this.#path = join(this.#directory, logName(day, 0, worker));
    // The files hold prompts: only the owner may read them.
    await mkdir(this.#directory, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') throw new Error('its directory is a file', { cause });
      throw cause;
    });
    const sequence = await nextSequence(this.#directory, { day, worker }, rotateSize);
    const name = logName(day, sequence, worker);
    const path = join(this.#directory, name);
    this.#path = path;
    const handle = await open(path, 'a+', 0o600);
    try {
      const { size, ino, dev, nlink } = await handle.stat();
      const torn = await endsTorn(handle);
      if (durable && size === 0) await syncDirectory(this.#directory);
      onOpen(name, day);
      const state = { size, torn, unsynced: false, checkedMs: clock.monotonic() };
      return { handle, path, day, inode: ino, device: dev, countsLinks: nlink > 0, ...state };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

function below(size: number, rotateSize: number): boolean {
  return rotateSize === 0 || size < rotateSize;
}

/** The worker's newest file number of the day while that file has room, otherwise the next one. */
async function nextSequence(
  directory: string,
  { day, worker }: Pick<LogName, 'day' | 'worker'>,
  rotateSize: number,
): Promise<number> {
  const logs = (await listLogs(directory)).filter((log) => log.day === day && log.worker === worker);
  const last = Math.max(-1, ...logs.map((log) => log.sequence));
  if (last < 0) return 0;
  // A compressed file is closed for good, even while its original still exists.
  const open = logs.every((log) => log.sequence !== last || log.kind === 'plain');
  const found = open ? await statIfThere(join(directory, logName(day, last, worker))) : undefined;
  return found && below(found.size, rotateSize) ? last : last + 1;
}

async function statIfThere(path: string) {
  return stat(path).catch((error: unknown) => {
    // ENOTDIR: a file is in the place of the directory.
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  });
}

/** Whether the last byte is not a newline. If the size changes, another process is in the middle of a write. */
async function endsTorn(handle: FileHandle): Promise<boolean> {
  for (;;) {
    const { size } = await handle.stat();
    if (size === 0) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (bytesRead === 0 || buffer[0] === NEWLINE[0]) return false;
    if ((await handle.stat()).size === size) return true;
  }
}

/**
 * Where to continue writing lines of which some bytes are already written: within a line if the file still ends with
 * the written part. The bytes are compared, because another process may have appended meanwhile.
 */
async function beginAt(file: OpenFile, lines: Buffer, from: number): Promise<number> {
  const begin = from === 0 ? 0 : lines.lastIndexOf(NEWLINE, from - 1) + 1;
  if (begin === from) return from;
  const cut = lines.subarray(Math.max(begin, from - TAIL_BYTES), from);
  if (file.torn && (await endsWith(file.handle, cut))) {
    file.torn = false;
    return from;
  }
  // A line that lacks only its newline holds its record.
  return lines[from] === NEWLINE[0] ? from + 1 : begin;
}

async function endsWith(handle: FileHandle, bytes: Buffer): Promise<boolean> {
  const { size } = await handle.stat();
  if (size < bytes.length) return false;
  const found = Buffer.alloc(bytes.length);
  const { bytesRead } = await handle.read(found, 0, found.length, size - found.length);
  return bytesRead === found.length && found.equals(bytes);
}

/** Writes the lines from `progress` on and advances it, after a newline if the file ends within a line. */
async function writeLines(file: OpenFile, lines: Buffer, progress: { bytes: number }): Promise<void> {
  const from = progress.bytes;
  const rest = lines.subarray(from);
  const lead = file.torn ? NEWLINE.length : 0;
  const data = file.torn ? Buffer.concat([NEWLINE, rest]) : rest;
  file.unsynced = true;
  for (let written = 0; written < data.length;) {
    const { bytesWritten } = await file.handle.write(data, written, data.length - written, null);
    if (bytesWritten === 0) throw new Error('nothing was written');
    written += bytesWritten;
    progress.bytes = from + Math.max(0, written - lead);
  }
  file.torn = false;
}

/** Makes a new or renamed file in `directory` survive a power failure. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory, and makes its entries durable by other means.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
