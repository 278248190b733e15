/**
 * The file of the request log that is being appended to. Files are never renamed while they are written. Each of several
 * workers has files of its own; other processes append to the newest of the day, so that they may share a directory.
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
  /** Which of several workers writes, from 1; 0 where one process serves. */
  readonly worker: number;
  /** Bytes after which a new file begins; 0 for never. */
  readonly rotateSize: number;
  /** Whether data and names are to be forced to disk when a file is left. */
  readonly durable: boolean;
  readonly clock: Clock;
  /** Called with the name of each file that is opened, and its day. */
  readonly onOpen: (name: string, day: string) => void;
  readonly onProblem: (message: string) => void;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly day: string;
  readonly inode: number;
  readonly device: number;
  /** Whether the file system counts links, so that none means deleted. */
  readonly countsLinks: boolean;
  size: number;
  /** The file ends within a line: a process died there, or the disk was full. */
  torn: boolean;
  unsynced: boolean;
  checkedMs: number;
}

/** How often the path is looked at for a file that was moved, or grew by another process. */
const CHECK_MS = 250;
const NEWLINE = Buffer.from('\n');
/** By so many of its last bytes a line that was cut is known again. */
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
   * Appends whole lines by one write, to the newest file of the day below the rotation size. Never rejects.
   * @param from where to begin: where the last attempt with the same lines ended. A line that it cut is completed where it
   * still is the end of the file, and else begun again on a line of its own.
   * @returns up to where the lines are in the file, and the error that kept out the rest
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
        // Deleted underneath: what was written went with it, so it is written again to a new file.
        await this.close();
        progress.bytes = from;
      }
      return { ...progress, error: new Error('it is deleted as soon as it is made') };
    } catch (error) {
      // Opening anew finds out whether the end is torn, and helps when the disk was replaced.
      await this.close();
      return { ...progress, error };
    }
  }

  /** Forces what was appended to disk. Failure is reported once until it succeeds again, and not thrown. */
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

  /** Whether another file, or none, stands where this one was. Also takes in what other processes appended. */
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
    // The files hold prompts: nobody but the owner may read them.
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

/** The worker's newest sequence of the day while it has room, else the one after it. */
async function nextSequence(
  directory: string,
  { day, worker }: Pick<LogName, 'day' | 'worker'>,
  rotateSize: number,
): Promise<number> {
  const logs = (await listLogs(directory)).filter((log) => log.day === day && log.worker === worker);
  const last = Math.max(-1, ...logs.map((log) => log.sequence));
  if (last < 0) return 0;
  // A compressed file is closed for good, also while its original is still there.
  const open = logs.every((log) => log.sequence !== last || log.kind === 'plain');
  const found = open ? await statIfThere(join(directory, logName(day, last, worker))) : undefined;
  return found && below(found.size, rotateSize) ? last : last + 1;
}

async function statIfThere(path: string) {
  return stat(path).catch((error: unknown) => {
    // ENOTDIR: a file stands where its directory was.
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  });
}

/** Whether the last byte is no newline. A size that moves is another process in the middle of a write. */
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
 * Where to go on with lines of which some bytes are written: within a line when the file ends with what came before of it.
 * That is seen by the bytes themselves, as another process may have written meanwhile.
 */
async function beginAt(file: OpenFile, lines: Buffer, from: number): Promise<number> {
  const begin = from === 0 ? 0 : lines.lastIndexOf(NEWLINE, from - 1) + 1;
  if (begin === from) return from;
  const cut = lines.subarray(Math.max(begin, from - TAIL_BYTES), from);
  if (file.torn && (await endsWith(file.handle, cut))) {
    file.torn = false;
    return from;
  }
  // Of a line that lacks nothing but its end, the record is in the file.
  return lines[from] === NEWLINE[0] ? from + 1 : begin;
}

async function endsWith(handle: FileHandle, bytes: Buffer): Promise<boolean> {
  const { size } = await handle.stat();
  if (size < bytes.length) return false;
  const found = Buffer.alloc(bytes.length);
  const { bytesRead } = await handle.read(found, 0, found.length, size - found.length);
  return bytesRead === found.length && found.equals(bytes);
}

/** Writes the lines from where `progress` stands, after a newline where the file ends torn, and moves it on. */
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

/** Makes a new or renamed file in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory and keeps its entries by other means.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
