/** Changes the keys file atomically, one command at a time. */
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
import type { KeysFile } from '../../config/schema/auth.ts';
import { readKeysFile } from '../../config/keys-file.ts';
import { fileReason } from '../../logs/names.ts';
import { ExitError } from '../exit.ts';
import { exclusively } from '../lock.ts';
import { printProblems } from '../problems-text.ts';
import { KeysDocument } from './document.ts';
import type { Place } from './place.ts';
import { keysIn, textAt } from './place.ts';

/** What a change receives: the file, parsed and as an editable document. */
export interface Changing {
  readonly file: KeysFile;
  readonly document: KeysDocument;
}

/**
 * Changes the keys file at a location.
 * @param change edits the document; its result is returned
 * @throws ExitError when the file is invalid, or would be afterwards; it stays unchanged then
 */
export function changeKeys<Result>(place: Place, change: (changing: Changing) => Result): Result {
  const { path, config } = place;
  if (!existsSync(dirname(path)))
    throw new ExitError(1, `Cannot write ${path}: there is no directory ${dirname(path)}`);
  return exclusively(path, () => {
    const text = textAt(path);
    // A running proxy may still have the keys that were in it, and would lose them.
    if (text?.trim() === '')
      throw new ExitError(
        1,
        `Cannot change ${path}: it is empty, most likely because writing it failed. Restore it, or write \`keys: []\` into it to begin without keys`,
      );
    const before = readKeysFile({ path, text }, config);
    if (!before.file) {
      printProblems(before.problems, path);
      throw new ExitError(1, `Cannot change ${path}: it is not valid, see above`);
    }
    const document = new KeysDocument(text);
    const result = change({ file: before.file, document });
    const changed = document.toString();
    const after = readKeysFile({ path, text: changed }, config);
    if (!after.file) {
      printProblems(after.problems, path);
      throw new ExitError(1, `Cannot change ${path}: it would not be valid, see above. It stays as it was`);
    }
    writeDurably(path, changed);
    return result;
  });
}

/** The key of this name in the keys file. @throws ExitError with advice if there is none */
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

/**
 * Writes a file atomically and durably. A new one is readable by its owner only; an existing one keeps mode and owner.
 */
function writeDurably(path: string, text: string): void {
  try {
    // A mounted file is often a link, which must stay one.
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
  // Only root may change the owner of a file.
  if (process.getuid?.() === 0) fchownSync(descriptor, last.uid, last.gid);
}

function syncDirectory(directory: string): void {
  // Windows cannot open a directory, and makes its entries durable by other means.
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
