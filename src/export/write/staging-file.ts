/** Files that appear completely or not at all. */
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { ExportError } from '../errors.ts';

/** A file that is being written, beside its destination. */
export interface StagingFile {
  readonly fd: number;
  /** Starts it again; the previous descriptor now belongs to the caller. Omitted where that is impossible. */
  renew?(): void;
  /** Makes it appear. */
  keep(): Promise<void>;
  discard(): void;
}

/**
 * A name beside the target that no other process uses. In the same directory, because a rename across file
 * systems is not atomic.
 */
export function stagingPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/**
 * Opens a staging file.
 * @param name as the user gave it
 * @throws ExportError when the file exists and must not be replaced; an error of the file system
 */
export function openStagingFile(name: string, force: boolean): StagingFile {
  const found = fs.statSync(name, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new ExportError('failed', `Cannot write ${name}: it is a directory`);
  // A device or a pipe is written to directly.
  if (found && !found.isFile()) return streamFile(name);
  if (found && !force) throw exists(name);
  // A link stays: its target is replaced.
  const path = found ? fs.realpathSync(name) : linkTarget(resolve(name), name);
  const takeBack = makeDirectory(dirname(path));
  const staging = stagingPath(path);
  fs.rmSync(staging, { force: true });
  // A private file stays private.
  const open = () => fs.openSync(staging, 'wx+', (found?.mode ?? 0o666) & 0o777);
  let fd = open();
  const close = once(() => fs.closeSync(fd));
  return {
    get fd() {
      return fd;
    },
    renew() {
      fs.unlinkSync(staging);
      fd = open();
    },
    async keep() {
      fs.fsyncSync(fd);
      close();
      // Another process may have created it meanwhile.
      if (!force && fs.existsSync(path)) throw exists(name);
      fs.renameSync(staging, path);
      await syncDirectory(dirname(path));
    },
    discard() {
      close();
      fs.rmSync(staging, { force: true });
      takeBack();
    },
  };
}

/** The longest chain of links; a longer one is a cycle. */
const MAX_LINKS = 40;

/** The target of a dangling link, where a file can be created. @throws ExportError for a cycle of links */
function linkTarget(path: string, name: string): string {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
    at = resolve(dirname(at), fs.readlinkSync(at));
  }
  throw new ExportError('failed', `Cannot write ${name}: it is a link to itself`);
}

function streamFile(name: string): StagingFile {
  const fd = fs.openSync(name, 'w');
  const close = once(() => fs.closeSync(fd));
  return { fd, keep: async () => close(), discard: close };
}

/** Creates a directory and its parents. @returns a function that removes the created ones that are empty */
export function makeDirectory(path: string): () => void {
  const first = fs.mkdirSync(path, { recursive: true });
  return () => {
    if (first === undefined) return;
    for (let at = path; at.length >= first.length; at = dirname(at)) {
      if (!fs.existsSync(at) || fs.readdirSync(at).length > 0) return;
      fs.rmdirSync(at);
    }
  };
}

export function exists(name: string): ExportError {
  return new ExportError('failed', `Cannot write ${name}: it exists already, give --force to replace it`);
}

export function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

/** Writes a text file that survives a power failure. */
export function writeSynced(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  const fd = fs.openSync(path, 'wx');
  try {
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
