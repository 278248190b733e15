/** Changes the keys file: all of a change or nothing, one command at a time. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { KeysFile } from '../../config/auth-schema.ts';
import { readKeysFile } from '../../config/keys-file.ts';
import { fileReason } from '../../logs/names.ts';
import { ExitError } from '../exit.ts';
import { exclusively } from '../lock.ts';
import { tellProblems } from '../problems-text.ts';
import { KeysDocument } from './document.ts';
import type { Place } from './place.ts';
import { keysIn, textAt } from './place.ts';

/** What a change is given: the file as it is, read and as a document. */
export interface Changing {
  readonly file: KeysFile;
  readonly document: KeysDocument;
}

/**
 * Changes the keys file of a place.
 * @param change works on the document; what it returns is returned
 * @throws ExitError when the file is not valid, or would not be afterwards; then it stays as it was
 */
export function changeKeys<Result>(place: Place, change: (changing: Changing) => Result): Result {
  const { path, config } = place;
  if (!existsSync(dirname(path)))
    throw new ExitError(1, `Cannot write ${path}: there is no directory ${dirname(path)}`);
  return exclusively(path, () => {
    const text = textAt(path);
    const before = readKeysFile({ path, text }, config);
    if (!before.file) {
      tellProblems(before.problems, path);
      throw new ExitError(1, `Cannot change ${path}: it is not valid, see above`);
    }
    const document = new KeysDocument(text);
    const result = change({ file: before.file, document });
    const changed = document.toString();
    const after = readKeysFile({ path, text: changed }, config);
    if (!after.file) {
      tellProblems(after.problems, path);
      throw new ExitError(1, `Cannot change ${path}: it would not be valid, see above. It stays as it was`);
    }
    writeDurably(path, changed);
    return result;
  });
}

/** The key of this name in the keys file. @throws ExitError where there is none, with what to do */
export function keyIn(file: KeysFile, name: string, { path, config, configPath }: Place, action: string) {
  const found = file.keys.find((key) => key.name === name);
  if (found) return found;
  const elsewhere = keysIn(config).some((key) => key.name === name);
  throw new ExitError(
    1,
    elsewhere
      ? `Cannot ${action} ${name}: it is written in ${configPath}, change it there`
      : `Cannot ${action} ${name}: there is no such key in ${path}; llmproxy keys list shows all`,
  );
}

/** Writes a file that is whole whenever it is read, and lasts. A new one is its owner's alone; others keep mode and owner. */
function writeDurably(path: string, text: string): void {
  try {
    // What is mounted is often a link, which is to stay one.
    const target = existsSync(path) ? realpathSync(path) : path;
    const directory = dirname(target);
    const temporary = join(directory, `.${basename(target)}.${process.pid}.tmp`);
    try {
      const descriptor = openSync(temporary, 'wx', 0o600);
      try {
        keepOwner(descriptor, target);
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, target);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw cause;
    }
    syncDirectory(directory);
  } catch (cause) {
    throw new ExitError(1, `Cannot write ${path}: ${fileReason(cause)}`);
  }
}

function keepOwner(descriptor: number, target: string): void {
  const last = statSync(target, { throwIfNoEntry: false });
  if (!last) return;
  fchmodSync(descriptor, last.mode & 0o777);
  // Nobody else may give files away.
  if (process.getuid?.() === 0) fchownSync(descriptor, last.uid, last.gid);
}

function syncDirectory(directory: string): void {
  // Windows cannot open a directory and keeps its entries by other means.
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
