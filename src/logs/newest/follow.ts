/** Follows a log: yields lines as they are written, also when the log continues in another file. */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LineSplitter } from '../lines.ts';
import { isMissing, listLogs, parseLogName } from '../names.ts';
import { MAX_LINE_BYTES } from '../reader.ts';

/** The polling interval, milliseconds. Polling finds changes that file system events miss. */
const LOOK_MS = 200;
const READ_BYTES = 1024 ** 2;
/** A file that has a successor is closed after this many polls without growth. */
const QUIET_LOOKS = 300;

interface Followed {
  readonly path: string;
  readonly fd: number;
  readonly inode: number;
  /** The position up to which it has been read. */
  at: number;
  splitter: LineSplitter;
  quiet: number;
}

/** Follows plain files in directories, and files given by name. Compressed files are no longer written. */
export class LogFollower {
  readonly #directories: readonly string[];
  readonly #named: readonly string[];
  readonly #open = new Map<string, Followed>();
  /** Files that are no longer checked, or that were old at the start. */
  readonly #left = new Set<string>();
  readonly #memory = Buffer.allocUnsafe(READ_BYTES);

  /** @param named directories and files, at least one of which exists or will exist */
  constructor(named: readonly string[]) {
    const isDirectory = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isFile() !== true;
    this.#directories = named.filter(isDirectory);
    this.#named = named.filter((path) => !isDirectory(path));
  }

  /** Starts at the current ends of the files. @returns that position for each open file */
  async begin(): Promise<ReadonlyMap<string, number>> {
    for (const directory of this.#directories) {
      const logs = (await listLogs(directory)).filter(({ kind }) => kind === 'plain');
      const newest = new Map(logs.map(({ worker, name }) => [worker, name]));
      for (const { name, worker } of logs) {
        const path = join(directory, name);
        if (newest.get(worker) === name) this.#take(path, 'end');
        else this.#left.add(path);
      }
    }
    for (const path of this.#named) this.#take(path, 'end');
    return new Map([...this.#open.values()].map(({ path, at }) => [path, at]));
  }

  /** Whole lines as they arrive, each with its position; ends when the signal aborts. */
  async *lines(signal: AbortSignal): AsyncGenerator<{ path: string; line: Buffer }> {
    while (!signal.aborted) {
      await this.#lookForFiles();
      for (const file of this.#open.values()) yield* this.#more(file);
      this.#closeStale();
      await pause(LOOK_MS, signal);
    }
    for (const { fd } of this.#open.values()) fs.closeSync(fd);
    this.#open.clear();
  }

  async #lookForFiles(): Promise<void> {
    for (const directory of this.#directories) {
      const logs = (await listLogs(directory)).filter(({ kind }) => kind === 'plain');
      const paths = new Set(logs.map(({ name }) => join(directory, name)));
      for (const path of paths) if (!this.#open.has(path) && !this.#left.has(path)) this.#take(path, 'start');
      for (const path of this.#left)
        if (dirname(path) === directory && !paths.has(path)) this.#left.delete(path);
    }
    for (const path of this.#named) if (!this.#open.has(path)) this.#take(path, 'start');
  }

  #take(path: string, from: 'start' | 'end'): void {
    try {
      const fd = fs.openSync(path, 'r');
      const { ino, size } = fs.fstatSync(fd);
      const at = from === 'end' ? size : 0;
      this.#open.set(path, {
        path,
        fd,
        inode: ino,
        at,
        splitter: new LineSplitter(MAX_LINE_BYTES),
        quiet: 0,
      });
    } catch (error) {
      // It was moved or compressed in between.
      if (!isMissing(error)) throw error;
    }
  }

  *#more(file: Followed): Generator<{ path: string; line: Buffer }> {
    const { fd, path } = file;
    if (fs.fstatSync(fd).size < file.at) {
      // It was truncated, as some log rotation does.
      file.at = 0;
      file.splitter = new LineSplitter(MAX_LINE_BYTES);
    }
    file.quiet += 1;
    for (;;) {
      const bytes = fs.readSync(fd, this.#memory, 0, READ_BYTES, file.at);
      if (bytes === 0) return;
      file.at += bytes;
      file.quiet = 0;
      for (const { bytes: line, terminated, tooLong } of file.splitter.push(this.#memory.subarray(0, bytes)))
        if (terminated && !tooLong) yield { path, line };
    }
  }

  /** Closes files that are gone, replaced, or superseded for long: all of them have been read. */
  #closeStale(): void {
    for (const [path, file] of this.#open) {
      const found = fs.statSync(path, { throwIfNoEntry: false });
      const isSame = found?.ino === file.inode;
      if (isSame && !(file.quiet > QUIET_LOOKS && this.#isFollowed(path))) continue;
      fs.closeSync(file.fd);
      this.#open.delete(path);
      if (isSame) this.#left.add(path);
    }
  }

  #isFollowed(path: string): boolean {
    const own = parseLogName(basename(path));
    const others = [...this.#open.keys()].filter(
      (other) => other !== path && dirname(other) === dirname(path),
    );
    return others.some((other) => {
      const log = parseLogName(basename(other));
      if (!own || !log || log.worker !== own.worker) return false;
      return log.day > own.day || (log.day === own.day && log.sequence > own.sequence);
    });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
