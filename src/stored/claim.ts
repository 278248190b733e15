import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockStored, openStored, STORED_FILE } from './file.ts';
import { ResponseRows } from './rows.ts';

/** Nothing is stored with these, nor made larger. */
const NOTHING_NEW = { maxBytes: Infinity, maxChain: 0, isShared: true };

/**
 * Takes the stored responses for workers that are about to begin: what workers before them still ran is not run any more.
 * @returns how to let others have them
 * @throws what SQLite and the file system throw
 */
export function claimStored(directory: string): () => void {
  const lock = lockStored(directory);
  // What it changes was redacted when it was written.
  if (lock && existsSync(join(directory, STORED_FILE))) {
    const db = openStored(directory);
    new ResponseRows(db, NOTHING_NEW, (text) => text).failLeft(Date.now());
    db.close();
  }
  return () => lock?.close();
}
