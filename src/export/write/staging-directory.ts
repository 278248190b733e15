/** Directories that appear whole. */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { draftPath, makeDirectory, once } from './staging-file.ts';
import { replaceable } from './overwrite-guard.ts';

/** A directory in the making. */
export interface Target {
  /** Where it will be. */
  readonly path: string;
  /** Where its files are made. */
  readonly draft: string;
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
export function openTarget(name: string, force: boolean): Target {
  const path = fs.existsSync(name) ? fs.realpathSync(name) : resolve(name);
  const check = () => replaceable(path, { name, force });
  check();
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (!found) return targetBeside(path, check);
  // A volume can be neither renamed nor replaced.
  if (found.dev !== fs.statSync(dirname(path)).dev) return targetWithin(path, check);
  try {
    return targetBeside(path, check, found.mode & 0o777);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return targetWithin(path, check);
  }
}

/** Files that are replaced, the manifest last. Asked again at the end: somebody may have been at work meanwhile. */
type Check = () => readonly string[];

/** @param mode of the directory that is there already: a private one stays private */
function targetBeside(path: string, check: Check, mode?: number): Target {
  const takeBack = makeDirectory(dirname(path));
  const draft = freshDirectory(draftPath(path));
  if (mode !== undefined) fs.chmodSync(draft, mode | 0o700);
  return {
    path,
    draft,
    async appear(files) {
      for (const folder of foldersOf(files)) await syncDirectory(join(draft, folder));
      check();
      swap(draft, path);
      await syncDirectory(dirname(path));
    },
    discard: once(() => {
      fs.rmSync(draft, { recursive: true, force: true });
      takeBack();
    }),
  };
}

export function targetWithin(path: string, check: Check): Target {
  const draft = freshDirectory(join(path, `.llmproxy.${process.pid}.tmp`));
  return {
    path,
    draft,
    async appear(files) {
      // At each moment there is a manifest that names what else is there, so that --force can try again.
      for (const file of check()) if (file !== files.at(-1)) fs.rmSync(join(path, file));
      for (const file of files.toReversed()) {
        fs.mkdirSync(dirname(join(path, file)), { recursive: true });
        fs.renameSync(join(draft, file), join(path, file));
      }
      fs.rmSync(draft, { recursive: true });
      for (const folder of foldersOf(files)) await syncDirectory(join(path, folder));
    },
    discard: once(() => fs.rmSync(draft, { recursive: true, force: true })),
  };
}

/** Makes a directory; what a process of the same number left there, as in a container, goes. */
function freshDirectory(path: string): string {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path);
  return path;
}

/** Renames the draft into place; what was there before goes when that is done, and comes back when it cannot be. */
export function swap(draft: string, path: string): void {
  const aside = `${draft}.old`;
  const replaced = fs.existsSync(path);
  if (replaced) {
    fs.rmSync(aside, { recursive: true, force: true });
    fs.renameSync(path, aside);
  }
  try {
    fs.renameSync(draft, path);
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
