/** Files that appear whole or not at all. */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { ExportError } from '../error.ts';

/** A file in the making beside where it will be. */
export interface Draft {
  readonly fd: number;
  /** Begins it anew; the number it had is the caller's. Left out where that cannot be. */
  renew?(): void;
  /** Makes it appear. */
  keep(): Promise<void>;
  discard(): void;
}

/** A name beside the target that nobody else uses. In the same directory, because a rename across file systems is no single step. */
export function draftPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/**
 * Opens a draft of a file.
 * @throws ExportError when the file exists and is not to be replaced
 */
export function openDraft(name: string, force: boolean): Draft {
  const found = fs.statSync(name, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new ExportError('failed', `Cannot write ${name}: it is a directory`);
  // A device or a pipe is written as it is.
  if (found && !found.isFile()) return streamDraft(name);
  if (found && !force) throw exists(name);
  // A link goes on pointing where it does.
  const path = found ? fs.realpathSync(name) : name;
  fs.mkdirSync(dirname(path), { recursive: true });
  const draft = draftPath(path);
  // A private file stays private.
  const open = () => fs.openSync(draft, 'w+', (found?.mode ?? 0o666) & 0o777);
  let fd = open();
  const close = once(() => fs.closeSync(fd));
  return {
    get fd() {
      return fd;
    },
    renew() {
      fs.unlinkSync(draft);
      fd = open();
    },
    async keep() {
      fs.fsyncSync(fd);
      close();
      // Somebody else may have made it meanwhile.
      if (!force && fs.existsSync(path)) throw exists(name);
      fs.renameSync(draft, path);
      await syncDirectory(dirname(path));
    },
    discard() {
      close();
      fs.rmSync(draft, { force: true });
    },
  };
}

function streamDraft(name: string): Draft {
  const fd = fs.openSync(name, 'w');
  const close = once(() => fs.closeSync(fd));
  return { fd, keep: async () => close(), discard: close };
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

/** Writes a file of text, whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = openDraft(path, true);
  try {
    fs.writeFileSync(draft.fd, text);
    await draft.keep();
  } catch (error) {
    draft.discard();
    throw error;
  }
}
