/** Directories that appear whole. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { stagingPath, makeDirectory, once } from './staging-file.ts';
import { replaceable } from './overwrite-guard.ts';

/** A directory in the making. */
export interface StagingDirectory {
  /** The final path of the directory. */
  readonly path: string;
  /** The path at which its files are written until they appear. */
  readonly staging: string;
  /** Makes them appear. @param files all that were made, within the directory, the manifest last */
  appear(files: readonly string[]): Promise<void>;
  /** Leaves nothing behind. May be called at any time, more than once. */
  discard(): void;
}

/**
 * Begins a directory. It is made beside its name and renamed at the end. Where that cannot be, in a mounted volume or
 * below a directory that may not be written, it is made within itself, and its files are renamed one by one.
 * @param name as the user gave it
 * @throws ExportError when it holds what may not be replaced; an error of the file system
 */
export function openStagingDirectory(name: string, force: boolean): StagingDirectory {
  const path = fs.existsSync(name) ? fs.realpathSync(name) : resolve(name);
  const check = () => replaceable(path, { name, force });
  check();
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (!found) return stagedBeside(path, check);
  // A volume can be neither renamed nor replaced.
  if (found.dev !== fs.statSync(dirname(path)).dev) return stagedWithin(path, check);
  try {
    return stagedBeside(path, check, found.mode & 0o777);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return stagedWithin(path, check);
  }
}

/**
 * Files that are replaced, the manifest last. Checked again at the end, since another process may have changed the
 * directory meanwhile.
 */
type Check = () => readonly string[];

/** @param mode of the directory that is there already: a private one stays private */
function stagedBeside(path: string, check: Check, mode?: number): StagingDirectory {
  const takeBack = makeDirectory(dirname(path));
  const staging = freshDirectory(stagingPath(path));
  if (mode !== undefined) fs.chmodSync(staging, mode | 0o700);
  return {
    path,
    staging,
    async appear(files) {
      for (const folder of foldersOf(files)) await syncDirectory(join(staging, folder));
      check();
      swap(staging, path);
      await syncDirectory(dirname(path));
    },
    discard: once(() => {
      fs.rmSync(staging, { recursive: true, force: true });
      takeBack();
    }),
  };
}

export function stagedWithin(path: string, check: Check): StagingDirectory {
  const staging = freshDirectory(join(path, `.llmproxy.${process.pid}.tmp`));
  return {
    path,
    staging,
    async appear(files) {
      // At each moment there is a manifest that names what else is there, so that --force can try again.
      for (const file of check()) if (file !== files.at(-1)) fs.rmSync(join(path, file));
      for (const file of files.toReversed()) {
        fs.mkdirSync(dirname(join(path, file)), { recursive: true });
        fs.renameSync(join(staging, file), join(path, file));
      }
      fs.rmSync(staging, { recursive: true });
      for (const folder of foldersOf(files)) await syncDirectory(join(path, folder));
    },
    discard: once(() => fs.rmSync(staging, { recursive: true, force: true })),
  };
}

/** Makes a directory; what a process of the same number left there, as in a container, goes. */
function freshDirectory(path: string): string {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path);
  return path;
}

/**
 * Renames the staging directory into place; what was there before goes when that is done, and comes back when it cannot
 * be.
 */
export function swap(staging: string, path: string): void {
  const aside = `${staging}.old`;
  const replaced = fs.existsSync(path);
  if (replaced) {
    fs.rmSync(aside, { recursive: true, force: true });
    fs.renameSync(path, aside);
  }
  try {
    fs.renameSync(staging, path);
  } catch (error) {
    if (replaced) fs.renameSync(aside, path);
    throw error;
  }
  fs.rmSync(aside, { recursive: true, force: true });
}

/** The folders that files lie in, the directory itself too. */
function foldersOf(files: readonly string[]): Set<string> {
  return new Set(['.', ...files.map((file) => dirname(file))]);
}
