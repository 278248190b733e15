/** Directories that appear in one step. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { stagingPath, makeDirectory, once } from './staging-file.ts';
import { replaceable } from './overwrite-guard.ts';

/** A directory that is being written. */
export interface StagingDirectory {
  /** The final path of the directory. */
  readonly path: string;
  /** The path at which its files are written until they appear. */
  readonly staging: string;
  /** Makes them appear. @param files all files, relative to the directory, the manifest last */
  appear(files: readonly string[]): Promise<void>;
  /** Deletes everything that has not appeared. May be called at any time, more than once. */
  discard(): void;
}

/**
 * Creates a staging directory beside the final path, to be renamed at the end. Where that is impossible, as
 * for a mounted volume or below a read-only directory, it is created within the final directory, and its
 * files are renamed one by one.
 * @param name as the user gave it
 * @throws ExportError when it contains files that must not be replaced; an error of the file system
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
 * The files that are replaced, the manifest last. This is checked again at the end, since another process
 * may have changed the directory meanwhile.
 */
type Check = () => readonly string[];

/** @param mode of the existing directory: a private one stays private */
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
      // At every moment a manifest names all other files, so that another attempt with --force is possible.
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

/**
 * Creates a directory, and deletes what an earlier process with the same ID left there, as in a container.
 */
function freshDirectory(path: string): string {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path);
  return path;
}

/**
 * Renames the staging directory into place; the previous directory is deleted afterwards, or restored on
 * failure.
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

/** The directories that contain files, including the directory itself. */
function foldersOf(files: readonly string[]): Set<string> {
  return new Set(['.', ...files.map((file) => dirname(file))]);
}
